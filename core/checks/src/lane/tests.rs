//! Bounds of shares, from both sides.

use super::*;
use crate::check::Outcome;

fn result(figures: &LaneFigures, id: &str) -> Outcome {
    check_lane(figures).into_iter().find(|finding| finding.id == id).unwrap().outcome
}

fn hour(fresh: u64, fresh_deferred: u64, all: u64, accepted: u64) -> LaneFigures {
    let hour = Attempts { fresh, fresh_deferred, all, accepted, ..Attempts::default() };
    LaneFigures { hour: Some(hour), ..LaneFigures::default() }
}

#[test]
fn what_nobody_has_counted_is_skipped_and_every_check_is_there() {
    let findings = check_lane(&LaneFigures::default());
    assert_eq!(findings.len(), lane_checks().count());
    assert!(findings.iter().all(|finding| finding.outcome == Outcome::Skip), "{findings:?}");
}

#[test]
fn first_attempts_and_pressure_have_the_bounds_of_restart_plans() {
    for (deferred, expected) in
        [(20, Outcome::Pass), (21, Outcome::Warn), (99, Outcome::Warn), (100, Outcome::Fail)]
    {
        assert_eq!(result(&hour(1_000, deferred, 1_000, 900), "INF-01"), expected, "{deferred}");
    }
    assert_eq!(result(&hour(19, 19, 19, 0), "INF-01"), Outcome::Skip, "too few");
    for (accepted, expected) in
        [(1_000, Outcome::Pass), (999, Outcome::Warn), (600, Outcome::Warn), (599, Outcome::Fail)]
    {
        assert_eq!(result(&hour(0, 0, 1_200, accepted), "INF-02"), expected, "{accepted}");
    }
}

#[test]
fn a_flood_is_one_beside_earlier_weeks() {
    let of = |now, before: &[u64]| LaneFigures {
        same_hour_before: before.to_vec(),
        ..hour(now, 0, now, now)
    };
    assert_eq!(result(&of(600, &[100]), "INF-08"), Outcome::Skip);
    assert_eq!(result(&of(299, &[100, 90, 110]), "INF-08"), Outcome::Pass);
    assert_eq!(result(&of(300, &[100, 90, 110]), "INF-08"), Outcome::Warn);
    assert_eq!(result(&of(501, &[100, 90, 110]), "INF-08"), Outcome::Fail);
}

#[test]
fn a_day_is_judged_by_what_was_refused() {
    let of = |day: Attempts| LaneFigures { day: Some(day), ..LaneFigures::default() };
    let day =
        Attempts { all: 1_000, accepted: 970, bounced: 30, refused: 30, ..Attempts::default() };
    assert_eq!(result(&of(day), "BULK-11"), Outcome::Fail);
    assert_eq!(
        result(&of(Attempts { accepted: 971, bounced: 29, ..day }), "BULK-11"),
        Outcome::Warn
    );
    assert_eq!(result(&of(Attempts { no_mailbox: 20, ..day }), "INF-09"), Outcome::Warn);
    assert_eq!(result(&of(Attempts { no_mailbox: 21, ..day }), "INF-09"), Outcome::Fail);
    assert_eq!(result(&of(Attempts { unknown: 2, ..day }), "INF-19"), Outcome::Fail);
    assert_eq!(result(&of(Attempts { listed: 1, ..day }), "BL-14"), Outcome::Fail);
    assert_eq!(result(&of(day), "BL-14"), Outcome::Pass);
}

#[test]
fn one_lane_has_one_name_and_says_all_that_a_postmaster_asks_for() {
    let seen = LookedAt {
        attempts: 100,
        encrypted: 99,
        deferred: 3,
        greeted_as: vec!["a.example".to_owned()],
        ..LookedAt::default()
    };
    let of = |seen: LookedAt| LaneFigures { looked_at: Some(seen), ..LaneFigures::default() };
    assert_eq!(result(&of(seen.clone()), "TLS-13"), Outcome::Pass);
    assert_eq!(result(&of(LookedAt { encrypted: 94, ..seen.clone() }), "TLS-13"), Outcome::Fail);
    assert_eq!(result(&of(seen.clone()), "INF-20"), Outcome::Pass);
    let lacking = LookedAt { incomplete: 1, lacks: "the host", ..seen.clone() };
    assert_eq!(result(&of(lacking), "INF-20"), Outcome::Fail);
    assert_eq!(result(&of(seen.clone()), "DNS-09"), Outcome::Pass);
    let two = LookedAt { greeted_as: vec!["a.example".into(), "b.example".into()], ..seen };
    assert_eq!(result(&of(two), "DNS-09"), Outcome::Fail);
}

#[test]
fn a_plan_and_a_ceiling_are_kept() {
    let of = |sent| LaneFigures { plan: Some((sent, 100)), ..LaneFigures::default() };
    assert_eq!(result(&of(100), "INF-06"), Outcome::Pass);
    assert_eq!(result(&of(125), "INF-06"), Outcome::Warn);
    assert_eq!(result(&of(126), "INF-06"), Outcome::Fail);
    let of = |open| LaneFigures { sessions: Some((open, 2)), ..LaneFigures::default() };
    assert_eq!(result(&of(2), "INF-04"), Outcome::Pass);
    assert_eq!(result(&of(3), "INF-04"), Outcome::Fail);
}
