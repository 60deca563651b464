//! How many recipients an incident keeps from their mail, by the ledger's counts.

use postlane_ledger::{By, Kind, Ledger, LedgerError, Tallies, Tally, Try};
use postlane_mail::{Instant, Span};
use postlane_replies::Label;
use postlane_triage::{Group, Impact, Incident, IncidentKey};

/// What is to be counted of an incident.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    pub(super) id: u64,
    key: IncidentKey,
    from: Instant,
    /// A whole minute, so that none is counted twice.
    pub(super) upto: Instant,
}

impl Counting {
    /// What has happened in an open incident since it was counted last, if a minute has passed.
    pub(super) fn of(incident: &Incident, now: Instant) -> Option<Self> {
        let from = minute(incident.counted);
        let upto = minute(now);
        let counts = incident.closed.is_none() && incident.key.webhook().is_empty() && from < upto;
        counts.then(|| Self { id: incident.id, key: incident.key.clone(), from, upto })
    }

    /// Counts it. Reads files.
    pub(super) fn count(&self, ledger: &Ledger) -> Result<Impact, LedgerError> {
        let span = self.upto.since(self.from);
        let asked = Tallies {
            providers: vec![self.key.provider().into()],
            by: vec![By::Source, By::Try, By::Label],
            ..Tallies::all(self.from, self.upto, span)
        };
        let source = self.key.source();
        let tallies = ledger.tallies(&asked)?;
        let of_it = tallies.iter().filter(|of| source.is_empty() || *of.source == *source);
        Ok(of_it.map(impact).fold(Impact::default(), Impact::and))
    }
}

fn impact(tally: &Tally) -> Impact {
    let is_trouble = Label::parse(&tally.label).is_none_or(|label| Group::of(label).is_trouble());
    let none = Impact::default();
    match tally.kind {
        Kind::Expired => Impact { expired: tally.count, ..none },
        Kind::Bounced if is_trouble => Impact { bounced: tally.count, ..none },
        Kind::Deferred if is_trouble && tally.tried == Some(Try::Fresh) => {
            Impact { delayed: tally.count, ..none }
        }
        _ => none,
    }
}

fn minute(at: Instant) -> Instant {
    Instant(at.0 - at.0 % Span::from_min(1).0)
}
