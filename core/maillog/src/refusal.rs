//! Refusals of one provider, whole, for whoever must show them: with what other lines of the log
//! tell of the message.
//!
//! Kept only where somebody asks for them, the latest ones. A message's sender and `Message-ID` stand
//! in lines of their own, before those of its recipients; they are remembered until it is gone.

use std::collections::{BTreeMap, VecDeque};

use postlane_mail::{Instant, Stage};
use postlane_replies::Label;

use crate::attempt::{Attempt, Outcome, Said, Turn};

/// Refusals that are kept, the latest. Chosen, not measured: a pack shows twenty of them.
const KEPT_MAX: usize = 2_000;
/// Messages whose sender and id are remembered; those that came first go first.
const NAMED_MAX: usize = 200_000;
/// Octets of a text that are kept.
const TEXT_MAX: usize = 2_000;

/// A refused attempt, as the log has it. What it does not tell is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Instant,
    /// Who sent: the machine's name, and the instance's or transport's if the log names one.
    pub source: Box<str>,
    /// The sending program's queue id.
    pub id: Box<str>,
    /// The `Message-ID` with its angle brackets.
    pub message_id: Box<str>,
    /// The reverse-path; `<>` for the null one.
    pub sender: Box<str>,
    /// The recipient's address.
    pub recipient: Box<str>,
    /// The host that was spoken to.
    pub host: Box<str>,
    /// What was answered.
    pub stage: Option<Stage>,
    /// Whether the recipient was tried for the first time.
    pub turn: Turn,
    /// The reply, or the sending program's own words.
    pub said: Box<str>,
    /// What it means.
    pub label: Label,
}

/// The refusals of one provider.
#[derive(Debug)]
pub(crate) struct Refusals {
    provider: Box<str>,
    kept: VecDeque<Refusal>,
    named: BTreeMap<u64, Named>,
    order: VecDeque<u64>,
}

/// What is known of a message.
#[derive(Debug, Clone, Default)]
struct Named {
    sender: Box<str>,
    message_id: Box<str>,
}

impl Refusals {
    /// None yet of this provider.
    pub(crate) fn of(provider: &str) -> Self {
        Self {
            provider: provider.into(),
            kept: VecDeque::new(),
            named: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The provider's id.
    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    /// A line told who sent a message, or its id.
    pub(crate) fn name(&mut self, message: u64, sender: Option<&[u8]>, message_id: Option<&[u8]>) {
        if !self.named.contains_key(&message) {
            if self.named.len() >= NAMED_MAX
                && let Some(first) = self.order.pop_front()
            {
                self.named.remove(&first);
            }
            self.order.push_back(message);
        }
        let named = self.named.entry(message).or_default();
        if let Some(sender) = sender {
            named.sender = if sender.is_empty() { "<>".into() } else { text(sender) };
        }
        if let Some(message_id) = message_id {
            let message_id = text(message_id);
            // Exim writes it without its brackets.
            let is_bare = !message_id.is_empty() && !message_id.starts_with('<');
            named.message_id = if is_bare { format!("<{message_id}>").into() } else { message_id };
        }
    }

    /// A message is gone. What is known of it makes room when its turn comes.
    pub(crate) fn gone(&mut self, message: u64) {
        if let Some(named) = self.named.get_mut(&message) {
            *named = Named::default();
        }
    }

    /// Keeps an attempt if it was refused.
    pub(crate) fn take(
        &mut self,
        message: u64,
        source: &str,
        attempt: &Attempt<'_>,
        (turn, label): (Turn, Label),
    ) {
        if !matches!(attempt.outcome, Outcome::Deferred | Outcome::Unreached | Outcome::Bounced) {
            return;
        }
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        let named = self.named.get(&message).cloned().unwrap_or_default();
        let (Said::Reply(said) | Said::Own(said)) = attempt.said;
        self.kept.push_back(Refusal {
            at: attempt.at,
            source: source.into(),
            id: text(attempt.id),
            message_id: named.message_id,
            sender: named.sender,
            recipient: text(attempt.recipient),
            host: text(attempt.host),
            stage: attempt.stage,
            turn,
            said: text(said),
            label,
        });
    }

    /// Those that were kept, in the order of the log.
    pub(crate) fn finish(self) -> Vec<Refusal> {
        self.kept.into()
    }
}

fn text(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets.get(..TEXT_MAX).unwrap_or(octets)).into()
}
