//! One session with a host: octets to the machine and back.

use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use postlane_mail::Instant;
use postlane_smtp::client::{Client, SessionEnd, Step, Transaction};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time;
use tokio_rustls::{TlsConnector, TlsStream};

use super::connect::connect;
use super::{Call, End, Events, Order, SessionFacts};
use crate::stream::Stream;
use crate::tls;

/// Octets read at once: replies are short.
const READ_OCTETS: usize = 4 * 1024;

/// How long one write may take (RFC 5321 §4.5.3.2.5: 3 minutes for a block of data).
const WRITE_PATIENCE: Duration = Duration::from_secs(180);

/// How long a machine that waits for nothing sleeps between two looks at its deadline.
const LONG: Duration = Duration::from_secs(3600);

pub(super) async fn hold(
    call: Call,
    mut orders: UnboundedReceiver<Order>,
    mut events: impl Events,
) {
    let mut facts = SessionFacts { local: None, remote: call.address, tls: None, banner: None };
    let mut client = Client::new((call.now)(), call.smtp.clone());
    let end = match connect(call.source, call.address, call.connect_timeout).await {
        Ok(stream) => {
            facts.local = stream.local_addr().ok();
            let facts = &mut Arc::new(facts.clone());
            let mut held = Held {
                call: &call,
                client: &mut client,
                stream: Stream::Plain(stream),
                facts,
                told_to_quit: false,
            };
            let end = held.talk(&mut orders, &mut events).await;
            let known = held.facts.clone();
            give_back(&mut orders, &mut client, &mut events, &known, call.now.as_ref());
            return events.ended(End::Session(end), &known, client.transcript());
        }
        Err(error) => End::NotConnected(error),
    };
    let facts = Arc::new(facts);
    events.ended(end, &facts, client.transcript());
}

/// What was ordered and never begun.
fn give_back(
    orders: &mut UnboundedReceiver<Order>,
    client: &mut Client,
    events: &mut impl Events,
    facts: &Arc<SessionFacts>,
    now: &(dyn Fn() -> Instant + Send + Sync),
) {
    orders.close();
    while let Ok(order) = orders.try_recv() {
        if let Order::Begin(transaction) = order {
            client.begin(now(), transaction);
        }
    }
    while let Some(step) = client.poll() {
        if let Step::Finished(finished) = step {
            events.finished(finished, facts, client.transcript());
        }
    }
}

struct Held<'a> {
    call: &'a Call,
    client: &'a mut Client,
    stream: Stream,
    facts: &'a mut Arc<SessionFacts>,
    told_to_quit: bool,
}

impl Held<'_> {
    async fn talk(
        &mut self,
        orders: &mut UnboundedReceiver<Order>,
        events: &mut impl Events,
    ) -> SessionEnd {
        let mut buffer = vec![0; READ_OCTETS];
        let mut alarm = pin!(time::sleep(self.patience()));
        loop {
            if self.write_out().await.is_err() {
                self.client.closed();
            }
            if let Some(end) = self.steps(events).await {
                let _ = self.stream.shutdown().await;
                return end;
            }
            if !self.client.output().is_empty() {
                continue;
            }
            tokio::select! {
                biased;
                read = self.stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => self.client.closed(),
                    Ok(read) => self.client.received((self.call.now)(), &buffer[..read]),
                },
                order = orders.recv(), if !self.told_to_quit => self.obey(order, orders),
                () = &mut alarm => {
                    if self.client.deadline().is_some_and(|at| at <= (self.call.now)()) {
                        self.client.timed_out();
                    }
                    alarm.as_mut().reset(time::Instant::now() + self.patience());
                }
            }
            // Waiting for an answer that must come sooner than the alarm rings.
            let due = time::Instant::now() + self.patience();
            if due < alarm.deadline() {
                alarm.as_mut().reset(due);
            }
        }
    }

    /// Takes all orders that are there, so that they go out in one write.
    fn obey(&mut self, order: Option<Order>, orders: &mut UnboundedReceiver<Order>) {
        let now = (self.call.now)();
        let mut next = Some(order.unwrap_or(Order::Quit));
        while let Some(order) = next {
            match order {
                Order::Begin(transaction) => self.begin(now, transaction),
                Order::Quit => {
                    self.told_to_quit = true;
                    self.client.quit(now);
                }
            }
            next = orders.try_recv().ok();
        }
    }

    fn begin(&mut self, now: Instant, transaction: Transaction) {
        self.client.begin(now, transaction);
    }

    fn patience(&self) -> Duration {
        let now = (self.call.now)();
        let left =
            self.client.deadline().map(|at| Duration::from_millis(at.since(now).as_ms() + 1));
        left.unwrap_or(LONG)
    }

    /// Does what the machine wants done; the end, if this was it.
    async fn steps(&mut self, events: &mut impl Events) -> Option<SessionEnd> {
        while let Some(step) = self.client.poll() {
            match step {
                Step::StartTls => self.encrypt().await,
                Step::Ready => {
                    Arc::make_mut(self.facts).banner = self.client.banner().cloned();
                    events.opened(self.facts);
                }
                Step::Finished(finished) => {
                    events.finished(finished, self.facts, self.client.transcript());
                }
                Step::Close(end) => {
                    Arc::make_mut(self.facts).banner = self.client.banner().cloned();
                    return Some(end);
                }
            }
        }
        None
    }

    async fn encrypt(&mut self) {
        match self.handshake().await {
            Ok(()) => self.client.tls_started((self.call.now)()),
            Err(e) => self.client.tls_failed(&e.to_string()),
        }
    }

    async fn handshake(&mut self) -> io::Result<()> {
        let name = ServerName::try_from(self.call.host.trim_end_matches('.').to_owned())
            .unwrap_or_else(|_| ServerName::from(self.call.address.ip()));
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Moved) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let connector = TlsConnector::from(self.call.tls.0.clone());
        let handshake = time::timeout(WRITE_PATIENCE, connector.connect(name, stream)).await;
        let stream = handshake.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Arc::make_mut(self.facts).tls = Some(tls::facts(stream.get_ref().1));
        self.stream = Stream::Tls(Box::new(TlsStream::Client(stream)));
        Ok(())
    }

    async fn write_out(&mut self) -> io::Result<()> {
        let mut pieces = std::mem::take(self.client.output());
        if pieces.is_empty() {
            return Ok(());
        }
        let written = write_all(&mut self.stream, &mut pieces);
        time::timeout(WRITE_PATIENCE, written)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.stream.flush().await
    }
}

/// Writes all pieces, as many at once as the system takes.
async fn write_all(stream: &mut Stream, pieces: &mut [Bytes]) -> io::Result<()> {
    const AT_ONCE: usize = 64;
    let mut first = 0;
    while first < pieces.len() {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let many = (pieces.len() - first).min(AT_ONCE);
        for (slice, piece) in slices.iter_mut().zip(&pieces[first..]) {
            *slice = IoSlice::new(piece);
        }
        let mut written = stream.write_vectored(&slices[..many]).await?;
        if written == 0 && pieces[first..first + many].iter().any(|piece| !piece.is_empty()) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while first < pieces.len() && written >= pieces[first].len() {
            written -= pieces[first].len();
            first += 1;
        }
        if written > 0 {
            pieces[first].advance(written);
        }
    }
    Ok(())
}
