//! From entries and counts of the ledger to a picture.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use compact_str::CompactString;
use postlane_ledger::{Entry, Filter, Kind as Happened, Ledger, LedgerError, Tallies, Tally, Try};
use postlane_mail::{Instant, Label as Name, Reply, Span};
use postlane_replies::{Fields, Label, cluster_of};
use postlane_triage::{
    Backlog, Change, ChangeKind, GateSeen, Kind, Picture, Ptr, Sample, SourceSeen,
    Tally as Counted, Turn,
};

use super::Look;
use crate::identity::preflight::Turned;

/// How many refusals of a provider are read for their words, the youngest. Chosen, not measured.
const REFUSALS_MAX: usize = 400;
/// How many attempts of a provider are read for the names its sources greeted with. Chosen, not
/// measured.
const ATTEMPTS_MAX: usize = 200;
/// How many changes of lanes are read. Chosen, not measured.
const CHANGES_MAX: usize = 50;
/// How many changes of lanes are read for turns of gates. Chosen, not measured.
const GATES_MAX: usize = 1000;
/// What was told of a gate so long ago holds no more. A little more than a day: it is told each day.
const TOLD_FOR: Span = Span::from_h(30);
/// How many names of one source are kept.
const NAMES_MAX: usize = 8;
/// How many providers are looked at closely, those with most mail. Chosen, not measured: of the
/// others the counts must do.
const PROVIDERS_MAX: usize = 24;

pub(super) fn draw(ledger: &Ledger, look: &Look) -> Result<Picture, LedgerError> {
    let slot = look.slot();
    let span = look.to.since(look.from);
    let tenants: Vec<CompactString> = look.tenant.iter().cloned().collect();
    let asked = |from, to| Tallies { tenants: tenants.clone(), ..Tallies::all(from, to, slot) };
    let tallies = ledger.tallies(&asked(look.from, look.to))?;
    // Tallies are whole minutes: the minute in which the span begins is not counted twice.
    let begins = Instant(look.from.0 - look.from.0 % Span::from_min(1).0);
    let before = ledger.tallies(&asked(begins - span, begins))?;
    let mut texts = Texts::default();
    let mut picture = Picture {
        from: look.from,
        to: look.to,
        slot,
        backlogs: backlogs(&tallies, look, &mut texts),
        tallies: counted(&tallies, &mut texts),
        before: counted(&before, &mut texts),
        before_span: if before.is_empty() { Span::ZERO } else { span },
        ..Picture::default()
    };
    for provider in closely(&tallies, look) {
        let filter = |kinds: &[Happened]| Filter {
            from: Some(look.from),
            to: Some(look.to),
            kinds: kinds.to_vec(),
            providers: vec![provider.clone()],
            tenants: tenants.clone(),
            ..Filter::default()
        };
        let refused = filter(&[Happened::Deferred, Happened::Bounced, Happened::ConnectFailed]);
        let refused = ledger.latest(&refused, REFUSALS_MAX, None)?.entries;
        samples(refused.iter().map(|written| &written.entry), &mut picture.samples, &mut texts);
        let tried = filter(&[Happened::Delivered, Happened::Deferred, Happened::Bounced]);
        let tried = ledger.latest(&tried, ATTEMPTS_MAX, None)?.entries;
        sources(tried.iter().map(|written| &written.entry), &mut picture.sources, &mut texts);
        let mut lanes = filter(&[Happened::Lane]);
        lanes.from = Some(look.from - span);
        lanes.tenants.clear();
        let lanes = ledger.latest(&lanes, CHANGES_MAX, None)?.entries;
        picture.changes.extend(lanes.iter().map(|written| change(&written.entry, &mut texts)));
        picture.gates.extend(gates(ledger, look, &provider)?);
    }
    let records = Filter {
        from: Some(look.from - span),
        to: Some(look.to),
        kinds: vec![Happened::RecordChanged],
        tenants,
        ..Filter::default()
    };
    let records = ledger.latest(&records, CHANGES_MAX, None)?.entries;
    picture.changes.extend(records.iter().map(|written| record_change(&written.entry)));
    Ok(picture)
}

