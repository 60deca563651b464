//! Crashes, failures and a full disk at every call.

use std::time::Duration;

use proptest::prelude::*;

use super::super::faulty::{Faulty, Trouble};
use super::model::{Ask, Trial, asks, passing};
use super::rig::{Rig, SETTINGS, id, message};
use crate::disk::Settings;
use crate::error::StoreError;
use crate::store::{Change, Changes, Fate, Seq, Store as _, Urgency};

/// Does all that is asked on a new volume, with trouble at a call.
fn tried(
    asks: &[Ask],
    call: u64,
    trouble: Trouble,
    short: Option<usize>,
) -> Option<(Trial, Faulty)> {
    let volume = Faulty::default();
    volume.trouble_at(call, trouble);
    if let Some(octets) = short {
        volume.append_no_more_than(octets);
    }
    let mut trial = Trial::new(&volume)?;
    asks.iter().for_each(|ask| trial.ask(ask));
    trial.step();
    Some((trial, volume))
}

/// How many calls it takes without trouble.
fn calls(asks: &[Ask]) -> u64 {
    tried(asks, u64::MAX, Trouble::Crash, None).unwrap().1.calls()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_crash_at_any_call_loses_nothing_acknowledged_and_halves_nothing(
        asked in asks(40),
        then in asks(12),
        seed in any::<u64>(),
    ) {
        for call in 1..=calls(&asked) {
            let Some((trial, volume)) = tried(&asked, call, Trouble::Crash, None) else { continue };
            // It goes on after the restart, and crashes again.
            let left = volume.after_crash(seed ^ call);
            let mut trial = trial.reopened(&left);
            then.iter().for_each(|ask| trial.ask(ask));
            trial.step();
            drop(trial.reopened(&left.after_crash(seed.wrapping_add(call))));
        }
    }

    #[test]
    fn a_crash_while_room_is_given_back_loses_nothing_and_brings_nothing_back(
        asked in passing(14),
        seed in any::<u64>(),
        from in 0..3u64,
    ) {
        // Every third call, since there are many.
        for call in (from..=calls(&asked)).step_by(3) {
            let Some((trial, volume)) = tried(&asked, call, Trouble::Crash, None) else { continue };
            drop(trial.reopened(&volume.after_crash(seed ^ call)));
        }
    }

    #[test]
    fn a_crash_while_coming_back_from_a_crash_changes_nothing(
        asked in asks(40),
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
    ) {
        let call = at.index(calls(&asked) as usize) as u64 + 1;
        let Some((trial, volume)) = tried(&asked, call, Trouble::Crash, None) else { return Ok(()) };
        let left = volume.after_crash(seed);
        let mut again = left.clone();
        for call in 1.. {
            let mending = left.after_crash(1);
            mending.trouble_at(call, Trouble::Crash);
            if Rig::open(&mending, SETTINGS).is_ok() {
                break;
            }
            again = mending.after_crash(seed ^ call);
        }
        drop(trial.reopened(&again));
    }

    #[test]
    fn a_failure_at_any_call_ends_in_a_clear_answer_and_loses_nothing(
        asked in asks(30),
        seed in any::<u64>(),
    ) {
        for call in 1..=calls(&asked) {
            let Some((trial, volume)) = tried(&asked, call, Trouble::Failure, None) else { continue };
            if trial.rig.ear.0.lock().failed.is_some() {
                let refused = trial.rig.disk.insert(message(9999, 1, 1)).wait();
                prop_assert_eq!(refused, Err(StoreError::Closed));
            }
            drop(trial.reopened(&volume.after_crash(seed ^ call)));
        }
    }

    #[test]
    fn a_disk_that_takes_a_few_octets_at_once_keeps_all_of_them(asked in asks(30), most in 1..70usize) {
        let (trial, volume) = tried(&asked, u64::MAX, Trouble::Crash, Some(most)).unwrap();
        prop_assert!(trial.rig.ear.0.lock().failed.is_none());
        drop(trial.reopened(&volume.after_crash(1)));
    }

    #[test]
    fn on_a_full_disk_mail_is_refused_and_what_was_delivered_is_written_later(
        before in asks(30),
        full in asks(30),
        left in 0..2000u64,
        seed in any::<u64>(),
    ) {
        let (mut trial, volume) = tried(&before, u64::MAX, Trouble::Crash, None).unwrap();
        volume.set_room(Some(volume.used() + left));
        full.iter().for_each(|ask| trial.ask(ask));
        trial.step();
        volume.set_room(None);
        trial.rig.wait(Duration::from_secs(2));
        trial.step();
        trial.rig.wait(Duration::from_secs(2));
        trial.ask(&Ask::Insert { recipients: 1, octets: 10 });
        trial.step();
        prop_assert_eq!(&trial.rig.ear.0.lock().failed, &None);
        drop(trial.reopened(&volume.after_crash(seed)));
    }
}

