//! One session with a host: octets to the machine and back.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use postlane_mail::{Instant, Span};
use postlane_smtp::auth::Nonce;
use postlane_smtp::client::{Client, SessionEnd, Step};
use rustls_pki_types::ServerName;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{self, Sleep};
use tokio_rustls::{TlsConnector, TlsStream};

use super::connect::{ConnectError, connect};
use super::wire::{Turn, Wire};
use super::{Call, End, Events, Order, SessionFacts};
use crate::stream::Stream;
use crate::tls;

/// How long a machine that waits for nothing sleeps.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// How many octets a host must take in a second, on the whole: one that takes less holds a
/// session for nothing. Chosen, not measured.
const OCTETS_PER_S_MIN: u64 = 1000;

/// What is known of a session before anything has happened.
pub(super) fn unknown(call: &Call) -> SessionFacts {
    SessionFacts {
        connect_took: Span::ZERO,
        local: None,
        remote: call.address,
        tls: None,
        tls_fault: None,
        banner: None,
        greeted_after: None,
    }
}

pub(super) async fn hold(
    call: Call,
    mut orders: UnboundedReceiver<Order>,
    events: &mut impl Events,
) {
    let began = (call.now)();
    let (connection, nonce) = match nonce(&call) {
        Ok(nonce) => (connect(call.source, call.address, call.connect_timeout).await, nonce),
        Err(error) => (Err(error), Nonce([0; 18])),
    };
    let now = (call.now)();
    let mut facts = SessionFacts { connect_took: now.since(began), ..unknown(&call) };
    let mut client = Client::new(now, call.smtp.clone(), nonce);
    let (facts, end) = match connection {
        Ok(stream) => {
            facts.local = stream.local_addr().ok();
            let wire = Wire::new(Stream::Plain(stream));
            let facts = Arc::new(facts);
            let mut held = Held {
                call: &call,
                client,
                wire,
                facts,
                write_until: None,
                armed: Instant::MAX,
                ordered: true,
            };
            let end = held.talk(&mut orders, events).await;
            let Held { client: talked, wire, facts, .. } = held;
            client = talked;
            let patience = client.timeouts().quit.to_std();
            // Nothing is lost if the host does not let us say goodbye.
            let _ = time::timeout(patience, wire.close()).await;
            (facts, End::Session(end))
        }
        Err(error) => {
            client.closed(0);
            (Arc::new(facts), End::NotConnected(error))
        }
    };
    give_back(&mut orders, &mut client, events, &facts, (call.now)());
    events.ended(end, &facts, &client.transcript());
}

/// What was ordered and never begun.
fn give_back(
    orders: &mut UnboundedReceiver<Order>,
    client: &mut Client,
    events: &mut impl Events,
    facts: &Arc<SessionFacts>,
    now: Instant,
) {
    orders.close();
    while let Ok(order) = orders.try_recv() {
        if let Order::Begin(transaction) = order {
            client.begin(now, *transaction);
        }
    }
    while let Some(step) = client.poll() {
        if let Step::Finished(finished) = step {
            events.finished(*finished, facts);
        }
    }
}

/// Where somebody is to be authenticated, what nobody can foresee.
fn nonce(call: &Call) -> Result<Nonce, ConnectError> {
    let mut octets = [0; 18];
    if call.smtp.auth.is_some() {
        let random = call.tls.config.crypto_provider().secure_random;
        random
            .fill(&mut octets)
            .map_err(|_| ConnectError::Other("the system gives no random octets".to_owned()))?;
    }
    Ok(Nonce(octets))
}

struct Held<'a> {
    call: &'a Call,
    client: Client,
    wire: Wire,
    facts: Arc<SessionFacts>,
    /// While the host does not take what there is: until when it must take some of it, and all.
    write_until: Option<(Instant, Instant)>,
    /// When the alarm rings, at the latest.
    armed: Instant,
    /// Whether somebody is there to give orders.
    ordered: bool,
}

