//! A model receiver as a real SMTP server: sockets, and wall time made as fast as is asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use postlane_net::listener::CannotListen;
use postlane_receivers::{ConnId, Ms, Scenario};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::dialogue::{Outcome, Said, Session, Then};
use super::house::House;
use crate::commands::serve::not_started;
use crate::exit::{Exit, Failure};
use crate::print;

/// Connections served at once; further ones wait. Chosen, not measured.
const SESSIONS_MAX: usize = 2_000;
/// How long a silent client is waited for (RFC 5321 §4.5.3.2.7), in wall time.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// What is told of what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Each answer, as it is given.
    EachAnswer,
    /// How often what was answered, at the end.
    TheSum,
}

/// What all sessions share.
struct Shared {
    house: Mutex<House>,
    begun: Instant,
    speed: f64,
    told: Told,
    sum: Mutex<BTreeMap<(Option<String>, u16), u64>>,
    room: Semaphore,
}

pub(super) fn run(
    scenario: &Scenario,
    seed: u64,
    address: SocketAddr,
    speed: f64,
    told: Told,
) -> Result<Exit, Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "{address} is not a loopback address, and what is sent to a model is thrown away: write --listen 127.0.0.1:2526"
        )));
    }
    let house = Mutex::new(House::new(scenario, seed));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Undetermined, e.to_string()))?;
    let listened = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let shared = Arc::new(Shared {
            house,
            begun: Instant::now(),
            speed,
            told,
            sum: Mutex::default(),
            room: Semaphore::new(SESSIONS_MAX),
        });
        print::line(&format!("ready smtp={}", listener.local_addr()?));
        until_told(listener, &shared).await?;
        shared.tell();
        Ok::<(), std::io::Error>(())
    });
    runtime.shutdown_background();
    let cannot = |why| CannotListen { address, setting: "--listen", why };
    listened.map_err(|why| not_started(&cannot(why).into()))?;
    Ok(Exit::Yes)
}

async fn until_told(listener: TcpListener, shared: &Arc<Shared>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            accepted = listener.accept() => {
                // Out of files, say: the next one may be luckier.
                let Ok((stream, peer)) = accepted else { continue };
                let shared = Arc::clone(shared);
                tokio::spawn(async move {
                    let Ok(_place) = shared.room.acquire().await else { return };
                    let _ = serve(&shared, stream, peer).await;
                });
            }
        }
    }
}

/// Tells the model that a connection has gone, however its session ends.
struct Opened<'s> {
    shared: &'s Shared,
    conn: ConnId,
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.house().receiver.close(now, self.conn);
    }
}

async fn serve(shared: &Shared, mut stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (said, session) = Session::begin(&mut shared.house(), shared.now(), peer.ip());
    let opened = session.as_ref().map(|session| Opened { shared, conn: session.conn });
    let then = shared.say(&mut stream, said).await?;
    let Some(mut session) = session.filter(|_| then == Then::GoOn) else {
        return stream.shutdown().await;
    };
    let mut octets = vec![0; 64 * 1024];
    loop {
        let said = session.next(&mut shared.house(), shared.now());
        if let Some(said) = said {
            if shared.say(&mut stream, said).await? == Then::Close {
                // The place is free when the reply has been seen.
                drop(opened);
                return stream.shutdown().await;
            }
            continue;
        }
        let read = tokio::time::timeout(SILENCE_MAX, stream.read(&mut octets)).await??;
        if read == 0 {
            return Ok(());
        }
        session.received(octets.get(..read).unwrap_or_default());
    }
}

impl Shared {
    /// The model's time.
    fn now(&self) -> Ms {
        Ms((self.begun.elapsed().as_secs_f64() * 1_000.0 * self.speed) as u64)
    }

    fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn say(&self, stream: &mut TcpStream, said: Said) -> std::io::Result<Then> {
        if said.after > Ms(0) {
            tokio::time::sleep(Duration::from_secs_f64(said.after.as_s_f64() / self.speed)).await;
        }
        if let Some(outcome) = said.outcome {
            self.count(outcome);
        }
        stream.write_all(said.text.as_bytes()).await?;
        Ok(said.then)
    }

    fn count(&self, outcome: Outcome) {
        if self.told == Told::EachAnswer {
            let house = self.house();
            print::json(&super::replay::Line::of_outcome(&outcome, house.name_of(outcome.source)));
        }
        let mut sum = self.sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *sum.entry((outcome.limit, outcome.code)).or_default() += 1;
    }

    fn tell(&self) {
        if self.told == Told::EachAnswer {
            return;
        }
        let sum = self.sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let rows = sum.iter().map(|((limit, code), times)| {
            let by = limit.clone().unwrap_or_else(|| "taken".to_owned());
            vec![by, code.to_string(), times.to_string()]
        });
        print::table(&["by", "code", "times"], rows);
    }
}