/// What mail lacked when it was looked at before it left, as it was told last. It is told again each
/// day.
fn gates(
    ledger: &Ledger,
    look: &Look,
    provider: &CompactString,
) -> Result<Vec<GateSeen>, LedgerError> {
    let filter = Filter {
        from: Some(look.to - TOLD_FOR),
        to: Some(look.to),
        kinds: vec![Happened::Lane],
        providers: vec![provider.clone()],
        tenants: look.tenant.iter().cloned().collect(),
        ..Filter::default()
    };
    let told = ledger.latest(&filter, GATES_MAX, None)?.entries;
    let mut last: BTreeMap<(&str, &str), Turned<'_>> = BTreeMap::new();
    let mut told: Vec<&Entry> = told.iter().map(|written| &written.entry).collect();
    told.sort_by_key(|entry| entry.at);
    for entry in told {
        if let Some(turned) = Turned::of(entry) {
            last.insert((&entry.source, turned.mail), turned);
        }
    }
    Ok(last.into_values().filter_map(Turned::lacking).collect())
}

/// Names that come again and again, each kept once.
#[derive(Default)]
struct Texts(BTreeMap<CompactString, Arc<str>>);

impl Texts {
    fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(text.into(), new.clone());
        new
    }
}

/// The providers whose entries are read: the one that is asked for, or those with most mail.
fn closely(tallies: &[Tally], look: &Look) -> Vec<CompactString> {
    if let Some(provider) = &look.provider {
        return vec![CompactString::from(&**provider)];
    }
    let mut counts: BTreeMap<&CompactString, u64> = BTreeMap::new();
    for tally in tallies {
        *counts.entry(&tally.provider).or_default() += tally.count;
    }
    let mut counts: Vec<(&CompactString, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(provider, count)| (std::cmp::Reverse(*count), *provider));
    counts.into_iter().take(PROVIDERS_MAX).map(|(provider, _)| provider.clone()).collect()
}

fn counted(tallies: &[Tally], texts: &mut Texts) -> Vec<Counted> {
    let counted = tallies.iter().filter_map(|tally| {
        let kind = match tally.kind {
            Happened::Delivered => Kind::Accepted,
            Happened::Deferred => Kind::Deferred,
            Happened::Bounced => Kind::Bounced,
            Happened::Expired => Kind::Expired,
            Happened::ConnectFailed | Happened::SessionLost => Kind::Unreached,
            _ => return None,
        };
        Some(Counted {
            at: tally.from,
            provider: texts.of(&tally.provider),
            source: texts.of(&tally.source),
            stream: tally.stream,
            tenant: Name::parse(&tally.tenant).unwrap_or_default(),
            kind,
            turn: if tally.tried == Some(Try::Retry) { Turn::Retry } else { Turn::Fresh },
            label: match kind {
                Kind::Accepted => Label::Accepted,
                _ => Label::parse(&tally.label).unwrap_or(Label::Unknown),
            },
            count: tally.count,
        })
    });
    counted.collect()
}

/// How old mail is when it is deferred, in the first and in the last quarter of the time: a queue
/// that nobody looked at tells its age by that.
fn backlogs(tallies: &[Tally], look: &Look, texts: &mut Texts) -> Vec<Backlog> {
    const DEFERRALS_MIN: u64 = 5;
    let quarter = Span(look.to.since(look.from).0 / 4);
    let ends = [(look.from, look.from + quarter), (look.to - quarter, look.to)];
    let mut ages: BTreeMap<(&CompactString, Instant), (u64, u64)> = BTreeMap::new();
    for tally in tallies.iter().filter(|tally| tally.kind == Happened::Deferred) {
        for (from, to) in ends {
            if tally.from >= from && tally.from < to {
                let sum = ages.entry((&tally.provider, to)).or_default();
                sum.0 += tally.count;
                sum.1 = sum.1.saturating_add(tally.delay_ms);
            }
        }
    }
    let enough = ages.into_iter().filter(|(_, (count, _))| *count >= DEFERRALS_MIN);
    enough
        .map(|((provider, at), (count, delay_ms))| Backlog {
            at,
            provider: texts.of(provider),
            recipients: count,
            age: Span::from_ms(delay_ms / count),
        })
        .collect()
}

