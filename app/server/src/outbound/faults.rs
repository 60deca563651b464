//! Attempts that broke off by a fault of ours: taken back, counted, and not tried for ever.
//!
//! A thread or a task that panics over a message says nothing of what became of it. Its recipients
//! are deferred with a reason of ours, the lane hears nothing, and a message that breaks one attempt
//! after another is held until an operator lets it go.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::{
    Action, AttemptId, Input, Operator, Outcome, RecipientOutcome, Selection, SlotId,
};
use postlane_mail::{Code, Envelope, LastReply, QueueId, Reply, Stage, Status};
use smallvec::SmallVec;

use crate::engine::world::EngineMailbox;
use crate::ground::clock::Clock;
use crate::outbound::evidence::{Evidence, Unsent};
use crate::telling::counters::Counters;
use crate::telling::journal::alarm;

/// Attempts of a message that may break before it is held. Chosen, not measured: one may have stood
/// beside the message that was to blame, two by chance.
const BROKEN_MAX: u8 = 3;

/// Messages whose broken attempts are remembered; beyond it the oldest are forgotten.
const MESSAGES_MAX: usize = 10_000;

/// Something in this system failed (RFC 3463 §3.4, X.3.0).
const BROKEN: Status = Status::new(4, 3, 0);

/// What a reply of ours begins with that tells of a fault.
const SAYS: &str = "a fault of ours";

/// Who hears of attempts that broke off.
pub(crate) struct Faults {
    mailbox: EngineMailbox,
    clock: Clock,
    counters: Arc<Counters>,
    /// By message, how often.
    broken: Mutex<BTreeMap<QueueId, u8>>,
}

/// An attempt that broke off.
pub(crate) struct Broken {
    pub(crate) slot: SlotId,
    pub(crate) attempt: AttemptId,
    pub(crate) message: QueueId,
    /// Recipients that were to be written to.
    pub(crate) recipients: SmallVec<[u16; 4]>,
    /// What becomes of others.
    pub(crate) left_out: SmallVec<[RecipientOutcome; 1]>,
    pub(crate) unsent: Option<Box<Unsent>>,
    /// Where it was at hand.
    pub(crate) envelope: Option<Arc<Envelope>>,
}

impl Faults {
    pub(crate) fn new(mailbox: EngineMailbox, clock: Clock, counters: Arc<Counters>) -> Self {
        Self { mailbox, clock, counters, broken: Mutex::default() }
    }

    /// Does something for an attempt; where that breaks, the attempt is over.
    pub(crate) fn watch(&self, attempt: impl FnOnce() -> Broken, work: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.broke(attempt());
        }
    }

    /// Nobody knows how far it came: the engine has it back, as one that we could not make.
    pub(crate) fn broke(&self, broken: Broken) {
        let Broken { slot, attempt, message, recipients, left_out, unsent, envelope } = broken;
        let times = self.count(message);
        let is_held = times >= BROKEN_MAX;
        let says = match is_held {
            true => format!(
                "{SAYS} has broken {times} attempts: held until an operator lets it go \
                 (postlane queue release {message}); please report it"
            ),
            false => format!("{SAYS} has broken the attempt; please report it"),
        };
        alarm(&format!("message {message}: {says}"));
        self.counters.attempts_broken.inc();
        let outcome =
            |index: &u16| RecipientOutcome { index: *index, outcome: Outcome::Ours(BROKEN) };
        let outcomes = left_out.into_iter().chain(recipients.iter().map(outcome)).collect();
        let mut unsent =
            unsent.unwrap_or_else(|| Box::new(Unsent { envelope, replies: SmallVec::new() }));
        unsent.replies.extend(recipients.iter().map(|index| (*index, self.reply(&says))));
        let evidence = Evidence(None, Some(unsent));
        self.mailbox.tell(Input::Finished { slot, attempt, outcomes, evidence });
        if is_held {
            let selection = Selection { ids: Some(vec![message]), ..Selection::default() };
            // Nobody waits for the answer.
            let hold = Operator { request: 0, action: Action::Hold, selection };
            self.mailbox.tell(Input::Operator(hold));
        }
    }

    fn reply(&self, says: &str) -> LastReply {
        let code = Code::new(451).expect("451 lies between 200 and 599");
        let reply = Reply::new(code, format!("{BROKEN} {says}"));
        LastReply { stage: Stage::Connect, reply, host: "".into(), at: self.clock.now() }
    }

    /// How many attempts of a message have broken, with this one.
    fn count(&self, message: QueueId) -> u8 {
        let mut broken = self.broken.lock();
        let times = broken.entry(message).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        while broken.len() > MESSAGES_MAX {
            broken.pop_first();
        }
        times
    }
}

