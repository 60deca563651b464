//! What both stores must do alike.

use std::sync::Arc;

use bytes::Bytes;
use postlane_spool::{
    Changes, Disk, Fate, Kept, Key, Memory, Seq, Settings, Store, StoreError, Urgency,
};

use crate::fixture::{Ear, changes, envelope, message, progress};

/// A store, and how to make it do what it was asked.
struct Fixture {
    store: Arc<dyn Store>,
    ear: Ear,
    settle: Box<dyn Fn()>,
    keyed: Box<dyn Keyed>,
    _dir: Option<tempfile::TempDir>,
}

/// Tells the keyed state with a prefix.
trait Keyed: Fn(&str) -> Vec<(Key, Bytes)> {}
impl<F: Fn(&str) -> Vec<(Key, Bytes)>> Keyed for F {}

fn both() -> [Fixture; 2] {
    let ear = Ear::default();
    let memory = Arc::new(Memory::new(Kept::default(), ear.clone()));
    let (pumped, asked) = (memory.clone(), memory.clone());
    let in_memory = Fixture {
        store: memory,
        ear,
        settle: Box::new(move || pumped.pump(usize::MAX)),
        keyed: Box::new(move |prefix| asked.keyed(prefix)),
        _dir: None,
    };
    let dir = tempfile::tempdir().unwrap();
    let ear = Ear::default();
    let disk = Disk::open(dir.path(), Settings::default(), ear.clone()).unwrap().store;
    let (probe, asked) = (disk.clone(), disk.clone());
    let on_disk = Fixture {
        store: disk,
        ear,
        // Batches are done in order: when an empty one is, so are all before it.
        settle: Box::new(move || {
            let mark = message(1 << 40, 1, 1);
            let place = probe.insert(mark).wait().unwrap();
            probe.commit(changes(0, vec![(place, 0, Fate::Done)]));
            let place = probe.insert(message(1 << 41, 1, 1)).wait().unwrap();
            probe.commit(changes(0, vec![(place, 0, Fate::Done)]));
        }),
        keyed: Box::new(move |prefix| asked.keyed(prefix)),
        _dir: Some(dir),
    };
    [in_memory, on_disk]
}

#[test]
fn a_message_comes_back_octet_for_octet() {
    for fixture in both() {
        let tickets: Vec<_> = (1..20).map(|n| fixture.store.insert(message(n, 3, 1000))).collect();
        (fixture.settle)();
        for (n, ticket) in (1..20).zip(tickets) {
            let place = ticket.wait().unwrap();
            let stored = fixture.store.read(place).unwrap();
            assert_eq!(stored.envelope, envelope(3));
            assert_eq!(stored.id, message(n, 3, 1000).id);
            assert_eq!(&*stored.facts, b"facts");
            assert_eq!(stored.message, message(n, 3, 1000).message.concat());
            let heard = fixture.ear.0.lock();
            let inserted = heard.inserted.iter().find(|i| i.tag == n).unwrap();
            assert_eq!((inserted.place, inserted.id), (place, stored.id));
        }
    }
}

#[test]
fn who_a_message_is_for_can_be_read_alone() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 3, 1000));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        let (whole, head) = (fixture.store.read(place).unwrap(), fixture.store.read_head(place));
        let head = head.unwrap();
        assert!(head.message.is_empty());
        assert_eq!((head.id, head.envelope, head.facts), (whole.id, whole.envelope, whole.facts));
    }
}

#[test]
fn a_message_is_gone_when_its_last_recipient_is_done_and_not_before() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 2, 10));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        fixture.store.commit(changes(1, vec![(place, 1, Fate::Done)]));
        fixture.store.commit(changes(2, vec![(place, 1, Fate::Done)]));
        (fixture.settle)();
        assert!(fixture.store.read(place).is_ok());
        fixture.store.commit(changes(3, vec![(place, 0, Fate::Done)]));
        (fixture.settle)();
        assert_eq!(fixture.store.read(place).unwrap_err(), StoreError::Gone);
        // Said again, it changes nothing.
        fixture.store.commit(changes(4, vec![(place, 0, Fate::Done)]));
        (fixture.settle)();
        assert_eq!(fixture.store.read(place).unwrap_err(), StoreError::Gone);
    }
}

