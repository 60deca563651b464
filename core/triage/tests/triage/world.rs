//! A true cause, and what is seen of it.
//!
//! The ranges are wide on purpose: few attempts, replies without words, waves, other trouble at
//! the same time, nothing known of the queue or of other providers.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Label as Name, Span, Stream};
use postlane_replies::Label;
use postlane_triage::{Backlog, Class, Kind, Picture, Ptr, SourceSeen, Tally, Turn};

use crate::dice::Dice;
use crate::story::{HERE, START};

/// The causes that are drawn; healthy twice as often as any other.
const CAUSES: [Class; 12] = [
    Class::Healthy,
    Class::Healthy,
    Class::Throttle,
    Class::Policy,
    Class::PoolIp,
    Class::RetryStorm,
    Class::Identity,
    Class::Recipients,
    Class::Block,
    Class::Infra,
    Class::Outage,
    Class::Greylisting,
];

/// How a source's mail fares in a slot.
#[derive(Clone)]
struct Fare {
    /// How much of the trouble is there, fresh and retried, 0 to 1.
    fresh: f64,
    retried: f64,
    kind: Kind,
    labels: Vec<Label>,
    /// How many of the refusals say what is meant.
    named: f64,
}

struct Seen {
    minutes: u64,
    per_minute: f64,
    retries: f64,
    sources: usize,
    no_mailbox: f64,
    ageing: bool,
}

/// A drawn cause and its picture.
pub(crate) fn draw(seed: u64) -> (Class, Picture) {
    let mut dice = Dice::new(seed);
    let cause = dice.one(&CAUSES);
    let mut seen = Seen {
        minutes: dice.scaled(15.0, 240.0) as u64,
        per_minute: dice.scaled(0.3, 30.0),
        retries: dice.between(0.0, 0.5),
        sources: dice.one(&[1, 1, 2, 3, 5]),
        no_mailbox: dice.between(0.0, 0.02),
        ageing: dice.happens(0.2),
    };
    let fares = fares(&mut dice, cause, &mut seen);
    let mut picture = Picture {
        from: START,
        to: START + Span::from_min(seen.minutes),
        slot: Span::from_min(1),
        ..Picture::default()
    };
    sources_seen(&mut dice, cause, &seen, &mut picture);
    // Other trouble at the same time, a little of it.
    let most = if cause == Class::Healthy { 0.01 } else { 0.08 };
    let side = dice.happens(0.3).then(|| (side_label(&mut dice), dice.between(0.0, most)));
    let waves = dice.between(0.0, 0.9);
    for (n, fare) in fares.iter().enumerate() {
        tell(&mut dice, &seen, (n, fare), side, waves, &mut picture);
    }
    if dice.happens(0.6) {
        elsewhere(&mut dice, &seen, &mut picture);
    }
    if dice.happens(0.6) {
        let age = if seen.ageing { seen.minutes as f64 * dice.between(0.5, 1.0) } else { 0.0 };
        let before = dice.between(1.0, 40.0);
        for (at, age) in [(0, before), (seen.minutes, before + age)] {
            picture.backlogs.push(Backlog {
                at: START + Span::from_min(at),
                provider: HERE.into(),
                recipients: 50,
                age: Span::from_s((age * 60.0) as u64),
            });
        }
    }
    (cause, picture)
}

fn side_label(dice: &mut Dice) -> Label {
    dice.one(&[
        Label::RateLimited,
        Label::Policy,
        Label::Timeout,
        Label::ServerUnavailable,
        Label::AuthDmarc,
        Label::Greylisted,
        Label::ContentSpam,
        Label::Unknown,
    ])
}

/// How each source fares by this cause.
fn fares(dice: &mut Dice, cause: Class, seen: &mut Seen) -> Vec<Fare> {
    let named = dice.between(0.5, 1.0);
    let share = dice.between(0.12, 0.9);
    let fare = |share: f64, kind, labels: &[Label]| Fare {
        fresh: share,
        retried: share,
        kind,
        labels: labels.to_vec(),
        named,
    };
    let rate = [Label::RateLimited, Label::RateLimited, Label::ConnectionLimit];
    let mixed = [Label::Unknown, Label::RateLimited, Label::ServerUnavailable];
    let one_ip = [Label::ReputationIp, Label::Policy, Label::Unknown];
    let healthy = fare(dice.between(0.0, 0.02), Kind::Deferred, &mixed);
    if cause == Class::PoolIp {
        let one = fare(share.max(0.3), Kind::Deferred, dice.one(&[&one_ip[..], &mixed[..]]));
        return one_of(dice, one, healthy, seen);
    }
    if cause == Class::Block {
        let listed = fare(share.max(0.6), Kind::Deferred, &[Label::Blocklisted]);
        return if dice.happens(0.5) {
            one_of(dice, listed, healthy, seen)
        } else {
            vec![listed; seen.sources]
        };
    }
    let fare = match cause {
        Class::Throttle => fare(share, Kind::Deferred, &rate),
        Class::Policy => policy(dice, seen, fare(1.0, Kind::Deferred, &rate), share),
        Class::RetryStorm => {
            seen.retries = dice.between(0.6, 0.92);
            seen.ageing = true;
            Fare { fresh: share.min(0.7), ..fare(dice.between(0.7, 0.95), Kind::Deferred, &mixed) }
        }
        Class::Identity => {
            let labels =
                [Label::AuthSpf, Label::AuthDkim, Label::AuthDmarc, Label::Unauthenticated];
            let one = dice.one(&labels);
            let kind = dice.one(&[Kind::Deferred, Kind::Bounced]);
            fare(dice.scaled(0.02, 1.0), kind, &[one, one, dice.one(&labels)])
        }
        Class::Recipients => {
            seen.no_mailbox = dice.between(0.06, 0.4);
            let labels = [Label::TooManyInvalidRcpts];
            fare(if dice.happens(0.5) { 0.0 } else { share * 0.5 }, Kind::Deferred, &labels)
        }
        Class::Infra => {
            let label = dice.one(&[Label::PtrMissing, Label::HeloInvalid, Label::TlsRequired]);
            fare(share, Kind::Deferred, &[label])
        }
        Class::Outage => {
            let kind = dice.one(&[Kind::Unreached, Kind::Deferred]);
            let labels = [Label::Timeout, Label::ServerUnavailable, Label::NetworkError];
            fare(share.max(0.3), kind, &labels)
        }
        Class::Greylisting => {
            seen.retries = dice.between(0.3, 0.55);
            let labels = if dice.happens(0.7) { [Label::Greylisted] } else { [Label::Unknown] };
            let fresh = fare(dice.between(0.7, 1.0), Kind::Deferred, &labels);
            Fare { retried: dice.between(0.0, 0.3), ..fresh }
        }
        _ => healthy,
    };
    vec![fare; seen.sources]
}

