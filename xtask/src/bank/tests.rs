//! The bank holds what it promises.

use std::collections::BTreeSet;

use postlane_receivers::{Asking, Ms, Receiver, Room, Source, Workload};

use super::*;

fn some(count: u64) -> Vec<Scenario> {
    let words = Words::of_our_rules();
    (0..count).map(|number| Scenario::parse(&scenario(&words, 5, number).1).unwrap()).collect()
}

#[test]
fn every_scenario_can_be_read_and_the_same_seed_draws_the_same() {
    let words = Words::of_our_rules();
    for number in 0..150 {
        let (id, text) = scenario(&words, 7, number);
        assert_eq!(scenario(&words, 7, number), (id.clone(), text.clone()));
        assert_ne!(scenario(&words, 8, number).1, text);
        assert_eq!(Scenario::parse(&text).map(|one| one.meta.id).as_deref(), Ok(id.as_str()));
    }
}

#[test]
fn every_kind_and_mood_is_drawn() {
    let all = some(400);
    let limits = || all.iter().flat_map(|one| &one.receiver.limits);
    let kinds: BTreeSet<&str> = limits().map(|limit| limit.kind.as_str()).collect();
    assert_eq!(kinds.len(), 9);
    assert!(limits().any(|limit| limit.per_shard));
    assert!(limits().any(|limit| limit.tarpit.is_some()));
    assert!(limits().any(|limit| limit.background.is_some()));
    assert!(limits().any(|limit| !limit.changes.is_empty()));
    assert!(limits().any(|limit| !limit.tod.is_empty()));
    assert!(limits().any(|limit| !limit.overrides.is_empty()));
    assert!(limits().any(|limit| !limit.identity.is_empty()));
    let replies: BTreeSet<String> = limits().map(|limit| limit.reply.to_string()).collect();
    assert!(replies.len() > 150, "{}", replies.len());
}

/// Sends all in their order as soon as the receiver takes them, from the source that is first.
fn greedy_finishes(scenario: &Scenario) -> bool {
    let workload = Workload::new(scenario, 1);
    let mut receiver = Receiver::new(scenario, 1);
    let mut now = Ms(0);
    for arrival in &workload.arrivals {
        now = now.max(arrival.at);
        loop {
            let mut next = None;
            let mut source = None;
            for number in 0..scenario.sender.ips.len() as u16 {
                let asking =
                    Asking { source: Source(number), conn: None, to: arrival.to, reserve: 0 };
                match receiver.would_take(now, asking) {
                    Room::Now => source = source.or(Some(Source(number))),
                    Room::From(at) => next = Some(next.map_or(at, |next: Ms| next.min(at))),
                    Room::Unknown => {}
                }
            }
            let Some(source) = source else {
                let Some(next) = next.filter(|next| *next < scenario.meta.horizon) else {
                    return false;
                };
                now = next;
                continue;
            };
            let answer = receiver.dispatch(now, source, None, arrival.to);
            if let Some(conn) = answer.conn {
                receiver.close(now, conn);
            }
            break;
        }
    }
    true
}

#[test]
fn who_knows_the_limits_can_finish_nearly_all() {
    let all = some(40);
    let finished = all.iter().filter(|scenario| greedy_finishes(scenario)).count();
    assert!(finished >= 38, "{finished} of 40");
}

#[test]
fn every_relative_can_be_read_differs_and_is_the_same_for_the_same_seed() {
    let words = Words::of_our_rules();
    let like: Vec<String> =
        postlane_receivers::builtin().iter().map(|(_, text)| (*text).to_owned()).collect();
    for number in 0..10 * like.len() as u64 {
        let (id, text) = relative(&words, 7, number, &like).unwrap();
        assert_eq!(relative(&words, 7, number, &like).unwrap(), (id.clone(), text.clone()));
        assert_ne!(relative(&words, 8, number, &like).unwrap().1, text);
        let one = Scenario::parse(&text).unwrap_or_else(|e| panic!("{id}: {e}\n{text}"));
        let ancestor = Scenario::parse(&like[(number % like.len() as u64) as usize]).unwrap();
        assert_eq!(one.meta.id, id);
        let ids = |of: &Scenario| -> Vec<String> {
            of.receiver.limits.iter().map(|limit| limit.id.clone()).collect()
        };
        assert_eq!(ids(&one), ids(&ancestor), "the same limits");
    }
}
