//! Room is given back, and nobody waits for it.

use std::time::Duration;

use bytes::Bytes;
use postlane_mail::{Place, QueueId};

use super::super::Settings;
use super::super::faulty::Faulty;
use super::rig::{Rig, SETTINGS, id, message, progress, reply};
use crate::store::{Change, Changes, Fate, Key, Seq, Store as _, Urgency};

fn change(place: Place, recipient: u16, fate: Fate) -> Change {
    Change { id: QueueId::from_bits(0), place, recipient, fate }
}

fn changes(seq: u64, recipients: Vec<Change>) -> Changes {
    Changes { seq: Seq(seq), urgency: Urgency::Now, recipients, ..Changes::default() }
}

fn insert(rig: &mut Rig, number: u64, recipients: u16, octets: usize) -> Place {
    let ticket = rig.disk.insert(message(number, recipients, octets));
    rig.step();
    ticket.wait().unwrap()
}

/// Steps until nothing is written any more.
fn settle(rig: &mut Rig) {
    for _ in 0..2000 {
        rig.wait(Duration::from_millis(30));
        rig.step();
    }
}

#[test]
fn stragglers_and_what_is_known_of_them_are_copied_forward_and_old_places_go_on_working() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    // In the first segment: one recipient of three done, one deferred in some later segment.
    let straggler = insert(&mut rig, 1, 3, 100);
    rig.disk.commit(changes(1, vec![change(straggler, 2, Fate::Done)]));
    let mut seq = 1;
    for n in 2..300 {
        let place = insert(&mut rig, n, 1, 900);
        seq += 1;
        rig.disk.commit(changes(seq, vec![change(place, 0, Fate::Done)]));
        if n == 150 {
            let fate = Fate::Waiting(progress(3), Some(reply(3)));
            rig.disk.commit(changes(seq, vec![change(straggler, 1, fate)]));
        }
    }
    settle(&mut rig);
    let usage = rig.disk.usage();
    assert_eq!(usage.messages, 1);
    assert!(usage.segments <= 3, "{usage:?}");
    assert!(volume.used() < 3 * 2 * SETTINGS.segment_octets, "{} octets", volume.used());
    assert!(volume.all().keys().all(|name| !name.starts_with("00000001.")));
    // The place of before still finds it, and what is said of it holds.
    assert_eq!(rig.disk.read(straggler).unwrap().id, id(1));
    assert_eq!(rig.disk.progress(straggler).unwrap(), [(1, progress(3), Some(reply(3)))]);
    rig.disk.commit(changes(seq + 1, vec![change(straggler, 0, Fate::Done)]));
    rig.step();
    let opened = Rig::open(&volume.after_crash(5), SETTINGS).unwrap();
    assert_eq!(opened.recovered.len(), 1);
    assert_eq!(opened.recovered[0].recipients, [(1, progress(3))]);
    // The last recipient is done by the oldest name there is.
    rig.disk.commit(changes(seq + 2, vec![change(straggler, 1, Fate::Done)]));
    rig.step();
    assert_eq!(rig.disk.usage().messages, 0);
    assert_eq!(Rig::open(&volume.after_crash(5), SETTINGS).unwrap().recovered.len(), 0);
}

#[test]
fn keyed_state_outlives_its_segment_and_removed_state_does_not_come_back() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let keyed = |seq, key: &str, value: Option<&'static [u8]>| Changes {
        keyed: vec![(Key(key.into()), value.map(Bytes::from_static))],
        ..changes(seq, Vec::new())
    };
    rig.disk.commit(keyed(1, "kept", Some(b"1")));
    rig.disk.commit(keyed(2, "gone", Some(b"2")));
    let mut seq = 2;
    for n in 1..200 {
        let place = insert(&mut rig, n, 1, 900);
        seq += 1;
        rig.disk.commit(changes(seq, vec![change(place, 0, Fate::Done)]));
        if n == 7 {
            rig.disk.commit(keyed(seq, "gone", None));
        }
        // At every moment: what a crash leaves says the same.
        if n > 7 && n % 9 == 0 {
            let opened = Rig::open(&volume.after_crash(n), SETTINGS).unwrap();
            let found = opened.rig.disk.keyed("");
            assert_eq!(found, [(Key("kept".into()), Bytes::from_static(b"1"))]);
        }
    }
    settle(&mut rig);
    assert!(rig.disk.usage().segments <= 3, "{:?}", rig.disk.usage());
    let opened = Rig::open(&volume.after_crash(3), SETTINGS).unwrap();
    assert_eq!(opened.rig.disk.keyed("").len(), 1);
}