#[test]
fn a_recipient_that_is_done_stays_done_whatever_is_said_of_it_later() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 2, 100));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        fixture.store.commit(changes(1, vec![(place, 0, Fate::Done)]));
        fixture.store.commit(changes(2, vec![(place, 0, Fate::Waiting(progress(3).0, None))]));
        (fixture.settle)();
        let waits: Vec<u16> =
            fixture.store.progress(place).unwrap().iter().map(|(index, ..)| *index).collect();
        assert!(!waits.contains(&0), "{waits:?}");
        fixture.store.commit(changes(3, vec![(place, 1, Fate::Done)]));
        (fixture.settle)();
        assert_eq!(fixture.store.read(place).err(), Some(StoreError::Gone));
    }
}

#[test]
fn the_last_progress_of_each_recipient_is_kept() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 2, 10));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        for attempts in 1..5 {
            let (p, last) = progress(attempts);
            fixture
                .store
                .commit(changes(u64::from(attempts), vec![(place, 1, Fate::Waiting(p, last))]));
        }
        (fixture.settle)();
        let (p, last) = progress(4);
        assert_eq!(fixture.store.progress(place).unwrap(), [(1, p, last)]);
    }
}

#[test]
fn keyed_state_is_written_replaced_and_removed() {
    for fixture in both() {
        let keyed = |seq, key: &str, value: Option<&'static [u8]>| Changes {
            seq: Seq(seq),
            urgency: Urgency::Now,
            keyed: vec![(Key(key.into()), value.map(Bytes::from_static))],
            ..Changes::default()
        };
        fixture.store.commit(keyed(1, "lane/a", Some(b"1")));
        fixture.store.commit(keyed(2, "lane/b", Some(b"2")));
        fixture.store.commit(keyed(3, "lane/a", Some(b"3")));
        fixture.store.commit(keyed(4, "lane/b", None));
        fixture.store.commit(keyed(5, "other", Some(b"4")));
        (fixture.settle)();
        let found = (fixture.keyed)("lane/");
        assert_eq!(found, [(Key("lane/a".into()), Bytes::from_static(b"3"))]);
    }
}

#[test]
fn a_report_comes_with_the_outcome_that_owes_it() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 1, 10));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        let mut owed = changes(1, vec![(place, 0, Fate::Done)]);
        owed.insertions.push(message(2, 1, 500));
        fixture.store.commit(owed);
        (fixture.settle)();
        assert_eq!(fixture.store.read(place).unwrap_err(), StoreError::Gone);
        let report = fixture.ear.0.lock().inserted.iter().find(|i| i.tag == 2).unwrap().place;
        assert_eq!(
            fixture.store.read(report).unwrap().message,
            message(2, 1, 500).message.concat()
        );
    }
}

#[test]
fn a_message_that_is_for_nobody_is_not_taken() {
    for fixture in both() {
        let refused = fixture.store.insert(message(1, 0, 10)).wait();
        assert_eq!(refused, Err(StoreError::Nobody));
        let taken = fixture.store.insert(message(2, 1, 10));
        (fixture.settle)();
        assert!(taken.wait().is_ok());
    }
}

#[test]
fn keyed_state_comes_with_the_outcome_that_made_it() {
    for fixture in both() {
        let ticket = fixture.store.insert(message(1, 1, 10));
        (fixture.settle)();
        let place = ticket.wait().unwrap();
        let mut learned = changes(1, vec![(place, 0, Fate::Done)]);
        let key = Key("suppress/example.net@gone/".into());
        learned.keyed.push((key.clone(), Some(Bytes::from_static(b"5.1.1"))));
        fixture.store.commit(learned);
        (fixture.settle)();
        assert_eq!(fixture.store.read(place).unwrap_err(), StoreError::Gone);
        assert_eq!((fixture.keyed)("suppress/"), [(key, Bytes::from_static(b"5.1.1"))]);
    }
}
