//! What the house owes: nobody whose mail was accepted is forgotten, nobody is tried again
//! whose end is durable, and no host gets a message twice but for a reason that is known.

use std::collections::{BTreeMap, BTreeSet};

use postlane_engine::{End, Fate};
use postlane_mail::QueueId;
use postlane_spool::Recovered;

/// One recipient of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Addressee {
    pub(crate) message: QueueId,
    pub(crate) index: u16,
}

/// What we know of a message that a host has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// The host said so, or is about to.
    Answered,
    /// The connection died after the dot, before its answer.
    Unknown,
    /// We crashed, and what was durable did not know that this recipient had ended.
    Forgotten,
}

/// How many of what there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Messages answered 250.
    pub(crate) accepted: u64,
    /// Messages that were not answered 250 and yet were kept: the crash came between.
    pub(crate) unanswered: u64,
    /// Recipients whose message a host took.
    pub(crate) taken: u64,
    /// Second and later takings after an unknown outcome.
    pub(crate) again_after_unknown: u64,
    /// Second and later takings after a crash that forgot the first.
    pub(crate) again_after_crash: u64,
    /// Recipients that ended with a report owed.
    pub(crate) reported: u64,
    /// Crashes and restarts after a failed disk.
    pub(crate) crashes: u64,
}

/// Everything that happened, and what it obliges to.
#[derive(Debug, Default)]
pub(crate) struct Laws {
    /// Answered 250, or said to be durable, or found in the spool.
    promised: BTreeSet<Addressee>,
    /// In the engine's hands since the last start.
    moving: BTreeSet<Addressee>,
    /// Promised, and no longer in the spool at a crash.
    gone: BTreeSet<Addressee>,
    takings: BTreeMap<Addressee, Vec<Taking>>,
    /// Given up, and the report that says so; none when the reverse-path is null.
    given_up: BTreeMap<Addressee, Option<QueueId>>,
    store_failed: bool,
    pub(crate) tally: Tally,
}

impl Tally {
    pub(crate) fn add(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.unanswered += more.unanswered;
        self.taken += more.taken;
        self.again_after_unknown += more.again_after_unknown;
        self.again_after_crash += more.again_after_crash;
        self.reported += more.reported;
        self.crashes += more.crashes;
    }
}

impl Addressee {
    pub(crate) fn of(message: QueueId, indices: impl IntoIterator<Item = u16>) -> Vec<Self> {
        indices.into_iter().map(|index| Self { message, index }).collect()
    }
}

impl Laws {
    /// A client has heard 250.
    pub(crate) fn accepted(&mut self, addressees: Vec<Addressee>) {
        self.tally.accepted += 1;
        self.promised.extend(addressees);
    }

    /// The engine is told of a message, which is durable.
    pub(crate) fn submitted(&mut self, addressees: &[Addressee]) {
        self.promised.extend(addressees);
        for addressee in addressees {
            assert!(self.moving.insert(*addressee), "{addressee:?} was submitted twice");
            assert!(!self.gone.contains(addressee), "{addressee:?} had ended before the start");
        }
    }

    /// The engine tries recipients.
    pub(crate) fn tried(&self, addressees: &[Addressee]) {
        assert!(!self.store_failed, "{addressees:?} were tried though the spool has failed");
        for addressee in addressees {
            assert!(self.moving.contains(addressee), "{addressee:?} is tried and is not waiting");
        }
    }

    /// A host has taken the message for one.
    pub(crate) fn taken(&mut self, addressee: Addressee) {
        let before = self.takings.entry(addressee).or_default();
        assert!(
            !before.contains(&Taking::Answered),
            "{addressee:?} is delivered again after an answer that was not forgotten: {before:?}"
        );
        match before.last() {
            None => self.tally.taken += 1,
            Some(Taking::Unknown) => self.tally.again_after_unknown += 1,
            Some(_) => self.tally.again_after_crash += 1,
        }
        before.push(Taking::Answered);
    }

    /// The connection died after the dot, before the host's answer came.
    pub(crate) fn unknown(&mut self, addressee: Addressee) {
        if let Some(last) = self.takings.get_mut(&addressee).and_then(|takings| takings.last_mut())
        {
            *last = Taking::Unknown;
        }
    }

    /// The engine says where a recipient stands.
    pub(crate) fn settled(&mut self, addressee: Addressee, fate: &Fate) {
        assert!(self.moving.contains(&addressee), "{addressee:?} has ended before: {fate:?}");
        let Fate::Ended(end) = fate else { return };
        self.moving.remove(&addressee);
        if *end == End::Delivered {
            let taken = self.takings.get(&addressee).and_then(|takings| takings.last());
            assert_eq!(taken, Some(&Taking::Answered), "{addressee:?} was taken by no host");
        }
    }

    /// The batch that ends a recipient and reports it is on its way to the spool.
    pub(crate) fn given_up(&mut self, addressee: Addressee, report: Option<QueueId>) {
        self.tally.reported += u64::from(report.is_some());
        self.given_up.insert(addressee, report);
    }

    pub(crate) fn store_failed(&mut self) {
        self.store_failed = true;
    }

    /// The program is gone; this is what the spool still has.
    pub(crate) fn crashed(&mut self, recovered: &[Recovered]) {
        self.tally.crashes += 1;
        let mut kept = BTreeSet::new();
        for message in recovered {
            let indices = message.recipients.iter().map(|(index, _)| *index);
            let addressees = Addressee::of(message.id, indices);
            let known = addressees.iter().any(|a| self.promised.contains(a));
            self.tally.unanswered += u64::from(!known);
            kept.extend(addressees);
        }
        self.check_reports(&kept);
        for addressee in self.promised.difference(&kept) {
            assert!(self.is_answered_for(*addressee, &kept), "{addressee:?} is lost");
        }
        for addressee in &kept {
            self.given_up.remove(addressee);
            assert!(!self.gone.contains(addressee), "{addressee:?} came back from its end");
            for taking in self.takings.get_mut(addressee).into_iter().flatten() {
                if *taking == Taking::Answered {
                    *taking = Taking::Forgotten;
                }
            }
        }
        self.promised.extend(&kept);
        self.gone.extend(self.promised.difference(&kept));
        self.moving.clear();
        self.store_failed = false;
    }

    /// An end and the report it owes are durable together.
    fn check_reports(&self, kept: &BTreeSet<Addressee>) {
        for (addressee, report) in &self.given_up {
            let Some(message) = *report else { continue };
            let report = Addressee { message, index: 0 };
            let is_durable = kept.contains(&report) || self.promised.contains(&report);
            assert!(
                !(is_durable && kept.contains(addressee)),
                "{addressee:?} is reported in {message} and still in the spool"
            );
        }
    }

    /// Whether there is a reason that a promised recipient is no longer in the spool.
    fn is_answered_for(&self, addressee: Addressee, kept: &BTreeSet<Addressee>) -> bool {
        let takings = self.takings.get(&addressee);
        let report = |report: Option<QueueId>| {
            report.is_none_or(|message| {
                let report = Addressee { message, index: 0 };
                kept.contains(&report) || self.promised.contains(&report)
            })
        };
        takings.is_some_and(|takings| takings.contains(&Taking::Answered))
            || self.given_up.get(&addressee).is_some_and(|id| report(*id))
    }
}
