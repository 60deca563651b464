//! Handing mail over: connects, and holds a session with a host.

mod connect;
mod session;
mod wire;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use postlane_mail::{Instant, Reply, Span};
use postlane_smtp::client::{Finished, SessionEnd, Settings, Transaction, Transcript};
use postlane_smtp::server::TlsFacts;
use tokio::sync::mpsc;

use crate::tls::{ClientTls, TlsFault};
use crate::unbroken::unbroken;

pub use connect::ConnectError;

/// Whom to call, and how.
#[derive(Clone)]
pub struct Call {
    /// The address to call from; none lets the system choose.
    pub source: Option<IpAddr>,
    /// Whom to call.
    pub address: SocketAddr,
    /// The host's name, for the handshake.
    pub host: Box<str>,
    /// What is said.
    pub smtp: Settings,
    /// How it is encrypted, where it is.
    pub tls: ClientTls,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// The time.
    pub now: Arc<dyn Fn() -> Instant + Send + Sync>,
}

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// How long connecting took, or did until it failed.
    pub connect_took: Span,
    /// Our address.
    pub local: Option<SocketAddr>,
    /// The host's address.
    pub remote: SocketAddr,
    /// What was agreed in the handshake.
    pub tls: Option<TlsFacts>,
    /// What was wrong with the handshake, or with a certificate that nothing depended on.
    pub tls_fault: Option<TlsFault>,
    /// The greeting.
    pub banner: Option<Reply>,
    /// How long it took from the end of connecting to the greeting.
    pub greeted_after: Option<Span>,
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It never began.
    NotConnected(ConnectError),
    /// It ended.
    Session(SessionEnd),
}

/// Who hears what becomes of a session.
pub trait Events: Send + 'static {
    /// It takes messages.
    fn opened(&mut self, facts: &Arc<SessionFacts>);

    /// A message is done.
    fn finished(&mut self, finished: Finished, facts: &Arc<SessionFacts>);

    /// It is over. Nothing comes after it. The transcript has what was said of no message.
    fn ended(&mut self, end: End, facts: &Arc<SessionFacts>, transcript: &Transcript);

    /// It broke off by a fault of ours, maybe while something else was told here. Nothing comes after
    /// it. Of what is under way nobody knows how far it came.
    fn broken(&mut self, facts: &Arc<SessionFacts>);
}

/// A session, to be told what to do. Dropped, it ends behind what it was given.
pub struct Session(mpsc::UnboundedSender<Order>);

enum Order {
    Begin(Box<Transaction>),
    Quit,
}

impl Session {
    /// Begins a session on the runtime that this is called on.
    pub fn open(call: Call, mut events: impl Events) -> Self {
        // Unbounded, and bounded all the same: the engine gives a session two messages at most.
        let (orders, ordered) = mpsc::unbounded_channel();
        let facts = session::unknown(&call);
        tokio::spawn(async move {
            if unbroken(session::hold(call, ordered, &mut events)).await.is_none() {
                events.broken(&Arc::new(facts));
            }
        });
        Self(orders)
    }

    /// Hands over a message: [`Events::finished`] tells what became of it, before the session's
    /// end. Given back if the session has ended.
    pub fn begin(&self, transaction: Transaction) -> Result<(), Box<Transaction>> {
        self.0.send(Order::Begin(Box::new(transaction))).map_err(|unsent| match unsent.0 {
            Order::Begin(transaction) => transaction,
            Order::Quit => unreachable!("a message was sent"),
        })
    }

    /// Ends the session behind what it was given.
    pub fn quit(&self) {
        // One that has ended already needs no telling.
        let _ = self.0.send(Order::Quit);
    }
}
