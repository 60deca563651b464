//! `postlane serve`: take mail, keep it safe, and deliver it.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use postlane_api::{DoorError, Doors, LedgerFeed, Token, router, serve as serve_api};
use postlane_dashboard::{Dashboard, SetupToken};
use postlane_mail::{Host, Instant};
use postlane_net::listener::CannotListen;
use postlane_net::route::Pattern;
use postlane_server::config::{Config, Overrides};
use postlane_server::handle::Reread;
use postlane_server::setup::Setup;
use postlane_server::{Clock, ClockMark, Ended, Server, claim, tell_of_faults, token_path};
use postlane_spool::OpenError;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::config::{refused, warn};
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::{Reach, socket_address};

/// What `serve` can be told for a quick start; a configuration file says more.
#[derive(Args)]
#[command(after_help = "Exit status:
  0   told to end, and ended well
  2   the command line is wrong
  75  something is in the way that may pass by itself: a port or a directory in use, a full disk;
      or the spool or a thread had failed, and no mail was taken any more
  78  the configuration is wrong, or what it names: nothing starts until it is changed")]
pub(crate) struct Serve {
    /// The configuration file; without one, the defaults apply
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take mail there [default: 127.0.0.1:2525]; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket_address)]
    pub(crate) smtp: Vec<SocketAddr>,
    /// Serve the HTTP API there [default: 127.0.0.1:8025]; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket_address)]
    pub(crate) http: Option<SocketAddr>,
    /// Ask this DNS resolver rather than the system's
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket_address)]
    pub(crate) resolver: Vec<SocketAddr>,
    /// The port of MX hosts [default: 25]
    #[arg(long, value_name = "PORT")]
    pub(crate) mx_port: Option<u16>,
    /// Send what matches PATTERN to that host, without looking at MX records; `*` is all
    #[arg(long, value_name = "PATTERN=HOST:PORT", value_parser = route)]
    pub(crate) route: Vec<String>,
    /// Seed of all chance (shuffles, jitter), for a run that can be repeated
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Begin as if it were that moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<jiff::Timestamp>,
    /// Let the server's time run so many times faster, to try it on a model receiver; only where
    /// every listener, and every route, one of them for `*`, is on loopback
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) clock_speed: Option<u32>,
}

pub(crate) fn run(reach: &Reach, serve: Serve) -> Result<Exit, Failure> {
    tell_of_faults();
    let overrides = overrides(reach, &serve);
    let config = match Config::load(serve.config.as_deref(), &overrides) {
        Ok(config) => config,
        Err(error) => return Ok(refused(&error, reach.json)),
    };
    warn(config.warnings());
    let mut setup = setup(&config, &serve).map_err(|e| Failure::usage(format!("{e:#}")))?;
    if serve.now.is_none() {
        go_on(&mut setup, serve.clock_speed)?;
    }
    let reread = Reread(Box::new(move || Config::load(serve.config.as_deref(), &overrides)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Undetermined, e.to_string()))?;
    let served = runtime.block_on(until_told(setup, config, reread));
    // What still runs are threads that wait for a disk or a peer: nothing of theirs is lost.
    runtime.shutdown_background();
    Ok(match served.map_err(|e| not_started(&e))? {
        Ended::Sound => Exit::Yes,
        Ended::Broken => Exit::TryAgain,
    })
}

/// Why a server did not start, with the exit status that tells a service manager whether to try
/// again: what another program or the disk is to blame for may be gone the next time, what stands
/// in the configuration is not.
pub(crate) fn not_started(error: &anyhow::Error) -> Failure {
    let is_for_good = error.chain().any(|cause| {
        let listening = cause.downcast_ref::<CannotListen>();
        let opening = cause.downcast_ref::<OpenError>();
        let path = cause.downcast_ref::<DoorError>();
        listening.is_some_and(|e| e.why.kind() == ErrorKind::PermissionDenied)
            || matches!(opening, Some(OpenError::Later { .. } | OpenError::OutOfBounds { .. }))
            || matches!(path, Some(DoorError::Control { why, .. }) if why.kind() == ErrorKind::InvalidInput)
    });
    let exit = if is_for_good { Exit::Configuration } else { Exit::TryAgain };
    Failure::new(exit, format!("{error:#}"))
}

