//! One limit for several sources, and limits of their own.

use std::collections::BTreeMap;

use postlane_engine::*;
use postlane_lanes::Decision;
use postlane_mail::{Family, Instant, Span};
use postlane_replies::{Diagnosis, Label};

use crate::receiver::{Receiver, Tried, refusal};

/// Refuses beyond so many accepted in any hour, of all sources or of each.
fn hourly(most: usize, counts: fn(SourceId) -> u16) -> impl FnMut(&Tried) -> Option<Diagnosis> {
    let mut taken: BTreeMap<(u16, Instant), usize> = BTreeMap::new();
    move |tried| {
        let key = counts(tried.source);
        let hour = (key, tried.at - Span::from_h(1))..=(key, tried.at);
        if taken.range(hour).map(|(_, many)| many).sum::<usize>() >= most {
            return Some(refusal(421, "4.7.0 too many messages, slow down", Label::RateLimited));
        }
        *taken.entry((key, tried.at)).or_default() += 1;
        None
    }
}

fn shares(view: &LaneView) -> bool {
    view.decisions.iter().any(|(_, of)| *of == Decision::Shares)
}

fn backlog(world: &mut Receiver<impl FnMut(&Tried) -> Option<Diagnosis>>, many: usize) {
    for _ in 0..many {
        let message = world.message();
        world.submit(message);
    }
}

#[test]
fn sources_that_one_limit_counts_find_it_together_and_are_refused_little() {
    let mut world = Receiver::new((1, 3), Limits::OfSource, hourly(90, |_| 0));
    world.takes = Span::from_ms(300);
    backlog(&mut world, 1_000);
    world.run(Span::from_h(12));
    assert!(world.views().iter().all(shares), "{:?}", world.views()[0].decisions);
    let (taken, tried) = (world.taken(), world.tried.len());
    assert!(taken >= 800, "{taken} of 1,000");
    assert!((tried - taken) * 25 <= taken, "{} refused of {tried}", tried - taken);
}

/// Messages that were tried in the first half-minute, by sources of these families.
fn begins(families: &[Family]) -> usize {
    let mut world = Receiver::with_sources(1, families, Limits::OfSource, |_| None);
    world.takes = Span::from_ms(300);
    backlog(&mut world, 1_000);
    world.run(Span::from_s(30));
    world.tried.len()
}

#[test]
fn a_source_that_the_provider_has_no_address_for_is_nobodys_sibling() {
    // Several begin more slowly, since one limit may count them all; chance moves each by a tenth.
    let several = begins(&[Family::V4, Family::V4]);
    for families in [&[Family::V4][..], &[Family::V4, Family::V6], &[Family::V6, Family::V4]] {
        let alone = begins(families);
        assert!(alone > several + several / 2, "{families:?}: {alone}, several {several}");
    }
}

#[test]
fn sources_with_limits_of_their_own_are_never_taken_for_one() {
    let mut world = Receiver::new((1, 3), Limits::OfSource, hourly(40, |source| source.0));
    world.takes = Span::from_ms(300);
    backlog(&mut world, 1_400);
    world.run(Span::from_h(12));
    assert!(!world.views().iter().any(shares));
    assert!(world.taken() >= 1_000, "{} of 1,400", world.taken());
}

#[test]
fn a_source_that_is_refused_alone_parts_from_those_it_shared_a_limit_with() {
    let begins = std::rc::Rc::new(std::cell::Cell::new(None::<Instant>));
    let blocked = begins.clone();
    let mut limit = hourly(90, |_| 0);
    let mut world = Receiver::new((1, 3), Limits::OfSource, move |tried: &Tried| {
        let is_blocked = blocked.get().is_some_and(|since| tried.at >= since);
        if is_blocked && tried.source == SourceId(1) {
            return Some(refusal(421, "4.7.0 your address is blocked", Label::RateLimited));
        }
        limit(tried)
    });
    world.takes = Span::from_ms(300);
    backlog(&mut world, 3_000);
    world.run(Span::from_min(30));
    assert!(world.views().iter().all(shares));
    world.run(Span::from_h(8));
    begins.set(Some(world.now));
    let before = world.taken();
    world.run(Span::from_h(24));
    let taken = world.taken() - before;
    assert!(taken >= 1_000, "{taken} of 2,160 by the two that are left");
}

#[test]
fn sources_with_the_same_limit_ask_one_after_another() {
    let mut world = Receiver::new((1, 4), Limits::OfSource, hourly(60, |source| source.0));
    world.takes = Span::from_ms(300);
    backlog(&mut world, 2_000);
    world.run(Span::from_h(6));
    assert!(!world.views().iter().any(shares));
    let (taken, tried) = (world.taken(), world.tried.len());
    assert!(taken >= 1_200, "{taken} of 2,000");
    let first_hour = world.tried.iter().filter(|tried| !tried.taken);
    let first_hour = first_hour.filter(|tried| tried.at < world.tried[0].at + Span::from_min(59));
    // Three find the limit once each; what is asked until the hour is over is asked by one of them.
    let refused = first_hour.count();
    assert!(refused <= 6, "{refused} in the first hour, {} in all", tried - taken);
}
