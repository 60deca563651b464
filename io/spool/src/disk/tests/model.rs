//! What a store is asked for, and what it may then hold: everything up to some point that is not
//! before the last thing it has acknowledged.

use std::collections::BTreeMap;
use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use postlane_mail::{Place, Progress, QueueId};
use proptest::prelude::*;

use super::super::faulty::Faulty;
use super::rig::{Opened, Rig, SETTINGS, id, message, progress, reply, shape, text};
use crate::error::StoreError;
use crate::store::{Change, Changes, Fate, Key, Seq, Store as _, Urgency};
use crate::ticket::Ticket;

/// What is asked of a store.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Insert {
        recipients: u16,
        octets: usize,
    },
    /// The fate of a recipient, or of two at once; perhaps with a message that is owed for it.
    Change {
        which: usize,
        recipient: u16,
        fate: Option<u16>,
        owes: bool,
        urgency: Urgency,
    },
    Key {
        key: u8,
        value: Option<u8>,
    },
    /// What was asked so far is one batch.
    Step,
    /// A message comes, and goes.
    Pass {
        octets: usize,
    },
    /// Nothing is asked for a while.
    Rest,
}

pub(super) fn asks(many: usize) -> impl Strategy<Value = Vec<Ask>> {
    let urgency = prop_oneof![Just(Urgency::Soon), Just(Urgency::Now)];
    let change = (any::<usize>(), 0..3u16, prop::option::weighted(0.4, 1..9u16), 0..6u8, urgency);
    let ask = prop_oneof![
        6 => (1..4u16, 0..1500usize).prop_map(|(recipients, octets)| Ask::Insert { recipients, octets }),
        9 => change.prop_map(|(which, recipient, fate, owes, urgency)| {
            Ask::Change { which, recipient, fate, owes: owes == 0, urgency }
        }),
        2 => (0..3u8, prop::option::of(any::<u8>())).prop_map(|(key, value)| Ask::Key { key, value }),
        8 => Just(Ask::Step),
    ];
    prop::collection::vec(ask, 1..many)
}

