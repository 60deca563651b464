//! The hosts that refuse: mailbench's sink, with the rules of each.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use super::timeline::Timeline;
use crate::bench::harness::Mailbench;

/// Which destinations are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum Kind {
    /// Takes so many messages in a window, 421 at MAIL beyond.
    Beyond,
    /// Takes all on five connections, 421 at connect beyond.
    Crowds,
    /// 421 at every RCPT.
    Everything,
}

/// What a destination refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusing {
    /// At MAIL, what is more than so many messages in a window on the clock.
    Beyond { messages: u32, window_s: u32 },
    /// At the greeting, what is more than so many connections at once. It takes a tenth of a second
    /// for each message: else one connection would do.
    Crowds { connections: u32 },
    /// At RCPT, everything.
    Everything,
}

impl Refusing {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Beyond { .. } => Kind::Beyond,
            Self::Crowds { .. } => Kind::Crowds,
            Self::Everything => Kind::Everything,
        }
    }

    /// What the destination does, in words.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Beyond { messages, window_s } => {
                format!("takes {messages} in {window_s} s, 421 at MAIL beyond")
            }
            Self::Crowds { connections } => {
                format!("takes all on {connections} connections, 421 at connect beyond")
            }
            Self::Everything => "421 at every RCPT".to_owned(),
        }
    }

    /// The sink's rules.
    fn rules(self) -> Vec<String> {
        match self {
            Self::Beyond { messages, window_s } => vec![format!(
                "stage=mail;key=ip;limit={messages}/{window_s};reply=421 4.7.0 Too many messages have \
                 been received in a short period of time, reduce the sending rate"
            )],
            Self::Crowds { connections } => vec![
                format!(
                    "stage=connect;key=ip;maxconn={connections};reply=421 4.7.0 Too many concurrent \
                     connections from your host"
                ),
                "stage=eom;delay=100".to_owned(),
            ],
            Self::Everything => vec!["stage=rcpt;reply=421 4.7.0 Try again later".to_owned()],
        }
    }
}

/// A sink that runs; ended when dropped.
pub(super) struct Destination {
    child: Child,
    timeline: PathBuf,
    /// Where it listens.
    pub(super) address: SocketAddr,
    begun: Instant,
    delivered: Arc<AtomicU64>,
}

/// What a destination has seen in all.
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    /// Messages that came at least once.
    pub(super) delivered: u64,
    /// Messages that came more than once.
    pub(super) doubled: u64,
}

impl Destination {
    /// Starts it, with its timeline in `folder`.
    pub(super) fn start(
        mailbench: &Mailbench,
        refusing: Refusing,
        messages: u64,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let timeline = folder.join("timeline.csv");
        let mut child = mailbench.scripted(&refusing.rules(), messages, &timeline)?;
        let begun = Instant::now();
        let stderr = child.stderr.take().context("the sink has no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let address = first.rsplit(' ').next().and_then(|address| address.parse().ok());
        let delivered = Arc::new(AtomicU64::new(0));
        let count = delivered.clone();
        // Read to its end: a full pipe would stop the sink.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(n) = messages_in(&line) {
                    count.store(n, Relaxed);
                }
            }
        });
        match address {
            Some(address) => Ok(Self { child, timeline, address, begun, delivered }),
            None => {
                child.kill()?;
                anyhow::bail!("the sink did not say where it listens: {first:?}")
            }
        }
    }

    /// Seconds since its start, as its timeline counts them.
    pub(super) fn now_s(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }

    /// Messages taken so far, a second old at most.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Ends it and reads what it has seen.
    pub(super) fn stop(mut self) -> anyhow::Result<Seen> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let mut result = String::new();
        let stdout = self.child.stdout.as_mut().context("the sink has no stdout")?;
        stdout.read_to_string(&mut result)?;
        self.child.wait()?;
        let result: Value =
            serde_json::from_str(&result).context("while reading the sink's result")?;
        let of = |key: &str| result[key].as_u64().unwrap_or(0);
        let csv =
            fs::read_to_string(&self.timeline).context("while reading the sink's timeline")?;
        let doubled = of("ids_twice") + of("ids_more");
        Ok(Seen { timeline: Timeline::read(&csv)?, delivered: of("ids_once") + doubled, doubled })
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The count in a line like `7s messages=61 open=2`.
fn messages_in(line: &str) -> Option<u64> {
    line.split(' ').find_map(|word| word.strip_prefix("messages="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_the_sink_says() {
        assert_eq!(messages_in("7s messages=61 open=2"), Some(61));
        assert_eq!(messages_in("mailbench sink: accept: no"), None);
    }

    #[test]
    fn a_crowd_is_refused_at_the_greeting_alone() {
        let rules = Refusing::Crowds { connections: 5 }.rules();
        assert!(rules[0].starts_with("stage=connect;key=ip;maxconn=5;reply=421 "));
        assert_eq!(rules[1..], ["stage=eom;delay=100"]);
    }
}
