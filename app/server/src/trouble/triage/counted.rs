//! What the ledger has counted of each lane, for the checks of lanes.

use std::collections::BTreeMap;

use compact_str::CompactString;
use postlane_checks::lane::{Attempts, LaneFigures, LookedAt};
use postlane_ledger::{
    By, Entry, Filter, Kind as Happened, Ledger, LedgerError, Tallies, Tally, Try,
};
use postlane_mail::{Instant, Span};
use postlane_replies::{Family, Label};
use postlane_triage::{Assessment, Group, Picture};

use super::Look;

/// Figures of lanes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LanesCounted(BTreeMap<(String, String), LaneFigures>);

impl LanesCounted {
    /// What was counted of a lane; nothing where none of it is known.
    pub fn of(&self, provider: &str, source: &str) -> LaneFigures {
        let lane = (provider.to_owned(), source.to_owned());
        self.0.get(&lane).cloned().unwrap_or_default()
    }
}

/// Attempts of a provider that are looked at one by one, the youngest. Chosen, not measured.
const ATTEMPTS_MAX: usize = 400;
/// Names of one source that are told.
const NAMES_MAX: usize = 8;
/// Earlier weeks whose same hour is counted.
const WEEKS: u64 = 4;

const DAY: Span = Span::from_h(24);
const HOUR: Span = Span::from_h(1);

/// What was counted until the end of a look, of the lanes that were assessed.
pub(super) fn count(
    ledger: &Ledger,
    look: &Look,
    (picture, assessments): (&Picture, &[Assessment]),
) -> Result<LanesCounted, LedgerError> {
    let mut lanes = BTreeMap::new();
    for of in assessments {
        let class = of.verdict.class.name();
        let age = picture.backlogs.iter().rfind(|backlog| backlog.provider == of.provider);
        for source in &of.sources {
            let z = source.compared.map(|compared| compared.z);
            let figures = LaneFigures {
                class: Some(class.to_owned()),
                age: age.map(|backlog| backlog.age),
                z,
                ..LaneFigures::default()
            };
            lanes.insert((of.provider.to_string(), source.source.to_string()), figures);
        }
    }
    let (day, hour) = (tallies(ledger, look, look.to, DAY)?, tallies(ledger, look, look.to, HOUR)?);
    let mut earlier = Vec::new();
    for week in 1..=WEEKS {
        let to = look.to - DAY.times(7 * week);
        earlier.push(tallies(ledger, look, to, HOUR)?);
    }
    for ((provider, source), figures) in &mut lanes {
        let of_lane = |tallies: &[Tally]| attempts(tallies, provider, Some(source));
        figures.day = Some(of_lane(&day));
        figures.hour = Some(of_lane(&hour));
        figures.reached_by_all = Some(attempts(&day, provider, None).accepted);
        let weeks = earlier.iter().map(|tallies| of_lane(tallies).all);
        figures.same_hour_before = weeks.filter(|all| *all > 0).collect();
    }
    let providers: Vec<String> = assessments.iter().map(|of| of.provider.to_string()).collect();
    for provider in providers {
        for (source, seen) in looked_at(ledger, look, &provider)? {
            if let Some(figures) = lanes.get_mut(&(provider.clone(), source)) {
                figures.looked_at = Some(seen);
            }
        }
    }
    Ok(LanesCounted(lanes))
}

fn tenants(look: &Look) -> Vec<CompactString> {
    look.tenant.iter().cloned().collect()
}

fn tallies(
    ledger: &Ledger,
    look: &Look,
    to: Instant,
    span: Span,
) -> Result<Vec<Tally>, LedgerError> {
    let providers = look.provider.iter().map(|provider| CompactString::from(&**provider)).collect();
    let by = vec![By::Provider, By::Source, By::Try, By::Label];
    let all = Tallies::all(to - span, to, span);
    ledger.tallies(&Tallies { tenants: tenants(look), providers, by, ..all })
}

