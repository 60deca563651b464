//! `cargo xtask pictures`: the guide's pictures of lanes that have worked for hours.
//!
//! A real relay sends to model receivers, both with their time running faster; a real browser looks
//! at its pages (`app/dashboard/browser/pictures.mjs`). The other pictures are made by the browser's
//! test, which takes seconds and so has little to show of a lane.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::ended::Ended;
use crate::peers;
use crate::root::root;

/// How much faster than the world's time runs: four minutes are eight hours.
const SPEED: &str = "120";

/// Who receives whose mail: a domain, and the scenario that its provider is a model of.
const RECEIVERS: [(&str, &str); 4] = [
    ("web.de", "p01-webde"),
    ("yahoo.com", "p04-yahoo-pool"),
    ("outlook.com", "p12-limit-drop"),
    ("gmail.com", "p03-token-bucket"),
];

/// For this run alone; nobody else reaches it.
const PASSWORD: &str = "correct horse battery";

/// A process that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Builds the program, runs it for four minutes, and takes the pictures.
pub(crate) fn run() -> anyhow::Result<Ended> {
    if let Ended::NotYet = peers::ensure()? {
        return Ok(Ended::NotYet);
    }
    let root = root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--locked", "-p", "postlane"])
        .status()
        .context("while starting cargo")?;
    anyhow::ensure!(built.success(), "the program was not built");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let binary = target.join("debug/postlane");
    let home = tempfile::tempdir().context("while making a folder")?;
    let mut routes = String::new();
    let mut receivers = Vec::new();
    for (domain, scenario) in RECEIVERS {
        let options = ["receiver", scenario, "--listen", "127.0.0.1:0", "--speed", SPEED];
        let (receiver, ready) = started(&binary, home.path(), &options)?;
        receivers.push(receiver);
        let address = ready.strip_prefix("ready smtp=").context("the receiver says no address")?;
        routes.push_str(&format!(
            "[[route]]\npattern = \"{domain}\"\nto = \"{}\"\nlane = \"provider\"\n",
            address.trim()
        ));
    }
    std::fs::write(home.path().join("postlane.toml"), configuration(&routes))?;
    let options = ["serve", "--config", "postlane.toml", "--clock-speed", SPEED];
    let (_relay, ready) = started(&binary, home.path(), &options)?;
    let http = ready.split(' ').find_map(|word| word.strip_prefix("http="));
    let http = http.context("the relay says no address")?.trim();
    first_user(&binary, home.path())?;
    let looked = Command::new("node")
        .arg("pictures.mjs")
        .current_dir(root.join("app/dashboard/browser"))
        .env("POSTLANE_URL", format!("http://{http}"))
        .env("POSTLANE_TOKEN", std::fs::read_to_string(home.path().join("postlane-data/token"))?)
        .env("POSTLANE_PASSWORD", PASSWORD)
        .env("POSTLANE_SHOTS", root.join("docs/guide/dashboard"))
        .status()
        .context("while starting node")?;
    drop(receivers);
    Ok(if looked.success() { Ended::Well } else { Ended::Badly })
}

/// Three addresses of a product that sends receipts and news.
fn configuration(routes: &str) -> String {
    let source = |n: u8| format!("[[source]]\nname = \"out{n}\"\naddress = \"127.0.0.{n}\"\n");
    format!(
        "[relay]\nhostname = \"out.shop.example\"\n[lane]\nlearning = \"on\"\n\
         [preflight]\npolicy = \"off\"\n[http]\naddress = \"127.0.0.1:0\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n{}{}{}\
         [[pool]]\nname = \"all\"\nsources = [\"out1\", \"out2\", \"out3\"]\n\
         [[pool]]\nname = \"one\"\nsources = [\"out1\"]\n\
         [lane.\"web.de\"]\nroute = \"pool:one\"\n\
         [lane.\"outlook.com\"]\nroute = \"pool:one\"\n{routes}\
         [[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n",
        source(1),
        source(2),
        source(3),
    )
}

/// A command of the program that goes on, and the line in which it says that it is ready.
fn started(binary: &Path, home: &Path, options: &[&str]) -> anyhow::Result<(Running, String)> {
    let said = home.join("stderr.log");
    let mut child = Command::new(binary)
        .current_dir(home)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&said)?)
        .spawn()
        .with_context(|| format!("while starting {}", binary.display()))?;
    let stdout = child.stdout.take().context("it has no stdout")?;
    let running = Running(child);
    let mut lines = BufReader::new(stdout).lines();
    for line in lines.by_ref() {
        let line = line?;
        if line.starts_with("ready ") {
            // What it says later must not fill a pipe that nobody reads.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, line));
        }
    }
    let said = std::fs::read_to_string(said).unwrap_or_default();
    anyhow::bail!("`postlane {}` ended before it was ready: {said}", options.join(" "))
}

fn first_user(binary: &Path, home: &Path) -> anyhow::Result<()> {
    let mut adding = Command::new(binary)
        .current_dir(home)
        .args(["user", "add", "jo", "--role", "admin", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    writeln!(adding.stdin.take().context("it has no stdin")?, "{PASSWORD}")?;
    anyhow::ensure!(adding.wait()?.success(), "nobody could be made who may sign in");
    Ok(())
}
