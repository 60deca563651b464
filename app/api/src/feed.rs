//! What webhooks are told: the ledger, in the words of `/v1/log`.

use compact_str::CompactString;
use postlane_ledger::{Filter, Kind, Seq, Written};
use postlane_mail::Instant;
use postlane_server::handle::Past;
use postlane_server::webhooks::{Feed, FeedError, Heard, Place, Wanted};

use crate::wire::LogEntry;

/// The ledger, as webhooks hear it.
pub struct LedgerFeed(Past);

impl LedgerFeed {
    /// Of this history.
    pub fn new(past: Past) -> Self {
        Self(past)
    }
}

impl Feed for LedgerFeed {
    fn after(&self, place: Place, wanted: &Wanted, most: usize) -> Result<Heard, FeedError> {
        let kinds: Vec<Kind> = wanted.events.iter().filter_map(|kind| Kind::parse(kind)).collect();
        if kinds.is_empty() && !wanted.events.is_empty() {
            // Kinds of a later version: nothing of them happens here.
            return Ok(Heard { events: Vec::new(), upto: self.newest().max(place) });
        }
        let tenant = Some(&wanted.tenant).filter(|tenant| !tenant.is_none());
        let tenants = tenant.map(|tenant| CompactString::from(tenant.as_str()));
        let filter = Filter { kinds, tenants: tenants.into_iter().collect(), ..Filter::default() };
        let followed = self.0.ledger().follow(Seq(place.0), &filter, most);
        let followed = followed.map_err(|why| FeedError(why.to_string()))?;
        let event = |written: Written| {
            let entry = LogEntry::from(written);
            (Place(entry.seq), serde_json::to_vec(&entry).unwrap_or_default().into())
        };
        let events = followed.entries.into_iter().map(event).collect();
        Ok(Heard { events, upto: Place(followed.upto.0) })
    }

    fn newest(&self) -> Place {
        Place(self.0.ledger().newest().0)
    }

    fn before(&self, at: Instant) -> Place {
        // Places follow the clock, in microseconds.
        Place(at.0.saturating_sub(1))
    }

    fn kinds(&self) -> Vec<&'static str> {
        Kind::ALL.into_iter().map(Kind::as_str).collect()
    }
}