/// A few messages that stay, with all that becomes of them, among many that come and go.
pub(super) fn passing(many: usize) -> impl Strategy<Value = Vec<Ask>> {
    let ask = prop_oneof![
        3 => asks(4),
        4 => (900..1600usize).prop_map(|octets| vec![Ask::Pass { octets }; 3]),
        2 => Just(vec![Ask::Rest]),
    ];
    let first = Just(vec![Ask::Insert { recipients: 3, octets: 20 }, Ask::Step]);
    (first, prop::collection::vec(ask, many)).prop_map(|(mut first, then)| {
        first.extend(then.into_iter().flatten());
        first
    })
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Held {
    messages: BTreeMap<QueueId, BTreeMap<u16, Progress>>,
    keys: BTreeMap<Key, Bytes>,
}

/// Something that was asked, and how it was answered.
struct Asked {
    inserts: Option<(QueueId, u16)>,
    change: Option<(QueueId, u16, Option<u16>)>,
    key: Option<(Key, Option<Bytes>)>,
    answer: Answer,
}

#[derive(Debug, PartialEq)]
enum Answer {
    None,
    Done,
    Refused,
}

/// A store under test, and all that was asked of it since it was opened.
pub(super) struct Trial {
    pub(super) rig: Rig,
    base: Held,
    asked: Vec<Asked>,
    tickets: Vec<(usize, Ticket)>,
    places: BTreeMap<QueueId, Place>,
    next: u64,
}

impl Held {
    fn take(&mut self, asked: &Asked) {
        if let Some((id, recipients)) = asked.inserts {
            let fresh = (0..recipients).map(|recipient| (recipient, Progress::default()));
            self.messages.insert(id, fresh.collect());
        }
        if let Some((id, recipient, fate)) = asked.change
            && let Some(recipients) = self.messages.get_mut(&id)
        {
            match fate {
                None => drop(recipients.remove(&recipient)),
                Some(attempts) => {
                    recipients.entry(recipient).and_modify(|known| *known = progress(attempts));
                }
            }
            if recipients.is_empty() {
                self.messages.remove(&id);
            }
        }
        if let Some((key, value)) = &asked.key {
            match value {
                Some(value) => drop(self.keys.insert(key.clone(), value.clone())),
                None => drop(self.keys.remove(key)),
            }
        }
    }
}

impl Trial {
    /// A store on an empty volume.
    pub(super) fn new(volume: &Faulty) -> Option<Self> {
        let Opened { rig, .. } = Rig::open(volume, SETTINGS).ok()?;
        Some(Self::begin(rig, Held::default(), BTreeMap::new(), 0))
    }

    fn begin(rig: Rig, base: Held, places: BTreeMap<QueueId, Place>, next: u64) -> Self {
        Self { rig, base, asked: Vec::new(), tickets: Vec::new(), places, next }
    }

    pub(super) fn ask(&mut self, ask: &Ask) {
        match *ask {
            Ask::Insert { recipients, octets } => {
                self.next += 1;
                let insertion = message(self.next, recipients, octets);
                self.tickets.push((self.asked.len(), self.rig.disk.insert(insertion)));
                self.note(Some((id(self.next), recipients)), None, None);
            }
            Ask::Change { which, recipient, fate, owes, urgency } => {
                let Some(nth) = which.checked_rem(self.places.len()) else { return };
                let (changed, place) = self.places.iter().nth(nth).map(|(i, p)| (*i, *p)).unwrap();
                let written = fate.map_or(Fate::Done, |attempts| {
                    Fate::Waiting(progress(attempts), Some(reply(attempts)))
                });
                let change = Change { id: changed, place, recipient, fate: written };
                let mut changes = self.changes(urgency);
                changes.recipients.push(change);
                let owed = owes.then(|| {
                    self.next += 1;
                    changes.insertions.push(message(self.next, 1, 20));
                    (id(self.next), 1)
                });
                self.rig.disk.commit(changes);
                self.note(owed, Some((changed, recipient, fate)), None);
            }
            Ask::Key { key, value } => {
                let key = Key(format!("key/{key}").into());
                let value = value.map(|value| Bytes::from(vec![value; 30]));
                let mut changes = self.changes(Urgency::Soon);
                changes.keyed.push((key.clone(), value.clone()));
                self.rig.disk.commit(changes);
                self.note(None, None, Some((key, value)));
            }
            Ask::Step => self.step(),
            Ask::Pass { octets } => self.pass(octets),
            Ask::Rest => (0..12).for_each(|_| self.step()),
        }
    }

    fn pass(&mut self, octets: usize) {
        self.ask(&Ask::Insert { recipients: 1, octets });
        self.step();
        let passing = id(self.next);
        let Some(place) = self.places.remove(&passing) else { return };
        let mut changes = self.changes(Urgency::Soon);
        changes.recipients.push(Change { id: passing, place, recipient: 0, fate: Fate::Done });
        self.rig.disk.commit(changes);
        self.note(None, Some((passing, 0, None)), None);
    }

    fn changes(&self, urgency: Urgency) -> Changes {
        let seq = Seq(self.asked.len() as u64 + 1);
        Changes { seq, urgency, ..Changes::default() }
    }

    fn note(
        &mut self,
        inserts: Option<(QueueId, u16)>,
        change: Option<(QueueId, u16, Option<u16>)>,
        key: Option<(Key, Option<Bytes>)>,
    ) {
        self.asked.push(Asked { inserts, change, key, answer: Answer::None });
    }

    /// The store writes what waits, and what it says is noted.
    pub(super) fn step(&mut self) {
        self.rig.step();
        let mut heard = self.rig.ear.0.lock();
        for inserted in std::mem::take(&mut heard.inserted) {
            self.places.insert(inserted.id, inserted.place);
        }
        let upto = heard.upto.0 as usize;
        drop(heard);
        for asked in
            self.asked.iter_mut().take(upto).filter(|a| a.change.is_some() || a.key.is_some())
        {
            asked.answer = Answer::Done;
        }
        let mut cx = Context::from_waker(Waker::noop());
        for (nth, mut ticket) in std::mem::take(&mut self.tickets) {
            self.asked[nth].answer = match pin!(&mut ticket).poll(&mut cx) {
                Poll::Pending => {
                    self.tickets.push((nth, ticket));
                    continue;
                }
                Poll::Ready(Ok(_)) => Answer::Done,
                Poll::Ready(Err(StoreError::Full(_) | StoreError::Closed)) => Answer::Refused,
                // Nobody knows: it may be there or not.
                Poll::Ready(Err(_)) => continue,
            };
        }
    }

    /// Opens what is left of the store and says whether that is what it may be.
    pub(super) fn reopened(self, left: &Faulty) -> Self {
        let opened = Rig::open(left, SETTINGS).unwrap();
        let lost = opened.report.findings.iter().find(|finding| finding.wrong.is_loss());
        assert_eq!(lost, None);
        let store = &opened.rig.disk;
        let held = Held {
            messages: shape(&opened.recovered),
            keys: store.keyed("").into_iter().collect(),
        };
        self.assert_may_be(&held);
        let mut places = BTreeMap::new();
        for recovered in &opened.recovered {
            places.insert(recovered.id, recovered.place);
            let stored = store.read(recovered.place).unwrap();
            assert_eq!(stored.id, recovered.id);
            assert_eq!(stored.message, text(recovered.id.bits() >> 8, stored.message.len()));
            let known = store.progress(recovered.place).unwrap();
            let fresh = |(_, progress): &&(u16, Progress)| *progress != Progress::default();
            assert_eq!(known.len(), recovered.recipients.iter().filter(fresh).count());
            for (recipient, progress, last) in known {
                assert!(recovered.recipients.contains(&(recipient, progress)));
                assert_eq!(last, Some(reply(progress.attempts)));
            }
        }
        Self::begin(opened.rig, held, places, self.next)
    }

    /// What is held is what was asked up to some point, and no acknowledged thing is behind it.
    fn assert_may_be(&self, held: &Held) {
        let done = self.asked.iter().rposition(|asked| asked.answer == Answer::Done);
        let least = done.map_or(0, |last| last + 1);
        let mut may_be = self.base.clone();
        for nth in 0..=self.asked.len() {
            if nth >= least && may_be == *held {
                return;
            }
            if let Some(asked) = self.asked.get(nth).filter(|a| a.answer != Answer::Refused) {
                may_be.take(asked);
            }
        }
        panic!(
            "acknowledged: {least} of {}, held: {held:#?}, at most: {may_be:#?}",
            self.asked.len()
        );
    }
}
