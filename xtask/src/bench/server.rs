//! The servers that are measured: Postlane, and Debian's Postfix beside it.

mod postfix;
mod postlane;

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::process;
pub(super) use postlane::Postlane;

/// Longest wait for a server to come up or to end.
const PATIENCE: Duration = Duration::from_secs(120);
/// Wait between two looks at whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Which server.
#[derive(Clone)]
pub(super) enum Server {
    /// The binary at that path.
    Postlane(PathBuf),
    /// The same, with more options to `serve`.
    Configured(PathBuf, Vec<String>),
    /// Debian's package with its default configuration.
    Postfix,
}

impl Server {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Postlane(_) | Self::Configured(..) => "Postlane",
            Self::Postfix => "Postfix",
        }
    }

    /// Starts it in `folder`, sending everything to `to`; `wrapper` is a command to run it under.
    pub(super) fn start(
        &self,
        folder: &Path,
        to: SocketAddr,
        wrapper: &[String],
    ) -> anyhow::Result<Running> {
        match self {
            Self::Postlane(binary) => Ok(Postlane::start(binary, folder, to, wrapper)?.running),
            Self::Configured(binary, options) => {
                let started = Postlane::start_configured(binary, folder, to, options, wrapper)?;
                Ok(started.running)
            }
            Self::Postfix => postfix::start(folder, to, wrapper),
        }
    }
}

/// A server that runs; ended when dropped.
pub(super) struct Running {
    child: Child,
    /// What we started: the server itself, or a tracer with the server as its child.
    top: Top,
    /// Where it takes mail.
    pub(super) smtp: SocketAddr,
}

/// What stands at the top of a server's processes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    Server,
    Tracer,
}

impl Top {
    fn of(wrapper: &[String]) -> Self {
        if wrapper.is_empty() { Self::Server } else { Self::Tracer }
    }
}

impl Running {
    /// The process at the top of all of the server's.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits.
    pub(super) fn stop(mut self) -> anyhow::Result<ExitStatus> {
        // A tracer blocks signals while it has somebody to trace.
        let at = usize::from(self.top == Top::Tracer);
        let server = process::all_of(self.pid()).get(at).copied();
        let status =
            Command::new("kill").arg(server.unwrap_or_else(|| self.pid()).to_string()).status()?;
        anyhow::ensure!(status.success(), "the server had ended already");
        wait_for("the server to end", || Ok(self.child.try_wait()?))
    }

    /// Ends it at once, as a crash would.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `stop` and `kill` nobody is left, and nobody hears of an error here.
        if let Ok(None) = self.child.try_wait() {
            let pids = process::all_of(self.pid()).into_iter().map(|pid| pid.to_string());
            let _ = Command::new("kill").arg("-KILL").args(pids).status();
            let _ = self.child.wait();
        }
    }
}

/// `program` to be run under `wrapper`, its stderr in a log in `folder`.
fn command(wrapper: &[String], program: &Path, folder: &Path) -> anyhow::Result<Command> {
    let mut words = wrapper.iter();
    let mut command = match words.next() {
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(program);
            command
        }
        None => Command::new(program),
    };
    let log = folder.join("stderr.log");
    let log = File::create(&log).with_context(|| format!("while creating {}", log.display()))?;
    command.stdin(Stdio::null()).stderr(log);
    Ok(command)
}

/// Waits until `look` finds something, for as long as our patience lasts.
fn wait_for<T>(
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(found);
        }
        thread::sleep(LOOK_EVERY);
    }
    anyhow::bail!("waited {} s for {what}", PATIENCE.as_secs())
}

/// A port of the loopback that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// An address where nobody listens.
pub(super) fn unreachable_address() -> anyhow::Result<SocketAddr> {
    free_address()
}

/// Waits until somebody listens there.
fn wait_for_listener(address: SocketAddr, child: &mut Child) -> anyhow::Result<()> {
    wait_for("the server to listen", || {
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("the server ended ({status}) instead of listening");
        }
        Ok(TcpStream::connect(address).ok().map(drop))
    })
}
