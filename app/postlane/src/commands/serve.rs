//! `postlane serve`: take mail, keep it safe, and deliver it.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use postlane_api::{Doors, Token, router, serve as serve_api};
use postlane_mail::{Domain, Instant};
use postlane_net::route::{StaticRoute, StaticRoutes};
use postlane_server::handle::Reread;
use postlane_server::setup::{ListenerSetup, Setup};
use postlane_server::{Clock, Server, token_path};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::{Reach, Serve};
use crate::exit::{Exit, Failure};
use crate::print;

pub(crate) fn run(reach: &Reach, serve: Serve) -> Result<Exit, Failure> {
    let data = reach.data.clone().unwrap_or_else(|| PathBuf::from("postlane-data"));
    let setup = setup(&data, &serve).map_err(|e| Failure::usage(format!("{e:#}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Undetermined, e.to_string()))?;
    let served = runtime.block_on(until_told(&data, setup, serve));
    // What still runs are threads that wait for a disk or a peer: nothing of theirs is lost.
    runtime.shutdown_background();
    served.map_err(|e| Failure::usage(format!("{e:#}")))?;
    Ok(Exit::Yes)
}

async fn until_told(data: &Path, setup: Setup, serve: Serve) -> anyhow::Result<()> {
    fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let http = setup.http;
    let again = data.to_owned();
    let reread =
        Reread(Box::new(move || self::setup(&again, &serve).map_err(|e| format!("{e:#}"))));
    let server = Server::start(setup, reread).await?;
    let token = token_path(data);
    let doors = Doors::open(http, &data.join("control.sock")).await;
    let doors = doors.with_context(|| {
        format!("cannot serve HTTP on {http}: is another server there? (--http, or http.address)")
    })?;
    let api = router(server.handle(), Token::load_or_create(&token, random()?)?);
    let address = doors.address()?;
    let stop = watch::Sender::new(false);
    let serving = tokio::spawn(serve_api(doors, api, stop.subscribe()));
    ready(&server, address, &token);
    follow_signals(&server).await?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    // First mail, then the API: whoever watches sees the end of it.
    server.stop().await;
    stop.send_replace(true);
    serving.await??;
    Ok(())
}

fn ready(server: &Server, http: SocketAddr, token: &Path) {
    let handle = server.handle();
    let smtp: Vec<String> = handle.smtp_addresses().iter().map(ToString::to_string).collect();
    print::line(&format!("ready smtp={} http={http} token={}", smtp.join(","), token.display()));
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// Reloads on SIGHUP; comes back on SIGTERM or SIGINT.
async fn follow_signals(server: &Server) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = hangup.recv() => match server.handle().reload().await {
                Ok(report) => {
                    let restart = report.need_restart.iter().map(|name| format!("{name} needs a restart"));
                    print::note("the configuration was read again");
                    restart.for_each(|says| print::note(&says));
                }
                Err(error) => print::error(&format!("the configuration was not changed: {error}")),
            },
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

fn setup(data: &Path, serve: &Serve) -> anyhow::Result<Setup> {
    let mut setup = Setup::new(data.to_owned(), hostname());
    if !serve.smtp.is_empty() {
        setup.listeners = serve.smtp.iter().map(|address| ListenerSetup::plain(*address)).collect();
    }
    setup.http = serve.http.unwrap_or(setup.http);
    setup.resolvers.clone_from(&serve.resolver);
    setup.mx_port = serve.mx_port.unwrap_or(setup.mx_port);
    let routes = serve.route.iter().map(|text| StaticRoute::parse(text));
    setup.routes = StaticRoutes::new(routes.collect::<Result<_, _>>()?)?;
    setup.seed = match serve.seed {
        Some(seed) => seed,
        None => u64::from_le_bytes(*random()?.first_chunk().context("32 octets hold 8")?),
    };
    if let Some(now) = serve.now {
        let since_epoch = u64::try_from(now.as_microsecond()).context("--now is before 1970")?;
        setup.clock = Clock::starting_at(Instant(since_epoch));
    }
    Ok(setup)
}

/// The machine's name, where it has one that can be said in EHLO.
fn hostname() -> Domain {
    let name = rustix::system::uname();
    let name = name.nodename().to_str().ok().and_then(|name| Domain::parse(name).ok());
    name.unwrap_or_else(|| Domain::parse("localhost").expect("it is a name"))
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut octets = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut octets))
        .context("the system gives no random octets")?;
    Ok(octets)
}
