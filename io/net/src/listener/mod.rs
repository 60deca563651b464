//! Taking mail: listens, admits, and holds a session with each client.

mod gate;
mod proxy;
mod refused;
mod session;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use postlane_mail::Instant;
use postlane_smtp::auth::{Nonce, Secret};
use postlane_smtp::server::{Login, Lookup, Pressure, Settings, Standing, Submission, Verdict};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time;

pub use gate::{Gate, Pass};
pub use refused::CannotListen;

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
    /// Load balancers, which say by a PROXY header (version 2) whose connection they pass on.
    /// From others none is taken.
    pub balancers: Vec<IpNet>,
}

/// Who takes what clients hand over.
pub trait Intake: Send + Sync + 'static {
    /// Makes a message durable, or refuses it; answers when that is done.
    fn submit(&self, submission: Submission) -> impl Future<Output = Verdict> + Send;

    /// Whether this is a user of ours.
    fn authenticate(
        &self,
        from: IpAddr,
        user: Box<str>,
        password: Secret,
    ) -> impl Future<Output = Login> + Send;

    /// What is kept of a user's password, and octets that nobody can foresee. What a client makes of it
    /// counts as a failure until it is proven.
    fn look_up(&self, from: IpAddr, user: &str) -> (Lookup, Nonce);

    /// Who was looked up for that client has proven to be the user.
    fn proven(&self, from: IpAddr);

    /// What of the message of such a client has come, in octets, is now so much; it was so much. Messages that
    /// are there wholly are not counted here.
    fn on_its_way(&self, standing: &Standing, was: usize, is: usize);

    /// Whether new mail can be taken now of such a client.
    fn pressure(&self, standing: &Standing) -> Pressure;

    /// The time.
    fn now(&self) -> Instant;

    /// A session has begun or been turned away at the door.
    fn admitted(&self, from: IpAddr, admitted: bool);
    /// The system lets nobody in at this address. Said once a minute at most.
    fn shut_out(&self, at: SocketAddr, why: &io::Error);
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
    let mut told: Option<time::Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let (stream, from) = match accepted {
            Ok(client) => client,
            Err(e) if has_gone(&e) => continue,
            // No descriptors are left, and will not be for a while: who asks again at once does
            // nothing else.
            Err(e) => {
                if told.is_none_or(|at| at.elapsed() >= SILENCE) {
                    told = Some(time::Instant::now());
                    socket.local_addr().iter().for_each(|at| intake.shut_out(*at, &e));
                }
                let _ = time::timeout(BREATH, stopping.wait_for(|stop| *stop)).await;
                continue;
            }
        };
        admit(stream, from, settings.borrow().clone(), &gate, &intake, &stop);
    }
}

/// How long nobody is let in after nobody could be. Chosen, not measured: sessions end meanwhile, and
/// a client waits no longer than it notices.
const BREATH: Duration = Duration::from_millis(50);

/// How long it is not said again.
const SILENCE: Duration = Duration::from_secs(60);

/// Whether it was the client, which has gone already; the next one may be luckier.
fn has_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How long a load balancer may take to say whose connection it passes on. It does so in the
/// first packet. Chosen, not measured.
const PROXY_PATIENCE: Duration = Duration::from_secs(10);

fn admit<I: Intake>(
    stream: TcpStream,
    from: SocketAddr,
    settings: ListenerSettings,
    gate: &Arc<Gate>,
    intake: &Arc<I>,
    stop: &watch::Receiver<bool>,
) {
    let (gate, intake, stop) = (gate.clone(), intake.clone(), stop.clone());
    let ip = from.ip().to_canonical();
    if settings.balancers.iter().any(|net| net.contains(&ip)) {
        tokio::spawn(async move {
            let mut stream = stream;
            let said = time::timeout(PROXY_PATIENCE, proxy::client_of(&mut stream)).await;
            // Whoever says nothing that makes sense is no balancer, and no client either.
            let Ok(Ok(client)) = said else { return };
            let client = client.map_or(ip, |client| client.to_canonical());
            enter(stream, client, settings, &gate, intake, stop);
        });
    } else {
        enter(stream, ip, settings, &gate, intake, stop);
    }
}

fn enter<I: Intake>(
    stream: TcpStream,
    client: IpAddr,
    settings: ListenerSettings,
    gate: &Arc<Gate>,
    intake: Arc<I>,
    stop: watch::Receiver<bool>,
) {
    let pass = gate.enter(client);
    intake.admitted(client, pass.is_some());
    let Some(pass) = pass else {
        tokio::spawn(turn_away(stream));
        return;
    };
    tokio::spawn(async move {
        // A broken connection is the client's business; what was said is in the log.
        let _ = session::hold(stream, client, &settings, &*intake, stop).await;
        drop(pass);
    });
}

/// Says so in one packet that fits any socket's buffer, and waits for nothing.
async fn turn_away(mut stream: TcpStream) {
    let _ = stream.write_all(b"421 4.7.0 Too many sessions, try again later\r\n").await;
}