/// What is said of a recipient whose last attempt broke off.
pub(crate) fn why_broken(last: &LastReply) -> Option<&str> {
    let says = last.reply.text().split_once(' ').map(|(_, says)| says)?;
    (last.host.is_empty() && says.starts_with(SAYS)).then_some(says)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use postlane_mail::{QueueIdSource, Shard};

    use super::*;
    use crate::engine::world::tests::heard;
    use crate::intake::tests::submission;

    fn broken(message: QueueId, attempt: u64) -> Broken {
        let [one, two] = [0, 1];
        let left_out = Outcome::Ours(Status::new(5, 1, 1));
        Broken {
            slot: SlotId(3),
            attempt: AttemptId(attempt),
            message,
            recipients: [one].into_iter().collect(),
            left_out: [RecipientOutcome { index: two, outcome: left_out }].into_iter().collect(),
            unsent: None,
            envelope: Some(Arc::new(submission().envelope)),
        }
    }

    #[test]
    fn a_message_that_breaks_attempts_waits_and_is_held_at_the_third() {
        let mailbox = EngineMailbox::new();
        let counters = Arc::new(Counters::default());
        let clock = Clock::wall();
        let faults = Faults::new(mailbox.clone(), clock, counters.clone());
        let mut ids = QueueIdSource::new(Shard(0), None);
        let (poison, other) = (ids.next(clock.now()), ids.next(clock.now()));
        for (attempt, message) in [(1, poison), (2, poison), (3, other), (4, poison), (5, poison)] {
            faults.watch(|| broken(message, attempt), || assert_eq!(1, 2, "a fault of ours"));
            let is_held = message == poison && attempt >= 4;
            let inputs = heard(&mailbox, Instant::now());
            let [Input::Finished { slot, attempt: of, outcomes, evidence }, rest @ ..] =
                &inputs[..]
            else {
                panic!("{inputs:?}")
            };
            assert_eq!((*slot, *of), (SlotId(3), AttemptId(attempt)));
            let of = |at: usize| (outcomes[at].index, &outcomes[at].outcome);
            assert!(matches!(of(0), (1, Outcome::Ours(status)) if status.class == 5));
            assert!(matches!(of(1), (0, Outcome::Ours(BROKEN))), "{outcomes:?}");
            let says = evidence.last_reply(0).unwrap();
            let says = why_broken(&says).unwrap();
            assert_eq!(says.contains(&format!("postlane queue release {poison}")), is_held);
            match rest {
                [] => assert!(!is_held),
                [Input::Operator(Operator { action: Action::Hold, selection, .. })] => {
                    assert_eq!((selection.ids.as_deref(), is_held), (Some(&[poison][..]), true));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(counters.attempts_broken.value(), 5);
        faults.watch(|| broken(poison, 6), || {});
        assert!(heard(&mailbox, Instant::now()).is_empty(), "nothing broke");
    }

    #[test]
    fn no_more_messages_are_remembered_than_may_be() {
        let faults = Faults::new(EngineMailbox::new(), Clock::wall(), Arc::default());
        for message in 0..=MESSAGES_MAX as u64 {
            assert_eq!(faults.count(QueueId::from_bits(message << 8)), 1);
        }
        assert_eq!(faults.broken.lock().len(), MESSAGES_MAX);
    }
}