/// Everything is refused at a low rate, with rate words or others; or a part by a named rule.
fn policy(dice: &mut Dice, seen: &mut Seen, rate: Fare, share: f64) -> Fare {
    if dice.happens(0.5) {
        seen.per_minute = dice.scaled(0.3, 3.0);
        if dice.happens(0.5) {
            return rate;
        }
        return Fare { labels: vec![Label::Unknown, Label::Policy], ..rate };
    }
    Fare {
        fresh: share.max(0.3),
        retried: share.max(0.3),
        kind: dice.one(&[Kind::Deferred, Kind::Bounced]),
        labels: vec![Label::Policy, Label::ReputationDomain, Label::ContentSpam],
        ..rate
    }
}

/// One source of two or more fares badly.
fn one_of(dice: &mut Dice, worse: Fare, healthy: Fare, seen: &mut Seen) -> Vec<Fare> {
    seen.sources = seen.sources.max(2);
    let mut fares = vec![healthy; seen.sources];
    let place = dice.between(0.0, seen.sources as f64) as usize;
    fares[place.min(seen.sources - 1)] = worse;
    fares
}

fn sources_seen(dice: &mut Dice, cause: Class, seen: &Seen, picture: &mut Picture) {
    if !dice.happens(0.5) {
        return;
    }
    for n in 0..seen.sources {
        let bad = cause == Class::Infra && dice.happens(0.5);
        picture.sources.push(SourceSeen {
            source: format!("s{n}").into(),
            address: None,
            ehlo: vec!["mail.example".into()],
            ptr: if bad { Ptr::Missing } else { Ptr::Confirmed },
        });
    }
}

/// Counts a source's attempts, minute by minute.
fn tell(
    dice: &mut Dice,
    seen: &Seen,
    (n, fare): (usize, &Fare),
    side: Option<(Label, f64)>,
    waves: f64,
    picture: &mut Picture,
) {
    let source = format!("s{n}");
    let volume = seen.per_minute * dice.scaled(0.6, 1.6);
    let mut wave = 1.0;
    let mut counts: BTreeMap<(Instant, Turn, Kind, Label), u64> = BTreeMap::new();
    for minute in 0..seen.minutes {
        if minute % 15 == 0 {
            wave = dice.between(1.0 - waves, 1.0 + waves * 0.3);
        }
        let at = START + Span::from_min(minute);
        let whole = volume.floor() as u64;
        for _ in 0..whole + dice.count(1, volume.fract()) {
            let turn = if dice.happens(seen.retries) { Turn::Retry } else { Turn::Fresh };
            let share = if turn == Turn::Fresh { fare.fresh } else { fare.retried };
            let share = if share > 0.99 { share } else { share * wave };
            let (kind, label) = if dice.happens(seen.no_mailbox) {
                (Kind::Bounced, Label::NoSuchUser)
            } else if dice.happens(share.min(1.0)) {
                let named = dice.happens(fare.named);
                (fare.kind, if named { dice.one(&fare.labels) } else { Label::Unknown })
            } else if side.is_some_and(|(_, share)| dice.happens(share)) {
                (Kind::Deferred, side.map_or(Label::Unknown, |(label, _)| label))
            } else {
                (Kind::Accepted, Label::Accepted)
            };
            *counts.entry((at, turn, kind, label)).or_default() += 1;
        }
    }
    for ((at, turn, kind, label), count) in counts {
        let one = tally(HERE, &source, at, turn, (kind, label));
        picture.tallies.push(Tally { count, ..one });
    }
}

fn elsewhere(dice: &mut Dice, seen: &Seen, picture: &mut Picture) {
    let messages = dice.scaled(20.0, 2000.0) as u64;
    for n in 0..seen.sources {
        let refused = dice.count(messages, 0.01);
        for (count, of) in [
            (messages - refused, (Kind::Accepted, Label::Accepted)),
            (refused, (Kind::Deferred, Label::Unknown)),
        ] {
            let one = tally("elsewhere", &format!("s{n}"), START, Turn::Fresh, of);
            picture.tallies.push(Tally { count, ..one });
        }
    }
}

fn tally(
    provider: &str,
    source: &str,
    at: Instant,
    turn: Turn,
    (kind, label): (Kind, Label),
) -> Tally {
    Tally {
        at,
        provider: provider.into(),
        source: source.into(),
        stream: Some(Stream::Engaged),
        tenant: Name::NONE,
        kind,
        turn,
        label,
        count: 1,
    }
}
