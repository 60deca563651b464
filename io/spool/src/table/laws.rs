//! The table agrees with a plain account of everything that it was told, at every moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use postlane_mail::{
    BodyType, Envelope, Label, Mailbox, Place, Progress, QueueId, Recipient, ReversePath, Stream,
};
use proptest::prelude::*;

use super::{At, Table};
use crate::format::{Head, Told, encode_message};
use crate::store::{Insertion, Key};

/// What happens to a spool.
#[derive(Debug, Clone)]
enum Step {
    Comes { recipients: u16, octets: u32 },
    Done { which: usize, name: usize, recipient: u16 },
    Waits { which: usize, name: usize, recipient: u16, octets: u32 },
    Moves { which: usize },
    Ends { which: usize },
    Keyed { key: usize, value: Option<usize> },
    Seals,
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<usize>;
    prop_oneof![
        4 => (1..5u16, 1..900u32).prop_map(|(recipients, octets)| Step::Comes { recipients, octets }),
        8 => (any(), any(), 0..5u16)
            .prop_map(|(which, name, recipient)| Step::Done { which, name, recipient }),
        6 => (any(), any(), 0..5u16, 20..90u32).prop_map(|(which, name, recipient, octets)| {
            Step::Waits { which, name, recipient, octets }
        }),
        4 => any().prop_map(|which| Step::Moves { which }),
        2 => any().prop_map(|which| Step::Ends { which }),
        4 => (0..KEYS.len(), prop::option::of(1..9usize))
            .prop_map(|(key, value)| Step::Keyed { key, value }),
        3 => Just(Step::Seals),
    ]
}

const KEYS: [&str; 5] = ["a", "a/1", "a/2", "ab", "b/1"];

/// A line of the log, as it owns itself.
#[derive(Debug, Clone)]
enum Line {
    Message { ordinal: u32, offset: u32, octets: u32, recipients: u16, from: Option<Place> },
    Done { place: Place, recipient: u16 },
    Waiting { offset: u32, octets: u32, place: Place, recipient: u16 },
    Keyed { key: usize, value: Option<usize> },
    Also { place: Place, from: Place },
    Ended { segment: u32, bits: Vec<u8> },
}

impl Line {
    fn told<'a>(&'a self, heads: &'a [Vec<u8>]) -> Told<'a> {
        match self {
            &Self::Message { ordinal, offset, octets, recipients, from } => {
                let head = Head::read(&heads[usize::from(recipients)]).unwrap();
                Told::Message { ordinal, offset, octets, head, from }
            }
            &Self::Done { place, recipient } => Told::Done { place, recipient },
            &Self::Waiting { offset, octets, place, recipient } => {
                Told::Waiting { offset, octets, place, recipient, progress: Progress::default() }
            }
            &Self::Keyed { key, value } => {
                Told::Keyed { key: KEYS[key], value: value.map(|octets| &VALUE[..octets]) }
            }
            &Self::Also { place, from } => Told::Also { place, from },
            Self::Ended { segment, bits } => Told::Ended { segment: *segment, bits },
        }
    }
}

impl Line {
    /// Whether a segment is known once it has told this.
    fn is_kept(&self) -> bool {
        matches!(self, Self::Message { .. } | Self::Waiting { .. } | Self::Keyed { .. })
    }
}

const VALUE: &[u8] = &[7; 9];

/// The heads of messages to so many recipients.
fn heads() -> Vec<Vec<u8>> {
    let to = |n| Recipient::new(Mailbox::parse(&format!("r{n}@example.net")).unwrap());
    let head = |recipients: u16| {
        let envelope = Envelope {
            reverse_path: ReversePath::parse("sender@example.com").unwrap(),
            recipients: (0..recipients.max(1)).map(to).collect(),
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            stream: Stream::Engaged,
            tenant: Label::NONE,
            campaign: Label::NONE,
            engaged: None,
        };
        let (id, message) = (QueueId::from_bits(7), vec![Bytes::new()]);
        let (envelope, facts) = (Arc::new(envelope), Box::default());
        encode_message(&Insertion { id, envelope, facts, message, tag: 0 }).unwrap().body
    };
    (0..5).map(head).collect()
}

