//! A message under way: what was said of it, and what was heard.

use postlane_mail::{Reply, Stage};
use smallvec::SmallVec;

use super::Owed;
use crate::client::transaction::{Finished, Outcome, RecipientOutcome, Transaction};

/// A message under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) transaction: Transaction,
    pub(super) sent: Sent,
    /// What was said to each recipient.
    heard: SmallVec<[Option<Reply>; 1]>,
    /// What was said to all of them, where it was no.
    refused: Option<(Stage, Reply)>,
    /// What was said to the end.
    end: Option<Reply>,
}

/// How far a message has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    Mail,
    Recipients,
    Data,
    /// To its end.
    Everything,
}

impl Flight {
    pub(super) fn new(transaction: Transaction) -> Self {
        let heard = transaction.recipients.iter().map(|_| None).collect();
        Self { transaction, sent: Sent::Nothing, heard, refused: None, end: None }
    }

    /// Takes an answer; to what it was.
    pub(super) fn heard(&mut self, owed: Owed, reply: &Reply) -> Stage {
        match owed {
            Owed::Rcpt(place) => {
                if let Some(heard) = self.heard.get_mut(usize::from(place)) {
                    *heard = Some(reply.clone());
                }
                Stage::Rcpt
            }
            Owed::Data => {
                if !reply.code().is_intermediate() {
                    self.refuse(Stage::Data, reply);
                }
                Stage::Data
            }
            Owed::End => {
                self.end = Some(reply.clone());
                Stage::Dot
            }
            _ => {
                if !reply.code().is_success() {
                    self.refuse(Stage::Mail, reply);
                }
                Stage::Mail
            }
        }
    }

    /// The first refusal counts: what follows it in a pipeline follows from it.
    fn refuse(&mut self, stage: Stage, reply: &Reply) {
        if self.refused.is_none() {
            self.refused = Some((stage, reply.clone()));
        }
    }

    /// Whether a recipient has been taken.
    pub(super) fn has_recipients(&self) -> bool {
        let taken = |heard: &Option<Reply>| heard.as_ref().is_some_and(|r| r.code().is_success());
        self.refused.is_none() && self.heard.iter().any(taken)
    }

    /// Whether the next message's commands may follow what was said of this one.
    pub(super) fn lets_next_begin(&self) -> bool {
        match self.sent {
            Sent::Nothing => true,
            Sent::Everything => self.has_recipients(),
            _ => false,
        }
    }

    /// It went to its end.
    pub(super) fn finish(self, dsn_relayed: bool) -> Finished {
        self.outcome(&Outcome::NotTried, dsn_relayed)
    }

    /// The session ended before it did. What was sent to its end may have arrived.
    pub(super) fn cut_short(self, dsn_relayed: bool) -> Finished {
        let sent = self.sent == Sent::Everything;
        self.outcome(if sent { &Outcome::Unknown } else { &Outcome::NotTried }, dsn_relayed)
    }

    pub(super) fn not_tried(self) -> Finished {
        self.all(&Outcome::NotTried)
    }

    /// The same for all recipients.
    pub(super) fn all(self, outcome: &Outcome) -> Finished {
        let each = |index: &u16| RecipientOutcome { index: *index, outcome: outcome.clone() };
        let recipients = self.transaction.recipients.iter().map(each).collect();
        Finished { id: self.transaction.id, recipients, dsn_relayed: false }
    }

    fn outcome(self, unanswered: &Outcome, dsn_relayed: bool) -> Finished {
        // Where no recipient was taken, the answer to the end follows from that.
        let any_taken = self.has_recipients();
        let places = self.transaction.recipients.iter().zip(&self.heard);
        let recipients = places.map(|(index, heard)| {
            let outcome = self.outcome_of(heard.as_ref(), any_taken, unanswered);
            RecipientOutcome { index: *index, outcome }
        });
        Finished { id: self.transaction.id, recipients: recipients.collect(), dsn_relayed }
    }

    fn outcome_of(&self, heard: Option<&Reply>, any_taken: bool, unanswered: &Outcome) -> Outcome {
        if let Some((stage @ Stage::Mail, reply)) = &self.refused {
            return Outcome::Refused { stage: *stage, reply: reply.clone() };
        }
        match heard {
            Some(reply) if !reply.code().is_success() => {
                return Outcome::Refused { stage: Stage::Rcpt, reply: reply.clone() };
            }
            None => {
                // A message that was sent before the answer to this recipient was heard.
                return unanswered.clone();
            }
            Some(_) => {}
        }
        if let Some((stage, reply)) = &self.refused {
            return Outcome::Refused { stage: *stage, reply: reply.clone() };
        }
        match &self.end {
            Some(reply) if reply.code().is_success() && any_taken => {
                Outcome::Accepted(reply.clone())
            }
            Some(reply) => Outcome::Refused { stage: Stage::Dot, reply: reply.clone() },
            None => unanswered.clone(),
        }
    }
}
