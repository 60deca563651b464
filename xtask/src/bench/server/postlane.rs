//! Postlane as `postlane serve` starts it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::{Running, Top, command, wait_for};

/// A Postlane that has said it is ready.
pub(in crate::bench) struct Postlane {
    pub(in crate::bench) running: Running,
    /// From the start of the process to the line `ready`: it takes mail from then on.
    pub(in crate::bench) ready_after: Duration,
    begun: Instant,
    http: SocketAddr,
    token: PathBuf,
}

impl Postlane {
    /// Starts `binary` with its data in `folder/data`, everything routed to `to`.
    pub(in crate::bench) fn start(
        binary: &Path,
        folder: &Path,
        to: SocketAddr,
        wrapper: &[String],
    ) -> anyhow::Result<Self> {
        Self::start_configured(binary, folder, to, &[], wrapper)
    }

    /// Like `start`, with more options to `serve`.
    pub(in crate::bench) fn start_configured(
        binary: &Path,
        folder: &Path,
        to: SocketAddr,
        options: &[String],
        wrapper: &[String],
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut child = command(wrapper, binary, folder)?
            .args(["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(["--route", &format!("*={to}"), "--data"])
            .arg(folder.join("data"))
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("while starting {}", binary.display()))?;
        let stdout = child.stdout.take().context("the relay has no stdout")?;
        // Held from here on, so that it ends with us whatever happens.
        let mut running = Running { child, top: Top::of(wrapper), smtp: to };
        let mut lines = BufReader::new(stdout).lines();
        let line = loop {
            match lines.next() {
                Some(line) => {
                    let line = line?;
                    if line.starts_with("ready ") {
                        break line;
                    }
                }
                None => anyhow::bail!("the relay ended before it was ready: see stderr.log"),
            }
        };
        let ready_after = begun.elapsed();
        // What it says later must not fill a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        let said = |key: &str| word(&line, key).with_context(|| format!("no {key} in {line:?}"));
        running.smtp = said("smtp")?.parse().context("while reading the relay's smtp address")?;
        let http = said("http")?.parse().context("while reading the relay's http address")?;
        let token = PathBuf::from(said("token")?);
        Ok(Self { running, ready_after, begun, http, token })
    }

    /// Waits until the queue holds `recipients`; how long after the start that was.
    pub(in crate::bench) fn wait_for_queue(&self, recipients: u64) -> anyhow::Result<Duration> {
        wait_for("the queue", || {
            let known = self.queued()?;
            Ok((known >= recipients).then(|| self.begun.elapsed()))
        })
    }

    /// Recipients that wait, as the summary has it.
    pub(in crate::bench) fn queued(&self) -> anyhow::Result<u64> {
        let token = std::fs::read_to_string(&self.token).context("while reading the token")?;
        let mut stream = TcpStream::connect(self.http)?;
        write!(
            stream,
            "GET /v1/queue/summary HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Connection: close\r\n\r\n",
            self.http,
            token.trim()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let Some((_, body)) = answer.split_once("\r\n\r\n").filter(|_| answer.contains(" 200 "))
        else {
            // Not ready to tell yet; asked again until our patience ends.
            return Ok(0);
        };
        let summary: Value = serde_json::from_str(body).context("while reading the summary")?;
        let rows = summary["providers"].as_array().context("the summary has no providers")?;
        Ok(rows.iter().filter_map(|row| row["recipients"].as_u64()).sum())
    }
}

/// The value of `key=value` in a line.
fn word<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_says_where() {
        let line = "ready smtp=127.0.0.1:40001 http=127.0.0.1:40002 token=d/token";
        assert_eq!(word(line, "http"), Some("127.0.0.1:40002"));
        assert_eq!(word(line, "token"), Some("d/token"));
        assert_eq!(word(line, "mtp"), None);
    }
}
