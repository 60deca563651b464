//! A message under way: what was said of it, and what was heard.

use std::sync::Arc;

use postlane_mail::{Instant, Reply, Stage};
use smallvec::SmallVec;

use super::Owed;
use crate::client::transaction::{Finished, Outcome, RecipientOutcome, Transaction};
use crate::client::transcript::{Record, Transcript};
use crate::data::Lines;

/// Messages larger than this are not sent before their recipients are answered: by BDAT they
/// would go out in vain where all are refused. They go by DATA, whose answer comes with those of
/// the recipients, so that waiting for it costs nothing more. Chosen, not measured.
pub(super) const CHUNK_OCTETS_MAX: u64 = 64 * 1024;

/// A message under way.
pub(super) struct Flight {
    pub(super) transaction: Transaction,
    pub(super) sent: Sent,
    pub(super) way: Way,
    /// How many octets the session had put out with its end.
    pub(super) end_at: u64,
    pub(super) began: Instant,
    pub(super) record: Record,
    /// What was said to each recipient.
    heard: SmallVec<[Heard; 1]>,
    /// What was said to all of them, where it was no.
    refused: Option<(Stage, Reply)>,
    /// What was said to the end.
    end: Option<Reply>,
}

/// How far a message has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    /// MAIL and perhaps more.
    Commands,
    /// To its end.
    Everything,
}

/// How its octets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By DATA.
    Data(Lines),
    /// By BDAT, in one chunk (RFC 3030).
    Chunk,
}

enum Heard {
    Nothing,
    Taken,
    Refused(Reply),
}

impl Flight {
    pub(super) fn new(now: Instant, transaction: Transaction) -> Self {
        let heard = transaction.recipients.iter().map(|_| Heard::Nothing).collect();
        Self {
            transaction,
            sent: Sent::Nothing,
            way: Way::Data(Lines::default()),
            end_at: 0,
            began: now,
            record: Record::of_message(),
            heard,
            refused: None,
            end: None,
        }
    }