/// One segment is enough, and ten thousand octets are to stay free.
const WATERMARK: Settings = Settings {
    segment_octets: 1 << 20,
    free_octets_min: 10_000,
    free_percent_min: 100,
    ..SETTINGS
};

#[test]
fn a_disk_that_was_full_takes_mail_again_when_its_only_segment_is_done() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, WATERMARK).unwrap().rig;
    let tickets: Vec<_> = (1..40).map(|n| rig.disk.insert(message(n, 1, 1000))).collect();
    rig.step();
    let places: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().unwrap()).collect();
    volume.set_room(Some(volume.used() + 6000));
    rig.wait(Duration::from_secs(2));
    rig.step();
    assert!(rig.disk.is_full());
    for place in places {
        rig.disk.commit(Changes {
            recipients: vec![Change { id: id(1), place, recipient: 0, fate: Fate::Done }],
            ..Changes::default()
        });
        rig.step();
    }
    // Nobody brings mail to a full disk: it looks again by itself.
    for _ in 0..20 {
        rig.wait(Duration::from_secs(2));
        rig.step();
    }
    let files: Vec<String> = volume.all().into_keys().collect();
    assert!(!rig.disk.is_full(), "{} octets are used by {files:?}", volume.used());
    let ticket = rig.disk.insert(message(50, 1, 1000));
    rig.step();
    assert!(ticket.wait().is_ok());
}

/// Forty messages on a disk that keeps something aside, and then has not one octet free; where each
/// message is.
fn forty_on_a_full_disk(volume: &Faulty, settings: Settings) -> (Rig, Vec<postlane_mail::Place>) {
    let mut rig = Rig::open(volume, settings).unwrap().rig;
    let tickets: Vec<_> = (1..=40).map(|n| rig.disk.insert(message(n, 1, 300))).collect();
    rig.step();
    let places = tickets.into_iter().map(|ticket| ticket.wait().unwrap()).collect();
    assert!(volume.all().contains_key("reserve"));
    volume.set_room(Some(volume.used()));
    rig.wait(Duration::from_secs(2));
    rig.step();
    (rig, places)
}

fn done(n: u64, place: postlane_mail::Place) -> Changes {
    let recipients = vec![Change { id: id(n), place, recipient: 0, fate: Fate::Done }];
    Changes { seq: Seq(n), urgency: Urgency::Now, recipients, ..Changes::default() }
}

#[test]
fn what_is_delivered_on_a_disk_without_a_free_octet_is_written_into_the_reserve() {
    let volume = Faulty::default();
    let settings = Settings { segment_octets: 1 << 20, reserve_octets: 8192, ..SETTINGS };
    let (mut rig, places) = forty_on_a_full_disk(&volume, settings);
    for (n, place) in (1..).zip(places) {
        rig.disk.commit(done(n, place));
    }
    rig.step();
    assert_eq!(rig.ear.0.lock().upto, Seq(40));
    assert!(!volume.all().contains_key("reserve"));
    let again = Rig::open(&volume.after_crash(7), settings).unwrap();
    assert_eq!(again.recovered.len(), 0, "nothing is delivered again");
    // What is kept aside comes back with the room.
    volume.set_room(None);
    rig.wait(Duration::from_secs(2));
    rig.step();
    assert!(volume.all().contains_key("reserve"));
}

#[test]
fn a_store_opens_on_a_disk_without_a_free_octet_and_refuses_mail() {
    let volume = Faulty::default();
    let settings =
        Settings { reserve_octets: 8192, free_octets_min: 1, free_percent_min: 100, ..SETTINGS };
    drop(forty_on_a_full_disk(&volume, settings));
    let opened = Rig::open(&volume, settings).unwrap();
    assert_eq!(opened.recovered.len(), 40);
    assert_eq!(opened.report.findings, []);
    assert!(!volume.all().contains_key("reserve"));
}

/// Twenty messages, which fill the open segment; what comes then is refused, and an outcome is still written.
fn take_until_full(rig: &mut Rig) {
    let tickets: Vec<_> = (1..=20).map(|n| rig.disk.insert(message(n, 1, 300))).collect();
    rig.step();
    let places: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().unwrap()).collect();
    rig.wait(Duration::from_secs(2));
    rig.step();
    assert!(matches!(rig.disk.insert(message(21, 1, 300)).wait(), Err(StoreError::Full(_))));
    rig.disk.commit(done(1, places[0]));
    rig.step();
    assert_eq!(rig.ear.0.lock().upto, Seq(1));
}

