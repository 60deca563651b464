//! How much of a collection of bounces the program reads, by folder and by half.
//!
//! A message belongs to the half the reader was tuned on, or to the half that nobody looked at;
//! which, the hash of its name says. Labels are those of a `labels.json` in the folder, if there
//! is one: for each message `[{dsn, replycode, reason}]`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::ended::Ended;
use crate::root::root;

/// What to read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder with the messages (`*.eml`, at any depth)
    dir: PathBuf,
}

/// Messages that are given to the program at once: a command line has its limits.
const AT_ONCE: usize = 200;

/// Figures of some messages.
#[derive(Debug, Default)]
struct Share {
    messages: u32,
    /// With a recipient at least.
    recipient: u32,
    /// Messages that are no bounces, and were taken for one.
    mistaken: u32,
    statuses: u32,
    status: u32,
    codes: u32,
    code: u32,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let dir = &arguments.dir;
    let mut files = Vec::new();
    find(dir, &mut files)?;
    files.sort();
    let labels = fs::read(dir.join("labels.json")).unwrap_or_else(|_| b"{}".to_vec());
    let labels: BTreeMap<String, Value> =
        serde_json::from_slice(&labels).context("while reading labels.json")?;
    let read = parsed(&files)?;
    let mut shares: BTreeMap<(String, &str), Share> = BTreeMap::new();
    for file in &files {
        let name = file.strip_prefix(dir)?.to_string_lossy().into_owned();
        let folder = Path::new(&name).parent().map(|folder| folder.display().to_string());
        let half = if is_tuned(&name) { "tuned" } else { "unseen" };
        let rows = read.get(&file.display().to_string()).map(Vec::as_slice).unwrap_or_default();
        for folder in [folder.unwrap_or_default(), "all".to_owned()] {
            shares.entry((folder, half)).or_default().add(&name, rows, labels.get(&name));
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<44} {:<7} {:>8} {:>9} {:>9} {:>9} {:>8}",
        "folder", "half", "messages", "recipient", "status", "code", "mistaken"
    )?;
    for ((folder, half), share) in &shares {
        let of = |part: u32, whole: u32| format!("{part}/{whole}");
        writeln!(
            out,
            "{folder:<44} {half:<7} {:>8} {:>9} {:>9} {:>9} {:>8}",
            share.messages,
            share.recipient,
            of(share.status, share.statuses),
            of(share.code, share.codes),
            share.mistaken,
        )?;
    }
    Ok(Ended::Well)
}

impl Share {
    fn add(&mut self, name: &str, rows: &[Value], label: Option<&Value>) {
        // A folder of this name has what is no bounce.
        if name.split('/').any(|folder| folder == "not") {
            self.mistaken += u32::from(!rows.is_empty());
            return;
        }
        self.messages += 1;
        self.recipient += u32::from(rows.iter().any(|row| row["recipient"].is_string()));
        let words = |key: &str| -> Vec<String> {
            rows.iter().map(|row| row[key].to_string().replace('"', "")).collect()
        };
        let (mut statuses, mut codes) = (words("status"), words("code"));
        for label in label.and_then(Value::as_array).into_iter().flatten() {
            let status = label["dsn"].as_str().unwrap_or_default();
            // x.0.9xx and x.0.0 are made up by the labels' writer where nothing was said.
            if !status.is_empty() && status.get(2..4) != Some("0.") {
                self.statuses += 1;
                self.status += u32::from(taken(&mut statuses, status));
            }
            let code = label["replycode"].as_str().unwrap_or_default();
            if !code.is_empty() {
                self.codes += 1;
                self.code += u32::from(taken(&mut codes, code));
            }
        }
    }
}

fn taken(from: &mut Vec<String>, wanted: &str) -> bool {
    let at = from.iter().position(|one| one == wanted);
    at.map(|at| from.swap_remove(at)).is_some()
}

/// Whether the reader was tuned on a message: bit 7 of FNV-1a of its file's name is 0.
fn is_tuned(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let step = |hash: u32, b: u8| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step) & 0x80 == 0
}

/// What the program makes of the files, by file.
fn parsed(files: &[PathBuf]) -> anyhow::Result<BTreeMap<String, Vec<Value>>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for some in files.chunks(AT_ONCE) {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root()).args(["run", "-q", "-p", "postlane", "--"]);
        cargo.args(["bounce", "parse", "--json"]).args(some).stderr(Stdio::null());
        let output = cargo.output().context("while running the program")?;
        ensure!(
            matches!(output.status.code(), Some(0 | 1)),
            "the program ended with {}",
            output.status
        );
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        for row in rows {
            let file = row["file"].as_str().unwrap_or_default().to_owned();
            found.entry(file).or_default().push(row);
        }
    }
    Ok(found)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("while reading {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            files.push(path);
        }
    }
    Ok(())
}