    /// Takes an answer; to what it was.
    pub(super) fn heard(&mut self, owed: Owed, reply: Reply) -> Stage {
        match owed {
            Owed::Rcpt(place) => {
                if let Some(heard) = self.heard.get_mut(usize::from(place)) {
                    let taken = reply.code().is_success();
                    *heard = if taken { Heard::Taken } else { Heard::Refused(reply) };
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
                self.end = Some(reply);
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
    fn refuse(&mut self, stage: Stage, reply: Reply) {
        if self.refused.is_none() {
            self.refused = Some((stage, reply));
        }
    }

    /// Whether a recipient has been taken.
    pub(super) fn has_recipients(&self) -> bool {
        self.refused.is_none() && self.heard.iter().any(|heard| matches!(heard, Heard::Taken))
    }

    /// Whether it is said only when its recipients have been answered, though more could be said
    /// at once.
    pub(super) fn waits_for_recipients(&self) -> bool {
        self.sent == Sent::Commands
            && self.way == Way::Chunk
            && self.transaction.octets() > CHUNK_OCTETS_MAX
    }

    /// Whether MAIL or DATA has been refused.
    pub(super) fn was_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Whether the host has answered for all recipients, and none of that was goodbye. A chunk
    /// goes out before it has (RFC 3030 §4.2), and what ends the session then is not the message.
    fn is_heard_out(&self) -> bool {
        self.heard.iter().all(|heard| match heard {
            Heard::Nothing => false,
            Heard::Taken => true,
            Heard::Refused(reply) => reply.code().number() != 421,
        })
    }

    /// Whether its end has been answered by yes.
    pub(super) fn was_taken(&self) -> bool {
        self.end.as_ref().is_some_and(|reply| reply.code().is_success())
    }

    /// Whether the next message's commands may follow what was said of this one.
    pub(super) fn lets_next_begin(&self) -> bool {
        self.sent == Sent::Everything && self.has_recipients()
    }

    /// It went to its end.
    pub(super) fn finish(
        mut self,
        now: Instant,
        dsn_relayed: bool,
        opening: &Arc<Record>,
    ) -> Finished {
        let record = std::mem::take(&mut self.record);
        let outcomes = self.outcomes(&Outcome::NotTried, &Outcome::NotTried);
        let transcript = Transcript { opening: opening.clone(), rest: record };
        self.told(now, outcomes, dsn_relayed, transcript)
    }

    /// The session ended before it did, with so many octets sent. Where its end was among them
    /// it may have arrived; where it had begun and nothing was said, `unsaid` is what became of it.
    pub(super) fn cut_short(
        mut self,
        now: Instant,
        octets_sent: u64,
        unsaid: &Outcome,
        (dsn_relayed, opening): (bool, &Arc<Record>),
    ) -> Finished {
        let arrived = self.sent == Sent::Everything && self.end_at <= octets_sent;
        let record = std::mem::take(&mut self.record);
        let (unanswered, cut) = match self.sent {
            Sent::Everything if arrived => (Outcome::Unknown, Outcome::Unknown),
            Sent::Everything if self.is_heard_out() => (Outcome::NotTried, Outcome::Interrupted),
            Sent::Nothing => (Outcome::NotTried, Outcome::NotTried),
            Sent::Commands | Sent::Everything => (unsaid.clone(), unsaid.clone()),
        };
        let outcomes = self.outcomes(&unanswered, &cut);
        let transcript = Transcript { opening: opening.clone(), rest: record };
        self.told(now, outcomes, dsn_relayed, transcript)
    }

    pub(super) fn not_tried(self) -> Finished {
        let now = self.began;
        self.all(now, &Outcome::NotTried)
    }

    /// The same for all recipients, and nothing was said.
    pub(super) fn all(self, now: Instant, outcome: &Outcome) -> Finished {
        let outcomes = self.transaction.recipients.iter().map(|_| outcome.clone()).collect();
        self.told(now, outcomes, false, Transcript::default())
    }

    fn told(
        &self,
        now: Instant,
        outcomes: SmallVec<[Outcome; 1]>,
        dsn_relayed: bool,
        transcript: Transcript,
    ) -> Finished {
        let indices = self.transaction.recipients.iter().copied();
        let recipient = |(index, outcome)| RecipientOutcome { index, outcome };
        Finished {
            id: self.transaction.id,
            recipients: indices.zip(outcomes).map(recipient).collect(),
            dsn_relayed,
            began: self.began,
            took: now.since(self.began),
            transcript,
        }
    }

    /// What became of each recipient; `unanswered` where the host has not said, `cut` where it
    /// has said yes to the recipient and nothing to the message.
    fn outcomes(&mut self, unanswered: &Outcome, cut: &Outcome) -> SmallVec<[Outcome; 1]> {
        let heard = std::mem::take(&mut self.heard);
        heard.into_iter().map(|heard| self.outcome(heard, unanswered, cut)).collect()
    }

    fn outcome(&self, heard: Heard, unanswered: &Outcome, cut: &Outcome) -> Outcome {
        match (&self.refused, heard) {
            (Some((stage @ Stage::Mail, reply)), _) => {
                Outcome::Refused { stage: *stage, reply: reply.clone() }
            }
            (_, Heard::Refused(reply)) => Outcome::Refused { stage: Stage::Rcpt, reply },
            // The session broke off before it was answered.
            (_, Heard::Nothing) => unanswered.clone(),
            (Some((stage, reply)), Heard::Taken) => {
                Outcome::Refused { stage: *stage, reply: reply.clone() }
            }
            (None, Heard::Taken) => match &self.end {
                Some(reply) if reply.code().is_success() => Outcome::Accepted(reply.clone()),
                Some(reply) => Outcome::Refused { stage: Stage::Dot, reply: reply.clone() },
                None => cut.clone(),
            },
        }
    }
}