/// A message in the account.
#[derive(Debug, Clone)]
struct Mail {
    /// Where it was, where it is last.
    names: Vec<Place>,
    offset: u32,
    octets: u32,
    recipients: u16,
    waiting: BTreeMap<u16, Option<At>>,
}

impl Mail {
    fn place(&self) -> Place {
        *self.names.last().unwrap()
    }
}

/// The account, and the log that it was written from.
#[derive(Debug, Default)]
struct Account {
    segment: u32,
    offset: u32,
    many: BTreeMap<u32, u32>,
    mails: Vec<Mail>,
    keys: BTreeMap<&'static str, (usize, u32)>,
    mentioned: BTreeSet<(u32, &'static str)>,
    removed: BTreeSet<(u32, &'static str)>,
    states: BTreeMap<u32, (u64, u64)>,
    /// In which segment a fate is told, and of a message in which other.
    tells: BTreeSet<(u32, u32)>,
    log: Vec<(u32, Line)>,
}

impl Account {
    fn say(&mut self, line: Line) {
        self.log.push((self.segment, line));
    }

    fn room(&mut self, octets: u32) -> u32 {
        self.offset += octets;
        self.offset - octets
    }

    fn living(&self) -> Vec<usize> {
        (0..self.mails.len()).filter(|nth| !self.mails[*nth].waiting.is_empty()).collect()
    }

    fn pick(&self, which: usize) -> Option<usize> {
        let living = self.living();
        Some(living[which.checked_rem(living.len())?])
    }

    fn place(&mut self) -> Place {
        let many = self.many.entry(self.segment).or_default();
        *many += 1;
        Place { segment: self.segment, ordinal: *many - 1 }
    }

    fn tell_of(&mut self, of: Place) {
        if of.segment != self.segment {
            self.tells.insert((self.segment, of.segment));
        }
    }

    fn done(&mut self, nth: usize, said: Place, recipient: u16) {
        self.say(Line::Done { place: said, recipient });
        let was_there = self.mails[nth].waiting.remove(&recipient).is_some();
        if was_there {
            self.tell_of(self.mails[nth].place());
        }
    }

    fn waits(&mut self, nth: usize, said: Place, recipient: u16, octets: u32) {
        let at = At { segment: self.segment, offset: self.room(octets) };
        self.say(Line::Waiting { offset: at.offset, octets, place: said, recipient });
        let states = self.states.entry(self.segment).or_default();
        *states = (states.0 + 1, states.1 + u64::from(octets));
        let state = self.mails[nth].waiting.get_mut(&recipient);
        if state.map(|state| *state = Some(at)).is_some() {
            self.tell_of(self.mails[nth].place());
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Comes { recipients, octets } => {
                let (place, offset) = (self.place(), self.room(octets));
                let ordinal = place.ordinal;
                self.say(Line::Message { ordinal, offset, octets, recipients, from: None });
                let waiting = (0..recipients).map(|recipient| (recipient, None)).collect();
                self.mails.push(Mail { names: vec![place], offset, octets, recipients, waiting });
            }
            Step::Done { which, name, recipient } => {
                let Some(nth) = self.pick(which) else { return };
                let names = &self.mails[nth].names;
                self.done(nth, names[name % names.len()], recipient);
            }
            Step::Waits { which, name, recipient, octets } => {
                let Some(nth) = self.pick(which) else { return };
                let names = &self.mails[nth].names;
                self.waits(nth, names[name % names.len()], recipient, octets);
            }
            Step::Moves { which } => self.moves(which),
            Step::Ends { which } => {
                let Some(nth) = self.pick(which) else { return };
                let of = self.mails[nth].place();
                self.mails[nth].waiting.clear();
                // All that is over there is told with it: what moved from there lives on.
                let bits = self.ended_bits(of.segment);
                self.say(Line::Ended { segment: of.segment, bits });
                self.tell_of(of);
            }
            Step::Keyed { key, value } => {
                self.say(Line::Keyed { key, value });
                self.mentioned.insert((self.segment, KEYS[key]));
                match value {
                    Some(value) => drop(self.keys.insert(KEYS[key], (value, self.segment))),
                    None => {
                        self.keys.remove(KEYS[key]);
                        self.removed.insert((self.segment, KEYS[key]));
                    }
                }
            }
            Step::Seals => (self.segment, self.offset) = (self.segment + 1, 64),
        }
    }

    /// A message is copied forward, with all that is known of it and all its names.
    fn moves(&mut self, which: usize) {
        let Some(nth) = self.pick(which) else { return };
        let from = self.mails[nth].place();
        if from.segment == self.segment {
            return;
        }
        let Mail { names, octets, recipients, waiting, .. } = self.mails[nth].clone();
        let (place, offset) = (self.place(), self.room(octets));
        let ordinal = place.ordinal;
        self.say(Line::Message { ordinal, offset, octets, recipients, from: Some(from) });
        self.tell_of(from);
        self.mails[nth].names.push(place);
        self.mails[nth].offset = offset;
        for (recipient, _) in waiting.iter().filter(|(_, at)| at.is_some()) {
            self.waits(nth, from, *recipient, 30);
        }
        for recipient in (0..recipients).filter(|r| !waiting.contains_key(r)) {
            self.done(nth, from, recipient);
        }
        names.iter().filter(|n| **n != from).for_each(|n| self.say(Line::Also { place: *n, from }));
    }

    fn ended_bits(&self, segment: u32) -> Vec<u8> {
        let many = self.many.get(&segment).copied().unwrap_or(0) as usize;
        let mut bits = vec![0; many.div_ceil(8)];
        let there: BTreeSet<_> = self.there(segment).map(|mail| mail.place().ordinal).collect();
        for ordinal in (0..many).filter(|ordinal| !there.contains(&(*ordinal as u32))) {
            bits[ordinal / 8] |= 1 << (ordinal % 8);
        }
        bits
    }

    /// The messages that live in a segment.
    fn there(&self, segment: u32) -> impl Iterator<Item = &Mail> {
        let lives = move |mail: &&Mail| !mail.waiting.is_empty();
        self.mails.iter().filter(lives).filter(move |mail| mail.place().segment == segment)
    }

    /// The table knows where everything that lives is, and of nothing else.
    fn assert_agrees(&self, table: &Table) {
        for mail in &self.mails {
            let living: Vec<_> = mail.waiting.iter().map(|(r, at)| (*r, *at)).collect();
            let found = (!living.is_empty()).then_some((mail.place(), mail.offset, mail.octets));
            for name in &mail.names {
                assert_eq!(table.living(*name), living, "{name:?}");
                assert_eq!(table.find(*name), found, "{name:?}");
            }
            let formers: BTreeSet<_> = table.formers(mail.place()).into_iter().collect();
            let names = mail.names.iter().filter(|name| **name != mail.place()).copied();
            if found.is_some() {
                assert_eq!(formers, names.collect());
            }
        }
        assert_eq!(table.messages(), self.living().len() as u64);
    }

    /// What is counted of a segment is what can be counted in the account.
    fn assert_counted(&self, table: &Table, segment: u32) {
        let Some(room) = table.of(segment) else {
            assert!(!self.log.iter().any(|(told_in, line)| *told_in == segment && line.is_kept()));
            return;
        };
        assert!(table.segments().any(|(number, _)| number == segment));
        let crowds = self.there(segment).filter(|mail| mail.recipients > 1);
        assert!(
            room.crowds
                .keys()
                .copied()
                .eq(crowds.map(|mail| mail.place().ordinal).collect::<BTreeSet<_>>()),
            "one recipient has no crowd, and none stays behind"
        );
        assert_eq!(room.messages(), self.many.get(&segment).copied().unwrap_or(0));
        assert_eq!(room.live_messages as usize, self.there(segment).count());
        assert_eq!(room.ended_bits(), self.ended_bits(segment));
        let states = self.mails.iter().flat_map(|mail| mail.waiting.values().flatten());
        let states = states.filter(|at| at.segment == segment).count() as u64;
        assert_eq!(u64::from(room.live_states), states);
        let keys = self.keys.iter().filter(|(_, (_, written))| *written == segment);
        let key_octets = keys.clone().map(|(key, (value, _))| (key.len() + value) as u64);
        assert_eq!(room.live_keys as usize, keys.clone().count());
        let (many, octets) = self.states.get(&segment).copied().unwrap_or_default();
        let messages: u64 = self.there(segment).map(|mail| u64::from(mail.octets)).sum();
        let state = octets.checked_div(many).unwrap_or(0);
        assert_eq!(room.live_octets(), messages + states * state + key_octets.sum::<u64>());
        let half_done: BTreeMap<Place, Vec<u16>> = room.half_done(segment, 0).collect();
        let wanted = self.there(segment).filter(|m| m.waiting.len() < usize::from(m.recipients));
        let done = |m: &Mail| (0..m.recipients).filter(|r| !m.waiting.contains_key(r)).collect();
        assert_eq!(half_done, wanted.map(|mail| (mail.place(), done(mail))).collect());
        for of in self.tells.iter().filter(|(told_in, _)| *told_in == segment) {
            assert!(room.tells_of.contains(&of.1), "{segment} tells of {of:?}");
        }
        assert!(!room.tells_of.contains(&segment), "what it says of itself goes with it");
        let removed: Vec<&str> = table.removed_behind(segment, None).map(|k| &*k.0).collect();
        let wanted = self.removed.iter().filter(|(removed_in, _)| *removed_in == segment);
        assert_eq!(removed, wanted.map(|(_, key)| *key).collect::<Vec<_>>());
        for key in KEYS {
            let older = self.mentioned.iter().any(|(said_in, k)| *said_in < segment && *k == key);
            let comes_back = older && !self.keys.contains_key(key);
            assert_eq!(table.would_come_back(segment, &Key(key.into())), comes_back, "{key}");
        }
    }

    /// Looked through a little at a time, a segment shows all that lives in it, once.
    fn assert_walked(&self, table: &Table, segment: u32) {
        let Some(room) = table.of(segment) else { return };
        for (most, looked) in [(2, 3), (3, 2), (1, 9)] {
            let (mut at, mut found) = (0, Vec::new());
            while at < room.messages() {
                let (part, next) = room.living_from(at, most, looked);
                assert!(part.len() <= most && next - at <= looked as u32 && next > at);
                found.extend(part);
                at = next;
            }
            let wanted = self.there(segment).map(|mail| mail.place().ordinal);
            assert_eq!(found, Vec::from_iter(wanted.collect::<BTreeSet<_>>()));
        }
    }

    fn assert_keys(&self, table: &Table) {
        let keyed: Vec<_> = self.keys.iter().map(|(k, (v, s))| (*k, *v, *s)).collect();
        let said =
            |(key, value, written): (&Key, &Bytes, u32)| (key.0.to_string(), value.len(), written);
        let own = |(key, value, written): &(&str, usize, u32)| (key.to_string(), *value, *written);
        for (nth, (key, value, _)) in keyed.iter().enumerate() {
            let known = Key((*key).into());
            assert_eq!(table.value(&known).map(|v| v.len()), Some(*value));
            let behind: Vec<_> = table.keys_behind(Some(&known)).map(said).collect();
            assert_eq!(behind, keyed[nth + 1..].iter().map(own).collect::<Vec<_>>());
        }
        let all: Vec<_> = table.keys_behind(None).map(said).collect();
        assert_eq!(all, keyed.iter().map(own).collect::<Vec<_>>());
        for prefix in ["", "a", "a/", "b"] {
            let wanted = keyed.iter().filter(|(key, ..)| key.starts_with(prefix));
            let wanted: Vec<&str> = wanted.map(|(key, ..)| *key).collect();
            let copied = table.keys(prefix);
            assert_eq!(copied.iter().map(|(key, _)| &*key.0).collect::<Vec<_>>(), wanted);
            assert_eq!(table.keys_with(prefix).map(|(key, _)| key).collect::<Vec<_>>(), wanted);
        }
        for key in KEYS {
            assert_eq!(table.has_key(&Key(key.into())), self.keys.contains_key(key));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, ends, waits, moves and is keyed: the table finds what lives by every name
    /// it ever had, and counts of each segment what a plain account counts.
    #[test]
    fn the_table_is_a_plain_account_of_what_it_was_told(steps in prop::collection::vec(step(), 1..60)) {
        let heads = heads();
        let mut account = Account { segment: 1, offset: 64, ..Account::default() };
        let (mut table, mut heard) = (Table::default(), 0);
        for step in &steps {
            let live = |account: &Account, s: u32| account.there(s).count();
            let before: Vec<_> = (0..=account.segment).map(|s| live(&account, s)).collect();
            account.take(step);
            for (segment, line) in &account.log[heard..] {
                let place = table.hear(*segment, &line.told(&heads));
                let ordinal = match line {
                    Line::Message { ordinal, .. } => Some(*ordinal),
                    _ => None,
                };
                prop_assert_eq!(place, ordinal.map(|ordinal| Place { segment: *segment, ordinal }));
            }
            heard = account.log.len();
            account.assert_agrees(&table);
            account.assert_keys(&table);
            for segment in 1..=account.segment {
                account.assert_counted(&table, segment);
                account.assert_walked(&table, segment);
            }
            let emptied = (0..before.len() as u32)
                .filter(|s| before[*s as usize] > 0 && live(&account, *s) == 0);
            prop_assert_eq!(table.take_emptied(), emptied.collect::<Vec<_>>());
        }
        // Told twice as told once.
        for (segment, line) in &account.log {
            table.hear(*segment, &line.told(&heads));
        }
        account.assert_agrees(&table);
        account.assert_keys(&table);
        // The names of before are let go after a start; what lives is where it is.
        table.forget_moves();
        for mail in &account.mails {
            prop_assert_eq!(table.living(mail.place()).len(), mail.waiting.len());
            for former in mail.names.iter().filter(|name| **name != mail.place()) {
                prop_assert_eq!(table.living(*former), []);
            }
        }
    }

    /// What was copied forward lives on without the segments that it was in, whatever was said of
    /// it since, and by whatever name of before it was called.
    #[test]
    fn what_was_copied_needs_nothing_that_is_gone(
        before in prop::collection::vec(step(), 1..40),
        after in prop::collection::vec(step(), 0..20),
    ) {
        let heads = heads();
        let mut account = Account { segment: 1, offset: 64, ..Account::default() };
        before.iter().for_each(|step| account.take(step));
        account.take(&Step::Seals);
        let first = account.segment;
        (0..account.living().len()).for_each(|which| account.take(&Step::Moves { which }));
        after.iter().for_each(|step| account.take(step));
        let mut table = Table::default();
        for (segment, line) in account.log.iter().filter(|(segment, _)| *segment >= first) {
            table.hear(*segment, &line.told(&heads));
        }
        for mail in account.mails.iter().filter(|mail| mail.place().segment >= first) {
            let living: Vec<_> = mail.waiting.iter().map(|(r, at)| (*r, *at)).collect();
            prop_assert_eq!(table.living(mail.place()), living);
        }
        prop_assert_eq!(table.messages(), account.living().len() as u64);
        table.forget_segment(first);
        prop_assert!(table.of(first).is_none());
    }
}
