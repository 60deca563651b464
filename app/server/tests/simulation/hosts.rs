//! Hosts and the sessions with them: they take, defer, refuse, and lose connections at the
//! worst moment.

use std::collections::VecDeque;

use postlane_engine::{AttemptId, Outcome, RecipientOutcome, Unreached};
use postlane_mail::{Code, QueueId, Reply, Stage, Status};
use postlane_replies::{Diagnosis, Extent};

use crate::dice::Dice;

/// How hosts behave, in percent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Temper {
    pub(crate) unreachable: u64,
    pub(crate) turns_away: u64,
    pub(crate) defers: u64,
    pub(crate) refuses: u64,
    pub(crate) hangs_up: u64,
    pub(crate) unable: u64,
    pub(crate) no_route: u64,
    /// Until a host answers anything, at most.
    pub(crate) latency_ms: u64,
}

/// A session with a host.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// What it was given, the one under way first.
    pub(crate) flights: VecDeque<Flight>,
    /// What the host has made of the one under way; its answer is on the wire.
    pub(crate) decided: Option<Vec<RecipientOutcome>>,
    pub(crate) standing: Standing,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    #[default]
    Open,
    /// To be closed when what it was given is done.
    Leaving,
    /// The connection is lost; the engine has not heard of it.
    Dead,
}

/// A message on a session.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    pub(crate) attempt: AttemptId,
    pub(crate) message: QueueId,
    pub(crate) recipients: Vec<u16>,
}

impl Temper {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        Self {
            unreachable: dice.roll(30),
            turns_away: dice.roll(30),
            defers: dice.roll(70),
            refuses: dice.roll(30),
            hangs_up: dice.roll(30),
            unable: dice.roll(15),
            no_route: dice.roll(30),
            latency_ms: 1 + dice.roll(4000),
        }
    }

    /// What a host makes of a message, at RCPT for each and at the dot for all.
    pub(crate) fn decide(&self, dice: &mut Dice, recipients: &[u16]) -> Vec<RecipientOutcome> {
        let said =
            |stage, code| Outcome::Refused(meant(stage, Code::new(code).expect("hosts say codes")));
        let one_for_all = if dice.chance(self.unable) {
            Some(Outcome::HostUnable(Status::new(5, 6, 3)))
        } else if dice.chance(self.defers) {
            Some(if dice.chance(50) { said(Stage::Dot, 452) } else { said(Stage::Mail, 421) })
        } else if dice.chance(self.refuses) {
            Some(said(Stage::Dot, 554))
        } else {
            None
        };
        let each = recipients.iter().map(|index| {
            let at_rcpt = if dice.chance(self.defers / 2) {
                Some(said(Stage::Rcpt, 451))
            } else if dice.chance(self.refuses / 2) {
                Some(said(Stage::Rcpt, 550))
            } else {
                None
            };
            let code = Code::new(250).expect("250 is a code");
            let outcome = one_for_all.clone().or(at_rcpt);
            let outcome = outcome.unwrap_or_else(|| Outcome::Delivered(meant(Stage::Dot, code)));
            RecipientOutcome { index: *index, outcome }
        });
        each.collect()
    }

    /// Whether a connection comes to be, and if not, why.
    pub(crate) fn connect(&self, dice: &mut Dice) -> Option<Unreached> {
        if dice.chance(self.unreachable) {
            return Some(Unreached::Network);
        }
        let code = Code::new(421).expect("421 is a code");
        dice.chance(self.turns_away).then(|| Unreached::TurnedAway(meant(Stage::Connect, code)))
    }
}

impl Flight {
    /// What is known of the message when the connection is lost: with the host's decision on
    /// the wire nothing but what was said at RCPT, and before it that nothing was said.
    pub(crate) fn lost(&self, decided: Option<Vec<RecipientOutcome>>) -> Vec<RecipientOutcome> {
        let Some(mut decided) = decided else {
            let cut_off =
                |index: &u16| RecipientOutcome { index: *index, outcome: Outcome::CutOff };
            return self.recipients.iter().map(cut_off).collect();
        };
        for of in &mut decided {
            let is_known = match &of.outcome {
                Outcome::Refused(said) => said.extent == Extent::Recipient,
                outcome => !matches!(outcome, Outcome::Delivered(_)),
            };
            if !is_known {
                of.outcome = Outcome::Unknown;
            }
        }
        decided
    }
}

/// What a host means that says this code, and an enhanced status that helps nobody: without one a
/// 452 could be about the number of recipients.
fn meant(stage: Stage, code: Code) -> Diagnosis {
    let text = format!("{}.0.0", code.number() / 100);
    Diagnosis::by_code(stage, &Reply::new(code, text))
}
