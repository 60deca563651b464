use super::*;

fn connections(n: u16) -> Option<NonZeroU16> {
    NonZeroU16::new(n)
}

fn rate(text: &str) -> Option<Rate> {
    Some(Rate::parse(text).unwrap())
}

#[test]
fn what_is_said_beats_what_is_said_for_all() {
    let own = Rules {
        together: Ceiling { connections: connections(9), rate: None },
        retry_backoff: Some(Span::from_min(30)),
        ..Rules::default()
    };
    let all = Rules {
        together: Ceiling { connections: connections(2), rate: rate("5/m") },
        bands: Some(Bands::DEFAULT),
        ..Rules::default()
    };
    let both = own.over(&all);
    assert_eq!(both.together, Ceiling { connections: connections(9), rate: rate("5/m") });
    assert_eq!((both.retry_backoff, both.bands), (own.retry_backoff, all.bands));
}

#[test]
fn of_two_ceilings_that_both_bind_the_lower_one_counts() {
    let one = Rules {
        per_source: Ceiling { connections: connections(4), rate: rate("120/h") },
        ..Rules::default()
    };
    let other = Rules {
        per_source: Ceiling { connections: connections(20), rate: rate("1/m") },
        messages_per_connection: NonZeroU32::new(20),
        ..Rules::default()
    };
    for both in [one.and(&other), other.and(&one)] {
        assert_eq!(both.per_source, Ceiling { connections: connections(4), rate: rate("1/m") });
        assert_eq!(both.messages_per_connection, NonZeroU32::new(20));
    }
}

#[test]
fn rates_are_compared_whatever_their_spans() {
    let faster = |a: &str, b: &str| faster(Rate::parse(a).unwrap(), Rate::parse(b).unwrap());
    assert!(faster("2/m", "100/h") && !faster("100/h", "2/m"));
    assert!(!faster("60/h", "1/m") && !faster("1/m", "60/h"));
    assert!(faster("4000000000/s", "4000000000/9d"));
}

#[test]
fn a_lane_keeps_to_the_lower_of_its_own_ceiling_and_the_sum() {
    let otherwise = Ceilings { connections: 20, rate: None, session_messages: 100 };
    let rules = Rules {
        together: Ceiling { connections: connections(1), rate: rate("2/m") },
        ..Rules::default()
    };
    let ceilings = rules.ceilings(otherwise);
    assert_eq!((ceilings.connections, ceilings.rate), (1, rate("2/m")));
    assert_eq!(ceilings.session_messages, 100);
    assert_eq!(Rules::default().ceilings(otherwise), otherwise);
}

#[test]
fn what_does_not_go_together_is_found() {
    let span = |m| Some(Span::from_min(m));
    let rules = Rules {
        together: Ceiling { connections: connections(1), rate: rate("2/m") },
        per_source: Ceiling { connections: connections(2), rate: rate("121/h") },
        retry_backoff: span(60),
        retry_max_age: span(30),
        hold_new_when_deferred_older_than: span(45),
        ..Rules::default()
    };
    let found: Vec<_> = rules.contradictions().collect();
    assert_eq!(
        found,
        [
            Contradiction::ConnectionsOfOneAboveSum,
            Contradiction::RateOfOneAboveSum,
            Contradiction::BackoffAboveAge,
            Contradiction::HoldBelowBackoff,
            Contradiction::HoldAboveAge,
        ]
    );
    let sound = Rules {
        per_source: Ceiling { connections: connections(1), rate: rate("120/h") },
        retry_max_age: span(24 * 60),
        hold_new_when_deferred_older_than: span(240),
        ..rules
    };
    assert_eq!(sound.contradictions().count(), 0);
}

#[test]
fn bands_have_an_order_and_shares_are_parts_of_all() {
    let share = |fraction| Share::of(fraction).unwrap();
    assert_eq!(Bands::new(share(0.02), share(0.10)), Ok(Bands::DEFAULT));
    assert_eq!(Bands::new(share(0.10), share(0.10)), Err(BandsError::Order));
    for wrong in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
        assert_eq!(Share::of(wrong), Err(BandsError::Share), "{wrong}");
    }
    assert_eq!(share(0.02).to_string(), "0.02");
    assert_eq!(share(1.0).to_string(), "1");
}

#[test]
fn the_table_that_comes_with_the_program_is_careful() {
    let known = Defaults::built_in();
    let united = known.of("united-internet").unwrap();
    assert_eq!(united.rules.per_source.connections, connections(4));
    assert_eq!(united.rules.messages_per_connection, NonZeroU32::new(20));
    assert_eq!(united.facts.iter().map(|fact| fact.by).next_back(), Some(Teller::Provider));
    for (provider, known) in known.iter() {
        // No provider has published a limit on what it takes in a time: that is learned.
        assert_eq!(known.rules.together, Ceiling::default(), "{provider}");
        assert!(!known.facts.is_empty(), "{provider}");
    }
}

#[test]
fn of_two_limits_of_one_provider_the_lower_one_counts_and_both_are_kept() {
    let limit = |n: u32, seen: &str| {
        format!(
            "[[limit]]\nprovider = \"a\"\nmax_msgs_per_connection = {n}\nby = \"senders\"\n\
             source = \"s\"\nseen = \"{seen}\"\n"
        )
    };
    let known = Defaults::parse(&(limit(100, "2025") + &limit(20, "2026"))).unwrap();
    let known = known.of("a").unwrap();
    assert_eq!(known.rules.messages_per_connection, NonZeroU32::new(20));
    assert_eq!(known.facts.len(), 2);
    assert!(matches!(Defaults::parse(&limit(0, "2026")), Err(DefaultsError::Syntax(_))));
    assert_eq!(Defaults::parse(&limit(1, "")), Err(DefaultsError::Empty("a".to_owned())));
}
