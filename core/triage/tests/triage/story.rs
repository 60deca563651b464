//! Pictures written down as a postmaster would tell them.

use std::fmt::Write as _;

use postlane_mail::{Instant, Label as Name, Span, Stream};
use postlane_replies::Label;
use postlane_triage::{
    Assessment, Backlog, Change, ChangeKind, GateSeen, Kind, Picture, Ptr, Sample, SourceSeen,
    Tally, Turn, assess,
};

pub(crate) const START: Instant = Instant::from_unix_s(1_790_000_400);
pub(crate) const HERE: &str = "here";

/// Reads a picture. Lines: `for MINUTES`, `SOURCE fresh|retry KIND [LABEL] COUNT`, the same behind
/// `elsewhere` or `before`, `queue MINUTES then MINUTES`, `ehlo SOURCE NAME…`,
/// `ptr SOURCE missing|confirmed|unconfirmed`, `gate SOURCE CHECK WORDS…`, `changed KIND WORDS…`, and
/// `said SOURCE LABEL REPLY…`. Counts are spread evenly over the minutes.
pub(crate) fn picture(text: &str) -> Picture {
    let mut picture = Picture { from: START, slot: Span::from_min(1), ..Picture::default() };
    let mut minutes = 60;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["for", n] => minutes = n.parse().unwrap(),
            ["queue", from, "then", to] => {
                for (at, age) in [(0, from), (minutes, to)] {
                    let age = Span::from_min(age.parse().unwrap());
                    let at = START + Span::from_min(at);
                    picture.backlogs.push(Backlog {
                        at,
                        provider: HERE.into(),
                        recipients: 100,
                        age,
                    });
                }
            }
            ["ehlo", source, names @ ..] => {
                seen(&mut picture, source).ehlo = names.iter().map(|name| (*name).into()).collect()
            }
            ["ptr", source, ptr] => {
                seen(&mut picture, source).ptr = match *ptr {
                    "missing" => Ptr::Missing,
                    "confirmed" => Ptr::Confirmed,
                    _ => Ptr::Unconfirmed,
                }
            }
            ["gate", source, check, says @ ..] => picture.gates.push(GateSeen {
                provider: HERE.into(),
                source: (*source).into(),
                at: START,
                mail: "cold mail of shop.example".into(),
                checks: vec![(*check).into()],
                says: says.join(" ").into(),
            }),
            ["changed", "dns", says @ ..] => picture.changes.push(Change {
                at: START,
                kind: ChangeKind::Dns,
                provider: None,
                says: says.join(" ").into(),
            }),
            ["said", source, label, reply @ ..] => {
                picture.samples.push(said(source, label, &reply.join(" ")));
            }
            ["elsewhere", rest @ ..] => {
                picture.tallies.extend(tallies("elsewhere", rest, minutes, START));
            }
            ["before", rest @ ..] => {
                picture.before_span = Span::from_min(minutes);
                picture.before.extend(tallies(HERE, rest, minutes, START));
            }
            rest => picture.tallies.extend(tallies(HERE, rest, minutes, START)),
        }
    }
    picture.to = START + Span::from_min(minutes);
    picture
}

fn seen<'p>(picture: &'p mut Picture, source: &str) -> &'p mut SourceSeen {
    let at = picture.sources.iter().position(|seen| &*seen.source == source);
    let at = at.unwrap_or_else(|| {
        picture.sources.push(SourceSeen {
            source: source.into(),
            address: None,
            ehlo: Vec::new(),
            ptr: Ptr::Unasked,
        });
        picture.sources.len() - 1
    });
    &mut picture.sources[at]
}

fn said(source: &str, label: &str, reply: &str) -> Sample {
    let url = reply.split(' ').find(|word| word.starts_with("https://"));
    let code = reply.split(' ').find(|word| word.starts_with("S3140") || word.starts_with("NOWL"));
    Sample {
        provider: HERE.into(),
        source: source.into(),
        at: START,
        count: 1,
        reply: reply.into(),
        label: Label::parse(label).unwrap(),
        rule: "a/rule".into(),
        case_url: url.map(Into::into),
        ips: Vec::new(),
        lists: Vec::new(),
        codes: code.map(Into::into).into_iter().collect(),
    }
}

fn tallies(provider: &str, words: &[&str], minutes: u64, start: Instant) -> Vec<Tally> {
    let (source, turn, kind, label, count) = match words {
        [source, turn, kind, count] => (source, turn, kind, "accepted", count),
        [source, turn, kind, label, count] => (source, turn, kind, *label, count),
        _ => panic!("{words:?}"),
    };
    let count: u64 = count.parse().unwrap();
    let kind = Kind::ALL.into_iter().find(|of| of.name() == *kind).unwrap();
    let share = |minute: u64| count * (minute + 1) / minutes - count * minute / minutes;
    let tally = |minute| Tally {
        at: start + Span::from_min(minute),
        provider: provider.into(),
        source: (*source).into(),
        stream: Some(Stream::Engaged),
        tenant: Name::NONE,
        kind,
        turn: if *turn == "fresh" { Turn::Fresh } else { Turn::Retry },
        label: Label::parse(label).unwrap(),
        count: share(minute),
    };
    (0..minutes).map(tally).filter(|tally| tally.count > 0).collect()
}

/// What is said of the provider the story is about.
pub(crate) fn told(picture: &Picture) -> Assessment {
    assess(picture).into_iter().find(|of| &*of.provider == HERE).unwrap()
}

/// An assessment as text.
pub(crate) fn print(assessment: &Assessment) -> String {
    let mut text = String::new();
    let verdict = &assessment.verdict;
    writeln!(text, "{} {:.2}: {}", verdict.class, verdict.confidence, verdict.says).unwrap();
    for evidence in verdict.evidence.iter().skip(1) {
        writeln!(text, "  why      {} [{:+.1}]", evidence.says, evidence.weight).unwrap();
    }
    for evidence in &verdict.against {
        writeln!(text, "  against  {} [{:+.1}]", evidence.says, evidence.weight).unwrap();
    }
    if let Some((class, share)) = verdict.instead {
        writeln!(text, "  or       {} {share:.2}", class.title()).unwrap();
    }
    for settle in &verdict.settle {
        writeln!(text, "  settle   {settle}").unwrap();
    }
    for changed in &assessment.changed {
        writeln!(text, "  changed  {}: {}", changed.kind.name(), changed.says).unwrap();
    }
    if assessment.sources.len() > 1 {
        for source in &assessment.sources {
            let Assessed { class, confidence, .. } = &source.verdict;
            writeln!(text, "  source   {} {class} {confidence:.2}", source.source).unwrap();
        }
    }
    for (n, step) in verdict.steps.iter().enumerate() {
        writeln!(text, "  {}. {}: {}", n + 1, step.id, step.says).unwrap();
    }
    text
}

use postlane_triage::Verdict as Assessed;