fn attempts(tallies: &[Tally], provider: &str, source: Option<&str>) -> Attempts {
    let mut sum = Attempts::default();
    let is_meant = |tally: &&Tally| {
        tally.provider == provider && source.is_none_or(|source| tally.source == source)
    };
    for tally in tallies.iter().filter(is_meant) {
        let label = Label::parse(&tally.label).unwrap_or(Label::Unknown);
        let is_fresh = tally.tried != Some(Try::Retry);
        match tally.kind {
            Happened::Delivered => sum.accepted += tally.count,
            Happened::Deferred => sum.refused += tally.count,
            Happened::Bounced => {
                sum.refused += tally.count;
                sum.bounced += tally.count;
            }
            Happened::ConnectFailed | Happened::SessionLost => {}
            _ => continue,
        }
        sum.all += tally.count;
        if is_fresh && !matches!(tally.kind, Happened::ConnectFailed | Happened::SessionLost) {
            sum.fresh += tally.count;
        }
        if is_fresh && tally.kind == Happened::Deferred {
            sum.fresh_deferred += tally.count;
        }
        if matches!(tally.kind, Happened::Deferred | Happened::Bounced) {
            let add_if = |is: bool| if is { tally.count } else { 0 };
            sum.no_mailbox += add_if(Group::of(label) == Group::NoMailbox);
            sum.unknown += add_if(label == Label::Unknown);
            sum.listed += add_if(label.family() == Family::Blocklist);
        }
    }
    sum
}

fn looked_at(
    ledger: &Ledger,
    look: &Look,
    provider: &str,
) -> Result<BTreeMap<String, LookedAt>, LedgerError> {
    let filter = Filter {
        from: Some(look.to - DAY),
        to: Some(look.to),
        kinds: vec![Happened::Delivered, Happened::Deferred, Happened::Bounced],
        providers: vec![provider.into()],
        tenants: tenants(look),
        ..Filter::default()
    };
    let mut sources: BTreeMap<String, LookedAt> = BTreeMap::new();
    for written in ledger.latest(&filter, ATTEMPTS_MAX, None)?.entries {
        let entry = &written.entry;
        // Who was given up without an attempt was in no session.
        if entry.mx_ip.is_none() && entry.code.is_none() {
            continue;
        }
        take(sources.entry(entry.source.to_string()).or_default(), entry);
    }
    Ok(sources)
}

fn take(seen: &mut LookedAt, entry: &Entry) {
    seen.attempts += 1;
    let mut words = entry.tls.split(' ');
    if words.next().is_some_and(|version| version.starts_with("TLS")) {
        seen.encrypted += 1;
    }
    if words.next().is_some() {
        seen.held_to_policy += 1;
    }
    let name = entry.ehlo.as_str();
    let is_new = !name.is_empty() && !seen.greeted_as.iter().any(|known| known == name);
    if is_new && seen.greeted_as.len() < NAMES_MAX {
        seen.greeted_as.push(name.to_owned());
    }
    if entry.kind == Happened::Deferred {
        seen.deferred += 1;
        if let Some(lacks) = lacks(entry) {
            if seen.incomplete == 0 {
                seen.lacks = lacks;
            }
            seen.incomplete += 1;
        }
    }
}

/// What a deferral lacks first of what a postmaster asks for.
fn lacks(entry: &Entry) -> Option<&'static str> {
    let has = [
        (entry.id.is_some(), "the queue id"),
        (entry.source_ip.is_some(), "the address it was sent from"),
        (!entry.ehlo.is_empty(), "the name of EHLO"),
        (!entry.mx_host.is_empty(), "the host's name"),
        (entry.mx_ip.is_some(), "the host's address"),
        (entry.code.is_some() && !entry.reply.is_empty(), "the reply"),
        (!entry.message_id.is_empty(), "the Message-ID"),
    ];
    has.into_iter().find(|(has, _)| !has).map(|(_, what)| what)
}
