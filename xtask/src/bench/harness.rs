//! mailbench as source and sink around a server that is measured.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

/// How long a sink waits for messages that no longer come, in seconds.
const IDLE_S: u32 = 30;

/// How mail goes over the wire, into the server and out of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// DATA both ways.
    Data,
    /// BDAT both ways, by a server that can (RFC 3030).
    Bdat,
}

/// What a source is to send.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) messages: u64,
    /// Octets per message.
    pub(super) size: u64,
    pub(super) sessions: u32,
    /// Messages per second; none for as fast as they are taken.
    pub(super) rate: Option<u32>,
    pub(super) wire: Wire,
}

/// The harness's binary.
pub(super) struct Mailbench(PathBuf);

impl Mailbench {
    /// Builds it.
    pub(super) fn build(root: &Path) -> anyhow::Result<Self> {
        let home = root.join("tools/mailbench");
        let target = home.join("target");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg(home.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .status()
            .context("while starting cargo")?;
        anyhow::ensure!(status.success(), "mailbench could not be built");
        Ok(Self(target.join("release/mailbench")))
    }

    /// Starts a sink that ends after `load.messages`, or when nothing comes any more.
    pub(super) fn sink(&self, load: Load) -> anyhow::Result<Sink> {
        let keywords = match load.wire {
            Wire::Data => "PIPELINING,8BITMIME,SIZE 52428800,ENHANCEDSTATUSCODES",
            Wire::Bdat => "PIPELINING,8BITMIME,SIZE 52428800,ENHANCEDSTATUSCODES,CHUNKING",
        };
        let mut child = Command::new(&self.0)
            .args(["sink", "--listen", "127.0.0.1:0", "--run", "bench", "--caps", keywords])
            .args(["--expect", &load.messages.to_string(), "--idle", &IDLE_S.to_string()])
            .args(["--max-ids", &load.messages.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("while starting the sink")?;
        let stderr = child.stderr.take().context("the sink has no stderr")?;
        let mut line = String::new();
        BufReader::new(stderr).read_line(&mut line)?;
        let address = line.trim_end().rsplit(' ').next().and_then(|address| address.parse().ok());
        let stdout = child.stdout.take().context("the sink has no stdout")?;
        match address {
            Some(address) => Ok(Sink { child, stdout, address }),
            None => anyhow::bail!("the sink did not say where it listens: {line:?}"),
        }
    }

    /// Starts a sink that refuses by `rules`, writes its timeline to `timeline` and ends when it is
    /// asked to; it says every second how far it is.
    pub(super) fn scripted(
        &self,
        rules: &[String],
        messages: u64,
        timeline: &Path,
    ) -> anyhow::Result<Child> {
        let mut sink = Command::new(&self.0);
        sink.args(["sink", "--listen", "127.0.0.1:0", "--run", "bench", "--progress"])
            .args(["--max-ids", &messages.to_string(), "--timeline"])
            .arg(timeline);
        for rule in rules {
            sink.args(["--rule", rule]);
        }
        let sink = sink.stdout(Stdio::piped()).stderr(Stdio::piped());
        sink.spawn().context("while starting the sink")
    }

    /// Sends everything; the source's result.
    pub(super) fn send(&self, to: SocketAddr, load: Load) -> anyhow::Result<Value> {
        self.send_from(0, to, load)
    }

    /// Like `send`, with `first` as the number of the first message: where another load ended.
    pub(super) fn send_from(
        &self,
        first: u64,
        to: SocketAddr,
        load: Load,
    ) -> anyhow::Result<Value> {
        let mut source = Command::new(&self.0);
        source.args(["source", "--run", "bench", "--connect", &to.to_string()]);
        for (option, n) in [
            ("--messages", load.messages),
            ("--first", first),
            ("--size", load.size),
            ("--sessions", load.sessions.into()),
            ("--rate", load.rate.unwrap_or(0).into()),
        ] {
            source.args([option, &n.to_string()]);
        }
        if load.wire == Wire::Bdat {
            source.arg("--bdat");
        }
        let output =
            source.stderr(Stdio::inherit()).output().context("while starting the source")?;
        anyhow::ensure!(output.status.success(), "the source failed ({})", output.status);
        serde_json::from_slice(&output.stdout).context("while reading the source's result")
    }
}

/// A sink that is receiving.
pub(super) struct Sink {
    child: Child,
    stdout: ChildStdout,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Sink {
    /// Waits for its end; the sink's result.
    pub(super) fn wait(mut self) -> anyhow::Result<Value> {
        let mut result = String::new();
        self.stdout.read_to_string(&mut result)?;
        self.child.wait()?;
        serde_json::from_str(&result).context("while reading the sink's result")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // After `wait` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number in a result, by its path: `["final_reply_us", "p50"]`.
pub(super) fn number(result: &Value, path: &[&str]) -> f64 {
    path.iter().fold(result, |value, key| &value[*key]).as_f64().unwrap_or(0.0)
}
