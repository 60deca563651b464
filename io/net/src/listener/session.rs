//! One client's session: octets to the machine and back.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use postlane_mail::Instant;
use postlane_smtp::server::{Lookup, Peer, Pressure, Server, Standing, Step};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{self, Sleep};
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::{Intake, ListenerSettings};
use crate::stream::Stream;
use crate::tls;

/// Octets read at once: a message of the usual size in one read.
const READ_OCTETS: usize = 16 * 1024;

/// How long a handshake may take, and one write. Chosen as RFC 5321 §4.5.3.2.7's idle time is.
const PATIENCE: Duration = Duration::from_secs(300);

/// Holds the session of a client with that address.
pub(super) async fn hold<I: Intake>(
    stream: TcpStream,
    ip: IpAddr,
    settings: &ListenerSettings,
    intake: &I,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let neighbour = settings.neighbours.iter().any(|net| net.contains(&ip));
    let mut stream = Stream::Plain(stream);
    let mut facts = None;
    if settings.implicit_tls {
        let (encrypted, agreed) = encrypt(stream, settings).await?;
        stream = encrypted;
        facts = Some(agreed);
    }
    let peer = Peer { ip, neighbour, tls: facts };
    let mut server = Server::new(intake.now(), settings.smtp.clone(), peer);
    let mut on_its_way = OnItsWay::nothing(intake, &server);
    let mut buffer = vec![0; READ_OCTETS];
    let mut stopping = pin!(stop.wait_for(|stop| *stop));
    let mut told_to_stop = false;
    let mut claim = Claim { intake, ip, is_open: false };
    // Set anew only when it fires too early: most reads come long before their time is up.
    let mut alarm = pin!(time::sleep(until(intake.now(), server.deadline())));
    loop {
        let step = server.poll();
        // What was said of the envelope waits for what is said of the message, and goes with it.
        if !matches!(step, Some(Step::Message(_))) {
            write_out(&mut stream, &mut server).await?;
        }
        match step {
            Some(Step::Message(submission)) => {
                let verdict = intake.submit(*submission).await;
                server.answered(intake.now(), &verdict);
                continue;
            }
            Some(Step::Authenticate { user, password }) => {
                let login = intake.authenticate(ip, user, password).await;
                server.authenticated(intake.now(), login);
                continue;
            }
            Some(Step::Lookup { user }) => {
                claim.look_up(&user, &mut server);
                continue;
            }
            Some(Step::StartTls) => {
                let (encrypted, agreed) = encrypt(stream, settings).await?;
                stream = encrypted;
                server.tls_started(intake.now(), agreed);
                continue;
            }
            Some(Step::Close) => return hang_up(stream).await,
            None => {}
        }
        let read = tokio::select! {
            biased;
            read = stream.read(&mut buffer) => read?,
            () = &mut alarm => {
                ring(intake.now(), &mut server, alarm.as_mut());
                continue;
            }
            _ = &mut stopping, if !told_to_stop => {
                told_to_stop = true;
                server.set_pressure(Pressure::Closing);
                continue;
            }
        };
        if read == 0 {
            return Ok(());
        }
        let pressed = intake.pressure(server.standing());
        server.set_pressure(if told_to_stop { Pressure::Closing } else { pressed });
        server.received(intake.now(), &buffer[..read]);
        claim.notice(&server);
        on_its_way.amounts_to(server.standing(), server.message_octets());
    }
}

/// Who a client says that it is, by SCRAM: what proves it comes later, if at all.
struct Claim<'a, I: Intake> {
    intake: &'a I,
    ip: IpAddr,
    /// A user was looked up, and nothing is proven.
    is_open: bool,
}

impl<I: Intake> Claim<'_, I> {
    fn look_up(&mut self, user: &str, server: &mut Server) {
        let (lookup, nonce) = self.intake.look_up(self.ip, user);
        self.is_open = matches!(lookup, Lookup::Found(..));
        server.looked_up(self.intake.now(), lookup, nonce);
    }

    /// Tells when it has been proven.
    fn notice(&mut self, server: &Server) {
        if self.is_open && server.standing().identity().is_some() {
            self.is_open = false;
            self.intake.proven(self.ip);
        }
    }
}

/// Octets of a message that is not here wholly yet, and that intake knows of.
struct OnItsWay<'a, I: Intake> {
    intake: &'a I,
    /// Whose they count as.
    standing: Standing,
    octets: usize,
}

impl<'a, I: Intake> OnItsWay<'a, I> {
    fn nothing(intake: &'a I, server: &Server) -> Self {
        Self { intake, standing: server.standing().clone(), octets: 0 }
    }

    fn amounts_to(&mut self, standing: &Standing, octets: usize) {
        if *standing != self.standing {
            self.intake.on_its_way(&self.standing, self.octets, 0);
            self.octets = 0;
            self.standing = standing.clone();
        }
        if octets != self.octets {
            self.intake.on_its_way(&self.standing, self.octets, octets);
            self.octets = octets;
        }
    }
}

impl<I: Intake> Drop for OnItsWay<'_, I> {
    fn drop(&mut self) {
        self.intake.on_its_way(&self.standing, self.octets, 0);
    }
}

async fn write_out(stream: &mut Stream, server: &mut Server) -> io::Result<()> {
    let output = server.output();
    if output.is_empty() {
        return Ok(());
    }
    let written = time::timeout(PATIENCE, stream.write_all(output)).await;
    output.clear();
    written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.flush().await
}

/// Who does not read what was said last need not hear that it was the last.
async fn hang_up(mut stream: Stream) -> io::Result<()> {
    time::timeout(PATIENCE, stream.shutdown()).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// The alarm rings: the time is up, or it has been put off meanwhile.
fn ring(now: Instant, server: &mut Server, alarm: std::pin::Pin<&mut Sleep>) {
    if server.deadline() <= now {
        server.timed_out(now);
    }
    alarm.reset(time::Instant::now() + until(now, server.deadline()));
}

/// Timers count in milliseconds: rounded up, so that they do not ring before their time.
fn until(now: Instant, at: Instant) -> Duration {
    Duration::from_millis(at.since(now).as_ms() + 1)
}

async fn encrypt(
    stream: Stream,
    settings: &ListenerSettings,
) -> io::Result<(Stream, postlane_smtp::server::TlsFacts)> {
    let (Stream::Plain(stream), Some(config)) = (stream, &settings.tls) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let handshake = TlsAcceptor::from(config.clone()).accept(stream);
    let encrypted = time::timeout(PATIENCE, handshake)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let facts = tls::facts(encrypted.get_ref().1);
    Ok((Stream::Tls(Box::new(TlsStream::Server(encrypted))), facts))
}