#[test]
fn what_is_copied_between_two_batches_is_bounded() {
    let settings = Settings { segment_octets: 8 << 20, ..SETTINGS };
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, settings).unwrap().rig;
    // Small ones, of which every fortieth stays, and large ones, of which two stay.
    let small: Vec<_> = (1..=8000).map(|n| rig.disk.insert(message(n, 1, 700))).collect();
    let large: Vec<_> = (9001..=9030).map(|n| rig.disk.insert(message(n, 1, 300_000))).collect();
    rig.step();
    let mut seq = 0;
    let stays = |n: usize| n.is_multiple_of(40);
    let mut done = |rig: &mut Rig, tickets: Vec<crate::Ticket>, stays: &dyn Fn(usize) -> bool| {
        let places = tickets.into_iter().map(|ticket| ticket.wait().unwrap());
        let gone = places.enumerate().filter(|(n, _)| !stays(*n));
        let gone = gone.map(|(_, place)| change(place, 0, Fate::Done)).collect();
        seq += 1;
        rig.disk.commit(changes(seq, gone));
    };
    done(&mut rig, small, &stays);
    done(&mut rig, large, &|n| n < 2);
    // The batch itself; it closes the segment.
    rig.step();
    let (mut copied, mut most) = (0, (0, 0));
    for _ in 0..2000 {
        let before = rig.written();
        rig.wait(Duration::from_millis(30));
        rig.step();
        let after = rig.written();
        let (records, octets) = (after.0 - before.0, after.1 - before.1);
        copied += records;
        most = (most.0.max(records), most.1.max(octets));
    }
    assert!(copied >= 202, "{copied}");
    assert!(most.0 <= 64, "{} records at once", most.0);
    assert!(most.1 <= (1 << 20) + 301_000, "{} octets at once", most.1);
    assert_eq!(rig.disk.usage().messages, 202);
    assert!(volume.used() < 2 << 20, "{} octets", volume.used());
    let opened = Rig::open(&volume.after_crash(1), settings).unwrap();
    assert_eq!(opened.recovered.len(), 202);
}

#[test]
fn a_segment_that_says_much_is_left_alone() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let places: Vec<Place> = (1..=40).map(|n| insert(&mut rig, n, 1, 500)).collect();
    let half = places.iter().step_by(2).map(|place| change(*place, 0, Fate::Done)).collect();
    rig.disk.commit(changes(1, half));
    settle(&mut rig);
    let before = rig.written();
    settle(&mut rig);
    assert_eq!(rig.written(), before);
    let copied = &rig.disk.tally().copied;
    assert_eq!(copied.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn keyed_state_is_found_by_its_name_and_looked_at_where_it_lies() {
    let mut rig = Rig::open(&Faulty::default(), SETTINGS).unwrap().rig;
    let keyed = ["a/1", "a/2", "ab", "b/1"]
        .map(|key| (Key(key.into()), Some(Bytes::copy_from_slice(key.as_bytes()))));
    rig.disk.commit(Changes { keyed: keyed.into(), ..changes(1, Vec::new()) });
    rig.step();
    let value = |key: &str| rig.disk.keyed_value(&Key(key.into()));
    assert_eq!(value("a/2"), Some(Bytes::from_static(b"a/2")));
    assert_eq!(value("a/"), None);
    let seen: Vec<String> = rig.disk.look_at_keyed("a/", |keyed| {
        keyed.map(|(key, value)| format!("{key}={}", value.len())).collect()
    });
    assert_eq!(seen, ["a/1=3", "a/2=3"]);
}

#[test]
fn much_keyed_state_and_many_fates_are_said_again_in_bounded_steps() {
    let settings = Settings { segment_octets: 4 << 20, ..SETTINGS };
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, settings).unwrap().rig;
    // Large ones for many, of which all but one are done in the next segment; and keyed state.
    let tickets: Vec<_> = (1..=60).map(|n| rig.disk.insert(message(n, 2000, 10))).collect();
    rig.step();
    let places: Vec<Place> = tickets.into_iter().map(|ticket| ticket.wait().unwrap()).collect();
    let filler = rig.disk.insert(message(1000, 1, 4 << 20));
    rig.step();
    let filler = filler.wait().unwrap();
    for place in &places {
        let gone = (1..2000).map(|recipient| change(*place, recipient, Fate::Done)).collect();
        rig.disk.commit(changes(1, gone));
    }
    let value = Bytes::from(vec![7; 2000]);
    let keyed = (0..900).map(|n| (Key(format!("k/{n:04}").into()), Some(value.clone()))).collect();
    rig.disk.commit(Changes { keyed, ..changes(2, vec![change(filler, 0, Fate::Done)]) });
    let second = rig.disk.insert(message(1001, 1, 50 << 20));
    rig.step();
    let second = second.wait().unwrap();
    rig.disk.commit(changes(3, vec![change(second, 0, Fate::Done)]));
    rig.step();
    let mut most = 0;
    for _ in 0..600 {
        let before = rig.written();
        rig.wait(Duration::from_millis(30));
        rig.step();
        most = most.max(rig.written().1 - before.1);
    }
    assert!(rig.disk.tally().removed.load(std::sync::atomic::Ordering::Relaxed) >= 1);
    assert!(volume.used() < 16 << 20, "{} octets", volume.used());
    assert!(most > 1 << 20 && most <= (1 << 20) + 40_000, "{most} octets at once");
    let opened = Rig::open(&volume.after_crash(1), settings).unwrap();
    assert_eq!(opened.rig.disk.keyed("k/").len(), 900);
    assert_eq!(opened.recovered.len(), 60);
    assert!(opened.recovered.iter().all(|r| r.recipients.len() == 1));
}

#[test]
fn nothing_is_removed_before_what_it_says_is_on_disk_elsewhere() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let keyed = vec![(Key("kept".into()), Some(Bytes::from_static(b"1")))];
    rig.disk.commit(Changes { keyed, ..changes(1, Vec::new()) });
    let places: Vec<Place> = (1..6).map(|n| insert(&mut rig, n, 1, 900)).collect();
    let gone = places.into_iter().map(|place| change(place, 0, Fate::Done)).collect();
    rig.disk.commit(changes(2, gone));
    for _ in 0..30 {
        rig.step();
        for seed in 0..16 {
            let opened = Rig::open(&volume.after_crash(seed), SETTINGS).unwrap();
            assert_eq!(opened.rig.disk.keyed("").len(), 1);
            assert_eq!(opened.recovered.len(), 0);
        }
    }
    assert!(volume.all().keys().all(|name| !name.starts_with("00000001.")));
}