/// Makes the data directory so that nobody else may read it: mail is in it.
fn make_data(data: &Path) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data).with_context(|| {
        let at = path::absolute(data).unwrap_or_else(|_| data.to_owned());
        format!("cannot make the data directory {}; --data DIR names another", at.display())
    })
}

async fn until_told(setup: Setup, config: Config, reread: Reread) -> anyhow::Result<Ended> {
    let signals = Signals::hear().context("the system's signals cannot be heard")?;
    let data = setup.data.clone();
    make_data(&data)?;
    let lock = claim(&data)?;
    let doors = open_doors(setup.http, &data).await?;
    let address = doors.address()?;
    let path = token_path(&data);
    let token = Token::load_or_create(&path, random()?)?;
    let server = Server::start(lock, setup, config, reread).await?;
    if let Some(past) = server.handle().past() {
        server.handle().tell_webhooks(Arc::new(LedgerFeed::new(past)));
    }
    server.handle().remember_lanes();
    let api = router(server.handle(), token);
    let setup = SetupToken::of(&data);
    let first = is_first(&server, &setup).await;
    let dashboard = Dashboard { handle: server.handle(), setup: setup.clone() };
    let http = api.merge(postlane_dashboard::router(dashboard));
    let stop = watch::Sender::new(false);
    let serving = tokio::spawn(serve_api(doors, http, stop.subscribe()));
    ready(&server, address, &path);
    if first {
        server.handle().tell_first_sign_in(&format!("http://{address}/setup"), setup.path());
    }
    signals.follow(&server).await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    // First mail, then the API: whoever watches sees the end of it.
    let ended = server.stop().await;
    stop.send_replace(true);
    serving.await?;
    Ok(ended)
}

/// The doors of the API, before any mail moves: a server that ends since somebody else listens there
/// must not cut off what it has begun to send.
async fn open_doors(http: SocketAddr, data: &Path) -> anyhow::Result<Doors> {
    let setting = "--http, or http.address";
    Doors::open(http, &data.join("control.sock")).await.map_err(|e| match e {
        DoorError::Http(why) => CannotListen { address: http, setting, why }.into(),
        other => anyhow::Error::new(other),
    })
}

/// Whether nobody can sign in at the dashboard yet: then there is a token to make the first admin
/// with, and else there is none. A registry that cannot be read is no reason not to send mail.
async fn is_first(server: &Server, setup: &SetupToken) -> bool {
    let users = server.handle().registry(|db| db.users()).await;
    let is_first = users.is_ok_and(|users| users.is_empty());
    let done = if is_first { setup.make() } else { setup.remove() };
    done.inspect_err(|why| print::error(&why.to_string())).is_ok() && is_first
}

fn ready(server: &Server, http: SocketAddr, token: &Path) {
    let handle = server.handle();
    let smtp: Vec<String> = handle.smtp_addresses().iter().map(ToString::to_string).collect();
    print::line(&format!("ready smtp={} http={http} token={}", smtp.join(","), token.display()));
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// What the system tells us. It is heard from the start on: a SIGHUP that nobody listens to
/// would be the end.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn hear() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Reloads on SIGHUP; comes back on SIGTERM or SIGINT.
    async fn follow(mut self, server: &Server) {
        loop {
            tokio::select! {
                // What came of it is in the log.
                _ = self.hangup.recv() => drop(server.handle().reload().await),
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
            }
        }
    }
}

