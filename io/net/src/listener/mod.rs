//! Taking mail: listens, admits, and holds a session with each client.

mod gate;
mod session;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use postlane_mail::Instant;
use postlane_smtp::server::{Identity, Pressure, Settings, Submission, Verdict};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use gate::{Gate, Pass};

/// What a listener does with whoever comes.
#[derive(Clone)]
pub struct ListenerSettings {
    /// What is said in its sessions.
    pub smtp: Arc<Settings>,
    /// Certificate and key, where STARTTLS is offered or TLS is spoken from the start.
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS is spoken from the start (RFC 8314 §3.3).
    pub implicit_tls: bool,
    /// Networks that may relay.
    pub neighbours: Vec<IpNet>,
}

/// Who takes what clients hand over.
pub trait Intake: Send + Sync + 'static {
    /// Makes a message durable, or refuses it; answers when that is done.
    fn submit(&self, submission: Submission) -> impl Future<Output = Verdict> + Send;

    /// Whether this is a user of ours.
    fn authenticate(
        &self,
        user: Box<str>,
        password: Box<str>,
    ) -> impl Future<Output = Option<Identity>> + Send;

    /// Whether new mail can be taken now.
    fn pressure(&self) -> Pressure;

    /// The time.
    fn now(&self) -> Instant;

    /// A session has begun or been turned away at the door.
    fn admitted(&self, from: IpAddr, admitted: bool);
}

/// Admits clients until `stop` is true. Sessions that are open then finish their message.
pub async fn listen<I: Intake>(
    socket: TcpListener,
    settings: watch::Receiver<ListenerSettings>,
    gate: Arc<Gate>,
    intake: Arc<I>,
    stop: watch::Receiver<bool>,
) {
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        // Out of descriptors, or a client that has gone already: the next one may be luckier,
        // and a moment's pause keeps this from spinning.
        let Ok((stream, from)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        admit(stream, from, settings.borrow().clone(), &gate, &intake, &stop);
    }
}

fn admit<I: Intake>(
    stream: TcpStream,
    from: SocketAddr,
    settings: ListenerSettings,
    gate: &Arc<Gate>,
    intake: &Arc<I>,
    stop: &watch::Receiver<bool>,
) {
    let pass = gate.enter(from.ip());
    intake.admitted(from.ip(), pass.is_some());
    let Some(pass) = pass else {
        tokio::spawn(turn_away(stream));
        return;
    };
    let (intake, stop) = (intake.clone(), stop.clone());
    tokio::spawn(async move {
        // A broken connection is the client's business; what was said is in the log.
        let _ = session::hold(stream, from, &settings, &*intake, stop).await;
        drop(pass);
    });
}

/// Says so in one packet that fits any socket's buffer, and waits for nothing.
async fn turn_away(mut stream: TcpStream) {
    let _ = stream.write_all(b"421 4.7.0 Too many sessions, try again later\r\n").await;
}