/// Replies that differ, with how often each came among those that were read.
fn samples<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    samples: &mut Vec<Sample>,
    texts: &mut Texts,
) {
    let first = samples.len();
    let mut places: BTreeMap<(CompactString, String), usize> = BTreeMap::new();
    for entry in entries {
        let reply = entry.code.map(|code| Reply::new(code, entry.reply.as_str()));
        let cluster = reply.as_ref().map_or_else(|| entry.reply.to_string(), cluster_of);
        let place = *places.entry((entry.source.clone(), cluster)).or_insert(samples.len());
        if let Some(known) = samples.get_mut(place) {
            known.count += 1;
            continue;
        }
        samples.push(sample(entry, reply.as_ref(), texts));
    }
    samples[first..].sort_by_key(|sample| std::cmp::Reverse(sample.count));
}

fn sample(entry: &Entry, reply: Option<&Reply>, texts: &mut Texts) -> Sample {
    let fields = Fields::find(&entry.reply);
    Sample {
        provider: texts.of(&entry.provider),
        source: texts.of(&entry.source),
        at: entry.at,
        count: 1,
        reply: reply.map_or_else(|| (*entry.reply).into(), |reply| reply.to_string().into()),
        label: Label::parse(&entry.label).unwrap_or(Label::Unknown),
        rule: texts.of(&entry.rule),
        case_url: fields.case_url.map(|case| case.url.into()),
        ips: fields.ips.clone(),
        lists: fields.lists.iter().map(|list| texts.of(list)).collect(),
        codes: fields.codes.iter().map(|code| texts.of(code.code)).collect(),
    }
}

/// Which address and which names each source had.
fn sources<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    sources: &mut Vec<SourceSeen>,
    texts: &mut Texts,
) {
    for entry in entries.filter(|entry| !entry.source.is_empty()) {
        let known = sources.iter_mut().find(|seen| *seen.source == *entry.source);
        let seen = match known {
            Some(seen) => seen,
            None => {
                let source = texts.of(&entry.source);
                sources.push(SourceSeen { source, address: None, ehlo: vec![], ptr: Ptr::Unasked });
                sources.last_mut().expect("one was just put there")
            }
        };
        seen.address = seen.address.or(entry.source_ip).filter(|ip: &IpAddr| !ip.is_unspecified());
        let is_new = !entry.ehlo.is_empty() && !seen.ehlo.iter().any(|name| **name == *entry.ehlo);
        if is_new && seen.ehlo.len() < NAMES_MAX {
            seen.ehlo.push(texts.of(&entry.ehlo));
        }
    }
}

/// What a domain of ours publishes is so for every provider.
fn record_change(entry: &Entry) -> Change {
    let says = entry.detail.as_str().into();
    Change { at: entry.at, kind: ChangeKind::Dns, provider: None, says }
}

fn change(entry: &Entry, texts: &mut Texts) -> Change {
    let mut says = entry.command.to_string();
    if !entry.source.is_empty() {
        says.push_str(&format!(" ({})", entry.source));
    }
    if !entry.who.is_empty() {
        says.push_str(&format!(" by {}", entry.who));
    }
    // What a lane says it decided begins with the word for it, which stands in front already.
    let detail = entry.detail.strip_prefix(&*entry.command);
    let detail = detail.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&entry.detail);
    if !detail.is_empty() {
        says.push_str(&format!(": {detail}"));
    }
    Change {
        at: entry.at,
        kind: ChangeKind::Lane,
        provider: Some(texts.of(&entry.provider)),
        says: says.into(),
    }
}
