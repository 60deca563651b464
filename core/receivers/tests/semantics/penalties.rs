//! The box: `after` refusals within `within`, until t + hold.

use proptest::prelude::*;

use super::bench::{Bench, is_boxed, limit, moments};

const S: u64 = 1_000;

/// Takes one in ten seconds, by source.
fn one_in_ten(penalty: &str) -> String {
    limit(
        "p",
        &format!(
            "kind = \"sliding\"\nkey = [\"ip\"]\nquota = 1\nwindow = \"10s\"\npenalty = {{ {penalty} }}"
        ),
    )
}

#[test]
fn after_so_many_refusals_everything_is_refused_for_a_time() {
    let mut bench = Bench::new(&one_in_ten("after = 2, within = \"5s\", hold = \"60s\""));
    assert!(bench.send(0).is_accepted());
    // Two, but six seconds apart.
    assert!(!is_boxed(&bench.send(S)));
    assert!(!is_boxed(&bench.send(7 * S)));
    // The second within five: it is still the limit that speaks, then the box.
    assert!(!is_boxed(&bench.send(8 * S)));
    assert!(is_boxed(&bench.send(20 * S)));
    assert!(is_boxed(&bench.send(68 * S - 1)));
    assert!(bench.send(68 * S).is_accepted());
}

#[test]
fn refusals_count_to_the_very_end_of_the_time() {
    let mut bench = Bench::new(&one_in_ten("after = 2, within = \"5s\", hold = \"60s\""));
    bench.send(0);
    bench.send(S);
    bench.send(6 * S);
    assert!(is_boxed(&bench.send(7 * S)));
}

#[test]
fn the_box_is_the_keys_own_and_has_words_of_its_own() {
    let mut bench = Bench::new(&one_in_ten(
        "after = 1, within = \"5s\", hold = \"60s\", reply = \"421 boxed\"",
    ));
    for at in [0, 0] {
        bench.send(at);
    }
    let answer = bench.send(1);
    assert_eq!(answer.reply.to_string(), "421 boxed");
    assert!(answer.closes && answer.cause.is_of_rate());
    assert!(bench.send_from(1, 1).is_accepted());
}

#[test]
fn each_hit_starts_the_time_again_where_it_resets() {
    let mut bench =
        Bench::new(&one_in_ten("after = 1, within = \"5s\", hold = \"60s\", extend = \"reset\""));
    bench.send(0);
    bench.send(0);
    assert!(is_boxed(&bench.send(59 * S)));
    assert!(is_boxed(&bench.send(119 * S - 1)));
    assert!(bench.send(179 * S).is_accepted());
}

#[test]
fn each_hit_doubles_the_time_up_to_its_maximum_and_a_new_box_starts_with_the_first() {
    let mut bench = Bench::new(&one_in_ten(
        "after = 1, within = \"5s\", hold = \"10s\", extend = \"double\", max = \"30s\"",
    ));
    bench.send(0);
    bench.send(0);
    assert!(is_boxed(&bench.send(S)));
    assert!(is_boxed(&bench.send(21 * S - 1)));
    // 20 s doubled are 40 s, but 30 s are the most: until 51 s less a millisecond.
    assert!(is_boxed(&bench.send(51 * S - 2)));
    assert!(bench.send(81 * S).is_accepted());
    assert!(!is_boxed(&bench.send(81 * S)));
    assert!(is_boxed(&bench.send(91 * S - 1)));
    assert!(bench.send(120 * S).is_accepted());
}

#[test]
fn without_extending_a_hit_changes_nothing() {
    let mut bench = Bench::new(&one_in_ten("after = 1, within = \"90s\", hold = \"60s\""));
    bench.send(0);
    bench.send(0);
    for at in 1..60 {
        assert!(is_boxed(&bench.send(at * S)));
    }
    assert!(bench.send(60 * S).is_accepted());
}

#[test]
fn hits_in_the_box_count_for_the_next_one() {
    let mut bench = Bench::new(&one_in_ten("after = 3, within = \"30s\", hold = \"20s\""));
    bench.taken(&[0, 0, 0, 0]);
    assert!(is_boxed(&bench.send(18 * S)));
    assert!(is_boxed(&bench.send(19 * S)));
    assert!(bench.send(20 * S).is_accepted());
    // The third refusal within half a minute, of which two were in the box.
    assert!(!is_boxed(&bench.send(21 * S)));
    assert!(is_boxed(&bench.send(22 * S)));
}

#[test]
fn a_strict_limit_counts_what_its_box_refuses() {
    let keys = "kind = \"sliding\"\nquota = 1\nwindow = \"10s\"\ncharge = \"attempted\"\npenalty = { after = 1, within = \"1s\", hold = \"10s\" }";
    let mut bench = Bench::new(&limit("p", keys));
    bench.taken(&[0, 0]);
    assert!(is_boxed(&bench.send(9 * S)));
    assert!(!bench.send(11 * S).is_accepted());
}

#[test]
fn greylisting_with_a_box_is_of_rate_only_in_the_box() {
    let keys = "kind = \"greylist\"\nkey = [\"ip\"]\npenalty = { after = 1, within = \"1s\", hold = \"1h\" }";
    let mut bench = Bench::new(&limit("g", keys));
    assert!(!bench.send(0).cause.is_of_rate());
    assert!(bench.send(1).cause.is_of_rate());
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn it_is_the_rule_of_the_language(
        gaps in prop::collection::vec(0_u64..8_000, 1..120),
        after in 1_usize..5,
        within in 1_u64..20,
        hold in 1_u64..30,
        extend in prop::sample::select(vec!["none", "reset", "double"]),
    ) {
        let mut bench = Bench::new(&one_in_ten(&format!(
            "after = {after}, within = \"{within}s\", hold = \"{hold}s\", extend = \"{extend}\", max = \"40s\""
        )));
        let (mut last, mut refusals, mut until, mut held) = (None, Vec::new(), 0, 0);
        for at in moments(&gaps) {
            let answer = bench.send(at);
            let in_box = at < until;
            prop_assert_eq!(is_boxed(&answer), in_box);
            if !in_box && last.is_none_or(|last| last + 10 * S <= at) {
                prop_assert!(answer.is_accepted());
                last = Some(at);
                continue;
            }
            prop_assert!(!answer.is_accepted());
            refusals.push(at);
            if in_box {
                if extend == "double" {
                    held = (2 * held).min(40 * S);
                }
                if extend != "none" {
                    until = until.max(at + held);
                }
            } else if refusals.iter().filter(|past| **past + within * S >= at).count() >= after {
                refusals.clear();
                held = hold * S;
                until = at + held;
            }
        }
    }
}
