//! What a lane has learned of its provider, as plain figures.
//!
//! Paces are spans from one message to the next, so that a lane of two an hour and one of a
//! hundred a second are kept alike. Nothing here decides: the controller fills it and reads it.

use postlane_mail::{Instant, Span};

use crate::fields::{Reader, Writer};

/// What is known of a provider, from one source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// When this was written.
    pub at: Instant,
    /// The pace: from one message to the next.
    pub gap: Option<Span>,
    /// The slowest pace that was seen to fail.
    pub gap_bad: Option<Span>,
    /// The pace that last held for long: what is gone back to.
    pub gap_stable: Option<Span>,
    /// Limits per window, the surest first; [`Learned::QUOTAS_MAX`] at most.
    pub quotas: Vec<LearnedQuota>,
    /// How long the provider shuts its door when it was gone over its limit.
    pub penalty: Option<Span>,
    /// Connections at once that it takes.
    pub connections: Option<u16>,
    /// Messages on one connection that it takes.
    pub session_messages: Option<u32>,
    /// Recipients of one transaction that it takes.
    pub transaction_recipients: Option<u16>,
    /// How old a first contact must be where it greylists.
    pub greylist: Option<Span>,
    /// The first wait after a refusal.
    pub first_wait: Option<Span>,
    /// What may be spent on finding out more, in thousandths of a refusal.
    pub credit: u32,
    /// Whether what the provider says about waiting was found to be wrong.
    pub hints_fail: bool,
    /// The rest that was under way.
    pub rest: Option<LearnedRest>,
    /// What was lately sent: so that a restart grants nothing twice.
    pub past: Vec<Past>,
    /// Messages accepted in all: what the figures rest on.
    pub accepted: u64,
    /// Messages refused in all.
    pub refused: u64,
}

/// So many messages in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedQuota {
    /// The window.
    pub window: Span,
    /// Messages in it.
    pub quota: u32,
    /// How sure that is, in parts of 10,000.
    pub confidence: u16,
    /// Refusals that agree with it.
    pub support: u16,
    /// A window so short was tried and is wrong.
    pub window_wrong: Option<Span>,
    /// Where windows begin, after midnight UTC, if they follow the clock.
    pub begins: Option<Span>,
    /// More is tried then, not before.
    pub probe_at: Option<Instant>,
}

/// A rest that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedRest {
    /// The first refusal of it.
    pub since: Instant,
    /// When one message is tried.
    pub until: Instant,
    /// As many have been tried and were refused.
    pub canaries: u16,
}

/// A stretch of time and what was sent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its end.
    pub at: Instant,
    /// Messages tried.
    pub tried: u32,
    /// Messages accepted.
    pub accepted: u32,
}

impl Learned {
    /// Quotas that are kept, at most.
    pub const QUOTAS_MAX: usize = 8;
    /// Stretches that are kept, at most: 26 h in steps of three minutes.
    pub const PAST_MAX: usize = 520;
}

const AT: u8 = 1;
const GAP: u8 = 2;
const GAP_BAD: u8 = 3;
const GAP_STABLE: u8 = 4;
const QUOTA: u8 = 5;
const PENALTY: u8 = 6;
const CONNECTIONS: u8 = 7;
const SESSION_MESSAGES: u8 = 8;
const TRANSACTION_RECIPIENTS: u8 = 9;
const GREYLIST: u8 = 10;
const FIRST_WAIT: u8 = 11;
const CREDIT: u8 = 12;
const HINTS_FAIL: u8 = 13;
const REST: u8 = 14;
const PAST: u8 = 15;
const ACCEPTED: u8 = 16;
const REFUSED: u8 = 17;

