//! Hosts of one provider that count each for itself, and hosts that share a limit.

use std::collections::BTreeMap;

use postlane_engine::*;
use postlane_lanes::Decision;
use postlane_mail::{Family, Instant, Span};
use postlane_replies::{Diagnosis, Label};

use crate::receiver::{Receiver, Tried, refusal};

const LIMIT: &str = "4.7.0 too many messages, slow down";

/// Refuses beyond so many accepted in any minute, over those hosts together, with that code.
fn limit(code: u16, hosts: &'static [u32], most: usize) -> impl FnMut(&Tried) -> Option<Diagnosis> {
    let mut taken: BTreeMap<Instant, usize> = BTreeMap::new();
    move |tried| {
        if !hosts.contains(&tried.host.0) {
            return None;
        }
        let lately =
            taken.range(tried.at - Span::from_min(1)..).map(|(_, many)| many).sum::<usize>();
        if lately >= most {
            return Some(refusal(code, LIMIT, Label::RateLimited));
        }
        *taken.entry(tried.at).or_default() += 1;
        None
    }
}

fn rests(view: &LaneView, since: Instant) -> usize {
    let rests =
        |(at, of): &&(Instant, Decision)| *at >= since && matches!(of, Decision::Rests { .. });
    view.decisions.iter().filter(rests).count()
}

#[test]
fn a_host_that_refuses_alone_rests_alone_and_the_lane_goes_on() {
    // With 421 it closes the session that is refused; with 450 it is for us to leave it.
    for code in [421, 450] {
        let mut world = Receiver::new((2, 1), Limits::OfSource, limit(code, &[0], 2));
        world.send(Span::from_s(2), Span::from_h(6));
        let (since, before) = (world.now, world.taken());
        world.send(Span::from_s(2), Span::from_h(6));
        let lately = world.tried.iter().filter(|tried| tried.at >= since);
        let refused = lately.filter(|tried| !tried.taken).count();
        let taken = world.taken() - before;
        assert!(taken >= 10_500, "{code}: {taken} of 10,800 in six hours");
        assert!(refused <= 30, "{code}: {refused} refused by the one");
        let view = &world.views()[0];
        assert_eq!(rests(view, since), 0, "{code}: {:?}", view.decisions);
    }
}

#[test]
fn a_limit_that_hosts_share_slows_the_lane() {
    let mut world = Receiver::new((2, 1), Limits::OfSource, limit(421, &[0, 1], 10));
    world.send(Span::from_s(2), Span::from_h(6));
    let refused = world.tried.iter().filter(|tried| !tried.taken).count();
    let taken = world.taken();
    assert!(taken >= 1_500 && refused * 20 <= taken, "{taken} taken, {refused} refused");
}

/// A firewall before a host may do so, at what it does not like in a sender's address.
#[test]
fn a_message_that_ends_every_session_at_its_commands_holds_up_no_other() {
    let mut world = Receiver::new((1, 1), Limits::OfSource, |_: &Tried| None);
    let cut = world.message();
    world.cuts = Some(cut.id);
    let id = cut.id;
    world.submit(cut);
    world.send(Span::from_s(30), Span::from_h(6));
    let taken = world.taken();
    assert!(taken >= 715, "{taken} of 720 in six hours");
    let cut = world.tried.iter().filter(|tried| tried.message == id).count();
    assert!((4..=40).contains(&cut), "it was tried {cut} times, as often as a deferred one");
}

/// A lane of all sources has the paths of each: one of IPv6 leads nowhere here, and what waits is counted once.
#[test]
fn what_waits_is_no_more_where_a_source_reaches_no_host() {
    let refused = |families: &[Family]| {
        let by_clock = |tried: &Tried| tried.at.0 / 60_000_000;
        let mut taken: BTreeMap<u64, usize> = BTreeMap::new();
        let says = move |tried: &Tried| {
            let taken = taken.entry(by_clock(tried)).or_default();
            *taken += 1;
            (*taken > 60).then(|| refusal(421, LIMIT, Label::RateLimited))
        };
        let mut world = Receiver::with_sources(1, families, Limits::OfAll, says);
        for _ in 0..1_000 {
            let message = world.message();
            world.submit(message);
        }
        world.run(Span::from_min(30));
        assert_eq!(world.taken(), 1_000);
        world.tried.len() - world.taken()
    };
    assert_eq!(refused(&[Family::V4, Family::V6]), refused(&[Family::V4]));
}
