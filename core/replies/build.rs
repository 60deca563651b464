//! Lists the files of rules that go into the program.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let here = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut list = String::from("&[\n");
    for folder in ["provider", "generic"] {
        let folder = Path::new(&here).join("rules").join(folder);
        let mut files = fs::read_dir(&folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            writeln!(list, "({name:?}, include_str!({file:?})),").map_err(io::Error::other)?;
        }
    }
    list.push(']');
    fs::write(Path::new(&out).join("rules.rs"), list)
}
