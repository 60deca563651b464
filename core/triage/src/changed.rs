//! What changed just before: volume, sources, tenants, streams, and what people and lanes did.

use postlane_mail::{Instant, Span};
use std::collections::{BTreeMap, BTreeSet};

use crate::figures::Figures;
use crate::part::Part;
use crate::picture::{ChangeKind, Picture, Tally};

/// Something that changed shortly before, or between the span before and this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// When, where that is known.
    pub at: Option<Instant>,
    /// What kind of thing.
    pub kind: ChangeKind,
    /// In words.
    pub says: String,
}

/// How many changes are told of one provider (chosen, not measured).
const CHANGES_MAX: usize = 12;
/// How many times as much or as little mail is a change (chosen, not measured).
const VOLUME: f64 = 1.5;

/// What changed for a provider.
pub(crate) fn changed(picture: &Picture, provider: &str, part: &Part<'_>) -> Vec<Changed> {
    let (now, before) = (&part.tallies, &part.before);
    let mut changes = Vec::new();
    if picture.before_span > Span::ZERO {
        changes.extend(volume(picture, now, before));
        changes.extend(came(ChangeKind::Source, now, before, "sends here since", |tally| {
            (!tally.source.is_empty()).then(|| tally.source.to_string())
        }));
        changes.extend(came(
            ChangeKind::Campaign,
            now,
            before,
            "is a new tenant here since",
            |t| (!t.tenant.is_none()).then(|| t.tenant.to_string()),
        ));
        changes.extend(came(ChangeKind::Campaign, now, before, "mail goes here since", |tally| {
            tally.stream.map(|stream| stream.to_string())
        }));
    }
    let told = picture
        .changes
        .iter()
        .filter(|change| change.provider.as_deref().is_none_or(|of| of == provider))
        .map(|change| Changed {
            at: Some(change.at),
            kind: change.kind,
            says: change.says.to_string(),
        });
    changes.extend(told);
    changes.sort_by(|a, b| (a.at, a.kind, &a.says).cmp(&(b.at, b.kind, &b.says)));
    changes.truncate(CHANGES_MAX);
    changes
}

/// First attempts in an hour, then and now.
fn volume(picture: &Picture, now: &[&Tally], before: &[&Tally]) -> Option<Changed> {
    let hourly = |tallies: &[&Tally], span: Span| {
        let attempts = Figures::of(tallies.iter().copied()).fresh.attempts();
        attempts as f64 / (span.0 as f64 / 3600e6).max(1.0 / 60.0)
    };
    let then = hourly(before, picture.before_span);
    let since = hourly(now, picture.to.since(picture.from));
    let ratio = since / then;
    let is_changed = then > 0.0 && !(1.0 / VOLUME..=VOLUME).contains(&ratio);
    is_changed.then(|| Changed {
        at: None,
        kind: ChangeKind::Volume,
        says: format!(
            "{since:.0} new messages an hour, {then:.0} in the span before ({ratio:.1} times)"
        ),
    })
}

/// What stands in the tallies now and did not before, where there were any.
fn came(
    kind: ChangeKind,
    now: &[&Tally],
    before: &[&Tally],
    verb: &str,
    name: impl Fn(&Tally) -> Option<String>,
) -> Vec<Changed> {
    if before.is_empty() {
        return Vec::new();
    }
    let known: BTreeSet<String> = before.iter().filter_map(|tally| name(tally)).collect();
    let mut new: BTreeMap<String, Instant> = BTreeMap::new();
    for tally in now {
        let Some(name) = name(tally).filter(|name| !known.contains(name)) else { continue };
        let at = new.entry(name).or_insert(tally.at);
        *at = (*at).min(tally.at);
    }
    let changed = |(name, at)| Changed { at: Some(at), kind, says: format!("{name} {verb}") };
    new.into_iter().take(CHANGES_MAX).map(changed).collect()
}
