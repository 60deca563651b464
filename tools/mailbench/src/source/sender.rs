//! One of the sessions of a source: takes the next message, sends it, tries again.

use std::sync::Arc;
use std::time::Duration;

use super::arguments::Arguments;
use super::client::{Client, Failure};
use super::message::{Message, filler};
use super::tally::Tally;
use crate::clock::monotonic_ns;

/// Wait before a message is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// A message that was answered 250.
pub(super) struct Sent {
    pub(super) seq: u64,
    /// From the begin of the transaction (open loop: from the time it was due) to the 250.
    pub(super) transaction_us: u64,
    /// From the end of the data to the 250.
    pub(super) final_reply_us: u64,
}

/// One session at a time, and what it has left to do.
struct Sender {
    arguments: Arc<Arguments>,
    tally: Arc<Tally>,
    target: String,
    filler: Vec<u8>,
    session: Option<Client>,
    /// Messages sent on this session.
    on_session: u64,
}

/// Sends until no message is left; `at` picks the target.
pub(super) async fn run(arguments: Arc<Arguments>, tally: Arc<Tally>, at: usize) -> Vec<Sent> {
    let mut sender = Sender {
        target: arguments.connect[at % arguments.connect.len()].clone(),
        filler: filler(arguments.size),
        arguments,
        tally,
        session: None,
        on_session: 0,
    };
    let mut sent = Vec::new();
    loop {
        let taken = sender.tally.take();
        if taken >= sender.arguments.messages {
            break;
        }
        let due_ns = sender.wait_until_due(taken).await;
        sent.extend(sender.carry(sender.arguments.first + taken, due_ns).await);
    }
    if let Some(session) = sender.session.take() {
        session.quit().await;
    }
    sent
}

impl Sender {
    /// Open loop: a message's clock starts when it was due, not when we got to it.
    async fn wait_until_due(&self, taken: u64) -> u64 {
        let now_ns = monotonic_ns();
        if self.arguments.rate <= 0.0 {
            return now_ns;
        }
        let due_ns = self.tally.begun_ns + (taken as f64 * 1e9 / self.arguments.rate) as u64;
        if let Some(early_ns) = due_ns.checked_sub(now_ns) {
            tokio::time::sleep(Duration::from_nanos(early_ns)).await;
        }
        due_ns
    }

    /// Tries one message until it is accepted or the tries are used up.
    async fn carry(&mut self, seq: u64, begun_ns: u64) -> Option<Sent> {
        self.tally.began(begun_ns);
        for tries in 0.. {
            match self.attempt(seq, begun_ns).await {
                Ok(final_reply_us) => {
                    let now_ns = monotonic_ns();
                    self.tally.accepted(now_ns);
                    self.after_message().await;
                    let transaction_us = now_ns.saturating_sub(begun_ns) / 1000;
                    return Some(Sent { seq, transaction_us, final_reply_us });
                }
                Err(failure) => {
                    self.tally.note(&failure);
                    self.session = None;
                    if tries >= self.arguments.retries {
                        break;
                    }
                    self.tally.retried();
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
        self.tally.gave_up();
        None
    }

    async fn attempt(&mut self, seq: u64, begun_ns: u64) -> Result<u64, Failure> {
        let session = match &mut self.session {
            Some(open) => open,
            none => {
                self.on_session = 0;
                none.insert(Client::open(&self.target, &self.arguments).await?)
            }
        };
        let message = Message::new(&self.arguments, &self.filler, seq, begun_ns);
        session.send(&message).await
    }

    async fn after_message(&mut self) {
        self.on_session += 1;
        let most = self.arguments.per_conn;
        if most > 0
            && self.on_session >= most
            && let Some(session) = self.session.take()
        {
            session.quit().await;
        }
    }
}