impl Learned {
    pub(super) fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(AT, self.at.0);
        let spans = [
            (GAP, self.gap),
            (GAP_BAD, self.gap_bad),
            (GAP_STABLE, self.gap_stable),
            (PENALTY, self.penalty),
            (GREYLIST, self.greylist),
            (FIRST_WAIT, self.first_wait),
        ];
        spans.into_iter().for_each(|(tag, span)| out.maybe(tag, span.map(|span| span.0)));
        let quotas = self.quotas.iter().take(Self::QUOTAS_MAX);
        quotas.for_each(|quota| out.nested(QUOTA, quota.fields()));
        out.maybe(CONNECTIONS, self.connections.map(u64::from));
        out.maybe(SESSION_MESSAGES, self.session_messages.map(u64::from));
        out.maybe(TRANSACTION_RECIPIENTS, self.transaction_recipients.map(u64::from));
        out.number(CREDIT, self.credit.into());
        out.number(HINTS_FAIL, self.hints_fail.into());
        if let Some(rest) = self.rest {
            out.nested(REST, rest.fields());
        }
        out.octets(PAST, &past_octets(&self.past));
        out.number(ACCEPTED, self.accepted);
        out.number(REFUSED, self.refused);
        out
    }

    pub(super) fn read(kept: Reader<'_>) -> Option<Self> {
        let quotas = kept.each(QUOTA).take(Self::QUOTAS_MAX);
        Some(Self {
            at: kept.instant(AT)?,
            gap: kept.span(GAP),
            gap_bad: kept.span(GAP_BAD),
            gap_stable: kept.span(GAP_STABLE),
            quotas: quotas.filter_map(|quota| LearnedQuota::read(Reader(quota))).collect(),
            penalty: kept.span(PENALTY),
            connections: kept.small(CONNECTIONS),
            session_messages: kept.small(SESSION_MESSAGES),
            transaction_recipients: kept.small(TRANSACTION_RECIPIENTS),
            greylist: kept.span(GREYLIST),
            first_wait: kept.span(FIRST_WAIT),
            credit: kept.small(CREDIT).unwrap_or_default(),
            hints_fail: kept.number(HINTS_FAIL) == Some(1),
            rest: kept.nested(REST).and_then(LearnedRest::read),
            past: past_of(kept.octets(PAST).unwrap_or_default()),
            accepted: kept.number(ACCEPTED).unwrap_or_default(),
            refused: kept.number(REFUSED).unwrap_or_default(),
        })
    }
}

impl LearnedQuota {
    fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(1, self.window.0);
        out.number(2, self.quota.into());
        out.number(3, self.confidence.into());
        out.number(4, self.support.into());
        out.maybe(5, self.window_wrong.map(|span| span.0));
        out.maybe(6, self.begins.map(|span| span.0));
        out.maybe(7, self.probe_at.map(|at| at.0));
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        let (window, quota) = (kept.span(1)?, kept.small(2)?);
        let is_one = window > Span::ZERO && quota > 0;
        is_one.then_some(Self {
            window,
            quota,
            confidence: kept.small(3).unwrap_or_default(),
            support: kept.small(4).unwrap_or_default(),
            window_wrong: kept.span(5),
            begins: kept.span(6),
            probe_at: kept.instant(7),
        })
    }
}

impl LearnedRest {
    fn fields(self) -> Writer {
        let mut out = Writer::default();
        out.number(1, self.since.0);
        out.number(2, self.until.0);
        out.number(3, self.canaries.into());
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        let canaries = kept.small(3).unwrap_or_default();
        Some(Self { since: kept.instant(1)?, until: kept.instant(2)?, canaries })
    }
}

/// 16 octets for each: when, tried, accepted.
fn past_octets(past: &[Past]) -> Vec<u8> {
    let young = past.len().saturating_sub(Learned::PAST_MAX);
    let mut octets = Vec::with_capacity(16 * (past.len() - young));
    for stretch in past.iter().skip(young) {
        octets.extend_from_slice(&stretch.at.0.to_le_bytes());
        octets.extend_from_slice(&stretch.tried.to_le_bytes());
        octets.extend_from_slice(&stretch.accepted.to_le_bytes());
    }
    octets
}

fn past_of(octets: &[u8]) -> Vec<Past> {
    let stretch = |octets: &[u8]| {
        let (at, rest) = octets.split_first_chunk::<8>()?;
        let (tried, rest) = rest.split_first_chunk::<4>()?;
        let (accepted, _) = rest.split_first_chunk::<4>()?;
        let (tried, accepted) = (u32::from_le_bytes(*tried), u32::from_le_bytes(*accepted));
        Some(Past { at: Instant(u64::from_le_bytes(*at)), tried, accepted })
    };
    let mut past: Vec<Past> =
        octets.chunks(16).take(Learned::PAST_MAX).filter_map(stretch).collect();
    past.sort_by_key(|stretch| stretch.at);
    past
}
