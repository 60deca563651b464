//! One server, one destination that refuses, and what became of the messages.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::destination::{Destination, Refusing};
use super::timeline::Timeline;
use crate::bench::harness::{Load, Mailbench, Wire};
use crate::bench::server::{Postlane, Running, Server};

/// How often we look at how far a trial is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Lanes to loopback addresses do not learn unless they are told to.
const CONFIG: &str = "[lane]\nlearning = \"on\"\n";

/// One trial.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) server: Server,
    pub(super) refusing: Refusing,
    /// Messages that count.
    pub(super) messages: u64,
    /// Messages before them, from which a lane may learn.
    pub(super) lessons: u64,
    /// Whether the server is ended and started again: when half is delivered, or in the middle of
    /// the time.
    pub(super) restarts: bool,
    /// Ended after this at the latest, counted from the messages that count.
    pub(super) longest: Duration,
}

/// What became of it. Seconds count from the moment the messages that count were handed over.
pub(super) struct Told {
    pub(super) timeline: Timeline,
    /// When that was, in the seconds of the timeline.
    pub(super) begun_s: u64,
    /// When the trial was over, in the seconds of the timeline.
    pub(super) ended_s: u64,
    /// When the server was ended and started again, in the seconds of the timeline.
    pub(super) restarted_s: Option<u64>,
    pub(super) delivered: u64,
    pub(super) doubled: u64,
    /// Recipients that waited in the end; none where the server does not say.
    pub(super) queued: Option<u64>,
}

/// A server that runs.
enum Up {
    Postlane(Postlane),
    Postfix(Running),
}

impl Trial {
    /// Runs it, with everything in `folder`.
    pub(super) fn run(&self, mailbench: &Mailbench, folder: &Path) -> anyhow::Result<Told> {
        let all = self.lessons + self.messages;
        let to = Destination::start(mailbench, self.refusing, all, folder)?;
        let mut up = self.start(folder, to.address)?;
        if self.lessons > 0 {
            let lessons = load(self.lessons);
            mailbench.send(up.smtp(), lessons)?;
            let begun = Instant::now();
            while to.delivered() < self.lessons && begun.elapsed() < self.longest {
                thread::sleep(LOOK_EVERY);
            }
        }
        let (begun, begun_s) = (Instant::now(), to.now_s());
        mailbench.send_from(self.lessons, up.smtp(), load(self.messages))?;
        let mut restarted_s = None;
        while to.delivered() < all && begun.elapsed() < self.longest {
            let is_halfway = to.delivered() >= self.lessons + self.messages / 2
                || begun.elapsed() >= self.longest / 2;
            if self.restarts && is_halfway && restarted_s.is_none() {
                restarted_s = Some(to.now_s());
                up.stop()?;
                up = self.start(folder, to.address)?;
            }
            thread::sleep(LOOK_EVERY);
        }
        let queued = up.queued()?;
        up.stop()?;
        let ended_s = to.now_s();
        let seen = to.stop()?;
        let (delivered, doubled, timeline) = (seen.delivered, seen.doubled, seen.timeline);
        Ok(Told { timeline, begun_s, ended_s, restarted_s, delivered, doubled, queued })
    }

    fn start(&self, folder: &Path, to: SocketAddr) -> anyhow::Result<Up> {
        let Server::Postlane(binary) = &self.server else {
            return Ok(Up::Postfix(self.server.start(folder, to, &[])?));
        };
        let config = folder.join("postlane.toml");
        fs::write(&config, CONFIG)
            .with_context(|| format!("while writing {}", config.display()))?;
        let options = ["--config".to_owned(), config.display().to_string()];
        Ok(Up::Postlane(Postlane::start_configured(binary, folder, to, &options, &[])?))
    }
}

impl Up {
    fn smtp(&self) -> SocketAddr {
        match self {
            Self::Postlane(postlane) => postlane.running.smtp,
            Self::Postfix(running) => running.smtp,
        }
    }

    fn queued(&self) -> anyhow::Result<Option<u64>> {
        match self {
            Self::Postlane(postlane) => postlane.queued().map(Some),
            Self::Postfix(_) => Ok(None),
        }
    }

    fn stop(self) -> anyhow::Result<()> {
        let running = match self {
            Self::Postlane(postlane) => postlane.running,
            Self::Postfix(running) => running,
        };
        running.stop().map(drop)
    }
}

fn load(messages: u64) -> Load {
    Load { messages, size: 4096, sessions: 10, rate: None, wire: Wire::Data }
}
