//! `cargo xtask dist`: the Debian package, with manual pages, completions and the guide in it.
//!
//! What is in it stands in `app/postlane/Cargo.toml`; `cargo deb` puts it together. What the program
//! itself writes, pages and completions, is written here first.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::ended::Ended;
use crate::root::root;

/// Shells, and the files in which they look for a program's completions.
const SHELLS: [(&str, &str); 3] =
    [("bash", "postlane"), ("zsh", "_postlane"), ("fish", "postlane.fish")];

/// Builds the program and the package; the last line that is printed is the package's file.
pub(crate) fn run() -> anyhow::Result<Ended> {
    let tried =
        cargo().args(["deb", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !tried.context("while starting cargo")?.success() {
        let says = "the package is made by cargo-deb: cargo install --locked cargo-deb";
        writeln!(std::io::stdout(), "{says}").context("while writing to the terminal")?;
        return Ok(Ended::NotYet);
    }
    let built = cargo().args(["build", "--release", "--locked", "-p", "postlane"]).status();
    anyhow::ensure!(built.context("while starting cargo")?.success(), "the program was not built");
    let release = target().join("release");
    write_what_it_says(&release.join("postlane"), &release.join("dist"))?;
    // What names lines in a profile is four fifths of the program, and of no use to who runs it.
    let package = ["deb", "--no-build", "--locked", "--strip", "-p", "postlane"];
    let made = cargo().args(package).status();
    anyhow::ensure!(made.context("while starting cargo")?.success(), "no package was made");
    Ok(Ended::Well)
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}

/// A page for each command, and what shells know of all of them.
fn write_what_it_says(program: &Path, folder: &Path) -> anyhow::Result<()> {
    // Pages of commands that are no more are in no package.
    if folder.exists() {
        fs::remove_dir_all(folder).context("while removing what was made before")?;
    }
    let pages = folder.join("man1");
    fs::create_dir_all(&pages).context("while making a folder")?;
    let written = Command::new(program).arg("manual").arg(&pages).status();
    anyhow::ensure!(written.context("while starting the program")?.success(), "no pages");
    let written = fs::read_dir(&pages)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .context("while reading a folder")?;
    for page in written {
        compress(&page.path()).context("while compressing a page")?;
    }
    for (shell, file) in SHELLS {
        let file = File::create(folder.join(file)).context("while making a file")?;
        let written = Command::new(program).args(["completions", shell]).stdout(file).status();
        anyhow::ensure!(written.context("while starting the program")?.success(), "no {shell}");
    }
    Ok(())
}

/// As Debian wants its pages: compressed as far as it goes, and the same each time.
fn compress(page: &Path) -> std::io::Result<()> {
    let mut name = page.as_os_str().to_owned();
    name.push(".gz");
    let mut file = GzEncoder::new(File::create(name)?, Compression::best());
    file.write_all(&fs::read(page)?)?;
    file.finish()?;
    fs::remove_file(page)
}
