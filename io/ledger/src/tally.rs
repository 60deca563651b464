//! Counts by the minute, for plots and for diagnosis.

use compact_str::CompactString;
use postlane_mail::{Instant, Span, Stream};

use crate::entry::Entry;
use crate::kind::{Kind, Try};

/// Which counts are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tallies {
    /// Not before this moment, rounded down to a minute.
    pub from: Instant,
    /// Before this moment, rounded up to a minute.
    pub to: Instant,
    /// How much time one count covers, in whole minutes; at least one.
    pub every: Span,
    /// Provider ids; empty for all.
    pub providers: Vec<CompactString>,
    /// Tenants; empty for all.
    pub tenants: Vec<CompactString>,
    /// By what counts are kept apart; what is not named is counted together, and is empty in them.
    pub by: Vec<By>,
}

/// What counts can be kept apart by, beside time and [`Kind`], by which they always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The provider.
    Provider,
    /// The source.
    Source,
    /// The stream.
    Stream,
    /// The tenant.
    Tenant,
    /// First attempts and later ones.
    Try,
    /// What the reply means.
    Label,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Provider, Self::Source, Self::Stream, Self::Tenant, Self::Try, Self::Label];

    /// Its name in questions and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Source => "source",
            Self::Stream => "stream",
            Self::Tenant => "tenant",
            Self::Try => "try",
            Self::Label => "label",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }
}

/// How often one kind of thing happened in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// The beginning of the stretch.
    pub from: Instant,
    /// The provider.
    pub provider: CompactString,
    /// The source's name.
    pub source: CompactString,
    /// The stream.
    pub stream: Option<Stream>,
    /// The tenant.
    pub tenant: CompactString,
    /// What happened.
    pub kind: Kind,
    /// First attempts or later ones.
    pub tried: Option<Try>,
    /// What the reply means.
    pub label: CompactString,
    /// How often.
    pub count: u64,
    /// [`Entry::delay_ms`] of all of them together, in milliseconds.
    pub delay_ms: u64,
    /// [`Entry::took_ms`] of all of them together, in milliseconds.
    pub took_ms: u64,
}

/// A minute, in microseconds.
const MINUTE: u64 = 60_000_000;

impl Tallies {
    /// Every count between two moments, all providers and tenants, by `every`, all apart.
    pub fn all(from: Instant, to: Instant, every: Span) -> Self {
        let (providers, tenants) = (Vec::new(), Vec::new());
        Self { from, to, every, providers, tenants, by: By::ALL.to_vec() }
    }

    /// What must be read of a tally: that which is kept apart or asked for.
    pub(crate) fn reads(&self, by: By) -> bool {
        self.by.contains(&by)
            || match by {
                By::Provider => !self.providers.is_empty(),
                By::Tenant => !self.tenants.is_empty(),
                By::Source | By::Stream | By::Try | By::Label => false,
            }
    }

    /// A tally in its stretch of time, without what is not kept apart.
    pub(crate) fn rounded(&self, mut tally: Tally) -> Tally {
        tally.from = self.stretch(tally.from);
        for by in By::ALL.iter().filter(|by| !self.by.contains(by)) {
            match by {
                By::Provider => tally.provider = CompactString::default(),
                By::Source => tally.source = CompactString::default(),
                By::Stream => tally.stream = None,
                By::Tenant => tally.tenant = CompactString::default(),
                By::Try => tally.tried = None,
                By::Label => tally.label = CompactString::default(),
            }
        }
        tally
    }

    /// Whether a tally counted by the minute is asked for.
    pub(crate) fn has(&self, tally: &Tally) -> bool {
        self.has_minute(tally.from) && self.is_about(tally)
    }

    /// Whether a tally's provider and tenant are asked for.
    pub(crate) fn is_about(&self, tally: &Tally) -> bool {
        (self.providers.is_empty() || self.providers.contains(&tally.provider))
            && (self.tenants.is_empty() || self.tenants.contains(&tally.tenant))
    }

    /// Whether the minute that begins at `minute` is asked for.
    pub(crate) fn has_minute(&self, minute: Instant) -> bool {
        let until = self.to.0.div_ceil(MINUTE).saturating_mul(MINUTE);
        minute.0 >= self.from.0 / MINUTE * MINUTE && minute.0 < until
    }

    /// Whether any minute between two moments is asked for.
    pub(crate) fn reaches(&self, first: Instant, last: Instant) -> bool {
        let until = self.to.0.div_ceil(MINUTE).saturating_mul(MINUTE);
        last.0 >= self.from.0 / MINUTE * MINUTE && first.0 < until
    }

    /// The beginning of the stretch that `at` falls into.
    pub(crate) fn stretch(&self, at: Instant) -> Instant {
        let every = (self.every.0 / MINUTE).max(1) * MINUTE;
        Instant(at.0 / every * every)
    }
}

impl Tally {
    /// One entry, in its minute.
    pub(crate) fn of(entry: &Entry) -> Self {
        Self {
            from: Instant(entry.at.0 / MINUTE * MINUTE),
            provider: entry.provider.clone(),
            source: entry.source.clone(),
            stream: entry.stream,
            tenant: entry.tenant.clone(),
            kind: entry.kind,
            tried: entry.tried(),
            label: entry.label.clone(),
            count: 1,
            delay_ms: entry.delay_ms.unwrap_or(0),
            took_ms: entry.took_ms.map_or(0, u64::from),
        }
    }

    /// Puts tallies of the same things together, in order.
    pub(crate) fn together(mut tallies: Vec<Self>) -> Vec<Self> {
        tallies.sort_unstable();
        tallies.dedup_by(|next, kept| {
            let same = next.is_like(kept);
            if same {
                kept.count = kept.count.saturating_add(next.count);
                kept.delay_ms = kept.delay_ms.saturating_add(next.delay_ms);
                kept.took_ms = kept.took_ms.saturating_add(next.took_ms);
            }
            same
        });
        tallies
    }

    fn is_like(&self, other: &Self) -> bool {
        self.from == other.from
            && self.provider == other.provider
            && self.source == other.source
            && self.stream == other.stream
            && self.tenant == other.tenant
            && self.kind == other.kind
            && self.tried == other.tried
            && self.label == other.label
    }
}