#[test]
fn without_a_name_for_the_next_segment_mail_is_refused_and_outcomes_go_on_in_the_open_one() {
    let volume = Faulty::default();
    let settings = Settings { segment_octets: 4096, ..SETTINGS };
    let mut rig = Rig::open(&volume, settings).unwrap().rig;
    volume.set_names_max(Some(1));
    take_until_full(&mut rig);
    assert_eq!(rig.ear.0.lock().full, [true]);
    let left = volume.after_crash(3);
    left.set_names_max(None);
    assert_eq!(Rig::open(&left, settings).unwrap().recovered.len(), 19);
    // By itself, when there is one again.
    volume.set_names_max(None);
    rig.wait(Duration::from_secs(2));
    rig.step();
    rig.wait(Duration::from_secs(2));
    rig.step();
    let ticket = rig.disk.insert(message(22, 1, 300));
    rig.step();
    assert_eq!(ticket.wait().map(|place| place.segment), Ok(2));
    assert_eq!(rig.ear.0.lock().full, [true, false]);
    assert_eq!(rig.ear.0.lock().failed, None);
}

#[test]
fn without_a_descriptor_for_the_next_segment_mail_waits_and_the_spool_does_not_fail() {
    let volume = Faulty::default();
    let settings = Settings { segment_octets: 4096, ..SETTINGS };
    let mut rig = Rig::open(&volume, settings).unwrap().rig;
    volume.set_out_of_descriptors(true);
    take_until_full(&mut rig);
    assert_eq!(rig.ear.0.lock().failed, None);
    // Others have let go of some.
    volume.set_out_of_descriptors(false);
    for _ in 0..2 {
        rig.wait(Duration::from_secs(2));
        rig.step();
    }
    let ticket = rig.disk.insert(message(22, 1, 300));
    rig.step();
    assert_eq!(ticket.wait().map(|place| place.segment), Ok(2));
    assert_eq!(rig.ear.0.lock().full, [true, false]);
}

#[test]
fn a_disk_that_fills_faster_than_it_is_looked_at_is_looked_at_sooner() {
    let volume = Faulty::default();
    volume.set_room(Some(60_000));
    let mut rig = Rig::open(&volume, WATERMARK).unwrap().rig;
    for n in 1..200 {
        drop(rig.disk.insert(message(n, 1, 300)));
        rig.step();
    }
    let used = volume.used();
    assert!((45_000..=50_500).contains(&used), "{used} octets are used");
}

#[test]
fn a_full_disk_is_looked_at_again_though_nobody_asks() {
    let volume = Faulty::default();
    let settings = Settings { free_octets_min: 2000, free_percent_min: 100, ..SETTINGS };
    let mut rig = Rig::open(&volume, settings).unwrap().rig;
    assert!(rig.sleeps_until_something());
    volume.set_room(Some(volume.used() + 1000));
    rig.wait(Duration::from_secs(2));
    rig.step();
    assert!(rig.disk.is_full());
    assert!(!rig.sleeps_until_something());
    volume.set_room(None);
    rig.wait(Duration::from_secs(2));
    rig.step();
    assert!(!rig.disk.is_full());
}

#[test]
fn a_sync_that_fails_is_told_and_never_tried_again() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let first = rig.disk.insert(message(1, 1, 10));
    rig.step();
    assert!(first.wait().is_ok());
    let second = rig.disk.insert(message(2, 1, 10));
    // The write, and then the sync.
    volume.trouble_at(volume.calls() + 2, Trouble::Failure);
    rig.step();
    let behind = rig.disk.insert(message(3, 1, 10));
    assert!(matches!(second.wait(), Err(StoreError::Unknown(_))));
    assert_eq!(behind.wait(), Err(StoreError::Closed));
    assert!(matches!(rig.ear.0.lock().failed, Some(StoreError::Unknown(_))));
    let calls = volume.calls();
    rig.step();
    rig.wait(Duration::from_secs(5));
    rig.step();
    assert_eq!(volume.calls(), calls);
}

#[test]
fn what_may_wait_is_synced_within_20_ms_and_not_before() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    rig.disk.commit(Changes { seq: Seq(1), urgency: Urgency::Soon, ..Changes::default() });
    rig.step();
    rig.step();
    assert_eq!(rig.ear.0.lock().upto, Seq(0));
    rig.wait(Duration::from_millis(13));
    rig.step();
    assert_eq!(rig.ear.0.lock().upto, Seq(1));
}

#[test]
fn a_spool_that_was_closed_comes_back_without_reading_its_segments() {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let tickets: Vec<_> = (1..40).map(|n| rig.disk.insert(message(n, 1, 300))).collect();
    rig.step();
    assert!(tickets.into_iter().all(|ticket| ticket.wait().is_ok()));
    rig.end().unwrap();
    let mut files = volume.all();
    // Only the headers are left of the segments.
    for (name, octets) in &mut files {
        if name.ends_with(".seg") {
            octets[32..].fill(0);
        }
    }
    let opened = Rig::open(&Faulty::with(&files), SETTINGS).unwrap();
    let mut ids: Vec<_> = opened.recovered.iter().map(|r| r.id).collect();
    ids.sort();
    assert_eq!(ids, (1..40).map(id).collect::<Vec<_>>());
}