/// Both sides of a route; what they are is the configuration's to judge.
fn route(text: &str) -> Result<String, String> {
    let sides = text.split_once('=').filter(|(pattern, to)| !pattern.is_empty() && !to.is_empty());
    let wanted =
        "a route is a pattern and a host: `*=127.0.0.1:2526`, `example.net=mx.example.org:25`";
    sides.map(|_| text.to_owned()).ok_or_else(|| wanted.to_owned())
}

/// What the flags say, which beats the file.
fn overrides(reach: &Reach, serve: &Serve) -> Overrides {
    Overrides {
        data: reach.data.clone(),
        smtp: serve.smtp.clone(),
        http: serve.http,
        resolver: serve.resolver.clone(),
        mx_port: serve.mx_port,
        route: serve.route.clone(),
        hurried: serve.clock_speed.is_some(),
    }
}

fn setup(config: &Config, serve: &Serve) -> anyhow::Result<Setup> {
    let mut setup = Setup::of(config);
    setup.seed = match serve.seed {
        Some(seed) => seed,
        None => u64::from_le_bytes(*random()?.first_chunk().context("32 octets hold 8")?),
    };
    if let Some(now) = serve.now {
        let since_epoch = u64::try_from(now.as_microsecond()).context("--now is before 1970")?;
        setup.clock = Clock::starting_at(Instant(since_epoch));
    }
    if let Some(speed) = serve.clock_speed {
        stays_here(&setup)?;
        setup.clock = setup.clock.faster(speed);
    }
    Ok(setup)
}

/// Where a clock of our own has run before, time may have come further than the machine's: one that
/// runs faster goes on from there, and the machine's would meet its own future.
fn go_on(setup: &mut Setup, speed: Option<u32>) -> Result<(), Failure> {
    let mark = ClockMark::of(&setup.data);
    let Some(reached) = mark.read().filter(|reached| *reached > setup.clock.now()) else {
        return Ok(());
    };
    let Some(speed) = speed else {
        let says = mark.says(reached, setup.clock.now());
        return Err(Failure::new(Exit::Configuration, says));
    };
    setup.clock = Clock::starting_at(reached).faster(speed);
    Ok(())
}

/// Nobody else's server is to be hurried: all mail comes from this machine and stays on it.
fn stays_here(setup: &Setup) -> anyhow::Result<()> {
    let listeners = setup.listeners.iter().map(|listener| listener.address);
    let elsewhere = listeners.chain([setup.http]).find(|address| !address.ip().is_loopback());
    if let Some(address) = elsewhere {
        bail!("--clock-speed is for loopback only, and {address} is not: listen on 127.0.0.1");
    }
    let is_here = |host: &Host| matches!(host, Host::Literal(at) if at.is_loopback());
    let is_for_all = setup.routes.iter().any(|(pattern, _)| *pattern == Pattern::All);
    if !is_for_all || !setup.routes.iter().all(|(_, target)| is_here(&target.host)) {
        bail!(
            "--clock-speed is for loopback only, and some mail may go elsewhere: route all of it to an address of this machine, as by --route '*=127.0.0.1:2526'"
        );
    }
    Ok(())
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut octets = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut octets))
        .context("the system gives no random octets")?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_go_by_itself_is_tried_again_and_what_somebody_must_change_is_not() {
        let address = SocketAddr::from(([127, 0, 0, 1], 25));
        let listening = |kind: ErrorKind| {
            anyhow::Error::new(CannotListen { address, setting: "--smtp", why: kind.into() })
        };
        let dir = PathBuf::from("spool");
        let later = OpenError::Later { dir: dir.clone(), segment: 1 };
        let in_use = OpenError::InUse { dir, holder: "7".to_owned() };
        for error in [listening(ErrorKind::PermissionDenied), later.into()] {
            assert_eq!(not_started(&error.context("at the start")).exit(), Exit::Configuration);
        }
        for error in [listening(ErrorKind::AddrInUse), in_use.into(), anyhow::anyhow!("no DNS")] {
            assert_eq!(not_started(&error.context("at the start")).exit(), Exit::TryAgain);
        }
    }
}