impl Held<'_> {
    async fn talk(
        &mut self,
        orders: &mut UnboundedReceiver<Order>,
        events: &mut impl Events,
    ) -> SessionEnd {
        let mut alarm = pin!(time::sleep(LONG));
        loop {
            self.wire.put(self.client.output());
            if let Some(end) = self.steps(events).await {
                return end;
            }
            if !self.client.output().is_empty() {
                continue;
            }
            self.arm(alarm.as_mut());
            tokio::select! {
                biased;
                turn = self.wire.turn() => self.turned(&turn),
                order = orders.recv(), if self.ordered => self.obey(order, orders),
                () = &mut alarm => self.ring(alarm.as_mut()),
            }
        }
    }

    fn turned(&mut self, turn: &Turn) {
        let now = (self.call.now)();
        match turn {
            Turn::Read(octets) => self.client.received(now, self.wire.read(*octets)),
            Turn::Closed => self.client.closed(self.wire.unsent()),
            Turn::Taken => {}
            Turn::Sent => self.client.sent(now),
        }
        let block = now + self.client.timeouts().block;
        self.write_until = match (self.wire.is_blocked(), self.write_until) {
            (false, _) => None,
            (true, Some((_, all))) if matches!(turn, Turn::Taken) => Some((block, all)),
            (true, Some(until)) => Some(until),
            (true, None) => {
                let all = Span::from_s(self.wire.unsent() / OCTETS_PER_S_MIN);
                Some((block, block + all))
            }
        };
    }

    /// Takes all orders that are there, so that they go out in one write.
    fn obey(&mut self, order: Option<Order>, orders: &mut UnboundedReceiver<Order>) {
        let now = (self.call.now)();
        self.ordered = order.is_some();
        let mut next = Some(order.unwrap_or(Order::Quit));
        while let Some(order) = next {
            match order {
                Order::Begin(transaction) => self.client.begin(now, *transaction),
                Order::Quit => self.client.quit(now),
            }
            next = orders.try_recv().ok();
        }
    }

    /// When patience ends, with the host's answers or with its taking octets.
    fn due(&self) -> Instant {
        match self.write_until {
            Some((some, all)) => some.min(all),
            None => self.client.deadline().unwrap_or(Instant::MAX),
        }
    }

    /// Sets the alarm only if it would ring too late: answers come long before their time is
    /// up, and a timer that is put off each time costs more than one that rings in vain.
    fn arm(&mut self, alarm: Pin<&mut Sleep>) {
        let due = self.due();
        if due < self.armed {
            self.armed = due;
            alarm.reset(time::Instant::now() + until((self.call.now)(), due));
        }
    }

    fn ring(&mut self, alarm: Pin<&mut Sleep>) {
        let now = (self.call.now)();
        if self.due() <= now {
            self.client.timed_out(self.wire.unsent());
        }
        self.armed = self.due();
        alarm.reset(time::Instant::now() + until(now, self.armed));
    }

    /// Does what the machine wants done; the end, if this was it.
    async fn steps(&mut self, events: &mut impl Events) -> Option<SessionEnd> {
        while let Some(step) = self.client.poll() {
            match step {
                Step::StartTls => match self.encrypt().await {
                    Ok(()) => self.client.tls_started((self.call.now)()),
                    Err(e) => {
                        let fault = tls::TlsFault::of_handshake(&e);
                        Arc::make_mut(&mut self.facts).tls_fault = Some(fault);
                        self.client.tls_failed(&e.to_string());
                    }
                },
                Step::Ready => {
                    self.note_greeting();
                    events.opened(&self.facts);
                }
                Step::Finished(finished) => events.finished(*finished, &self.facts),
                Step::Close(end) => {
                    self.note_greeting();
                    return Some(end);
                }
            }
        }
        None
    }

    fn note_greeting(&mut self) {
        let facts = Arc::make_mut(&mut self.facts);
        facts.banner = self.client.banner().cloned();
        facts.greeted_after = self.client.greeted_after();
    }

    async fn encrypt(&mut self) -> io::Result<()> {
        // A host that is known by its address alone is asked for a certificate of that.
        let name = ServerName::try_from(self.call.host.trim_end_matches('.').to_owned())
            .unwrap_or_else(|_| ServerName::from(self.call.address.ip()));
        let Stream::Plain(stream) = self.wire.replace(Stream::Moved) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let connector = TlsConnector::from(self.call.tls.config.clone());
        let patience = self.client.timeouts().command.to_std();
        let handshake = time::timeout(patience, connector.connect(name.clone(), stream)).await;
        let stream = handshake.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let shown = stream.get_ref().1;
        let distrust = self.call.tls.witness.as_ref().and_then(|witness| {
            witness.distrust(shown.peer_certificates().unwrap_or_default(), &name)
        });
        let facts = Arc::make_mut(&mut self.facts);
        facts.tls = Some(tls::facts(shown));
        facts.tls_fault = distrust.as_ref().map(tls::TlsFault::of_certificate);
        self.wire.replace(Stream::Tls(Box::new(TlsStream::Client(stream))));
        Ok(())
    }
}

/// Timers count in milliseconds: rounded up, so that they do not ring before their time.
fn until(now: Instant, at: Instant) -> Duration {
    Duration::from_millis(at.since(now).as_ms() + 1).min(LONG)
}
