//! What a lane has learned of its provider, as plain figures.
//!
//! Paces are spans from one message to the next, so that a lane of two an hour and one of a
//! hundred a second are kept alike. Nothing here decides: the controller fills it and reads it.

use postlane_mail::{Instant, Span};

use crate::fields::{Reader, Writer};
use crate::opening::Opening;
use crate::quota::Reset;

/// What is known of a provider, from one source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// When this was written.
    pub at: Instant,
    /// Nothing was sent after it was written: the relay was stopped, and did not crash.
    pub is_last: bool,
    /// The pace: from one message to the next.
    pub gap: Span,
    /// The pace that held before the last step to a faster one.
    pub gap_held: Option<Span>,
    /// The slowest pace that was seen to fail.
    pub gap_bad: Option<Span>,
    /// Whether the lane was still finding its first rate.
    pub is_probing: bool,
    /// Limits that are relied on, the surest first; [`Learned::QUOTAS_MAX`] at most.
    pub quotas: Vec<LearnedQuota>,
    /// Limits that may be there; [`Learned::QUOTAS_MAX`] at most.
    pub suspects: Vec<LearnedQuota>,
    /// The rest that gave the suspects.
    pub suspected_for: Span,
    /// How long the provider shuts its door when a lane was gone over its limit.
    pub penalty: Option<Span>,
    /// The time of day at which it lets the lane in again.
    pub opening: Option<Opening>,
    /// Connections at once that it takes.
    pub connections: Option<u32>,
    /// Messages on one connection that it takes.
    pub session_messages: Option<u32>,
    /// What may be spent on finding out more, in thousandths of a question.
    pub credit: i32,
    /// Whether what the provider says about waiting was found to be wrong.
    pub hints_fail: bool,
    /// Refusals that speak of something else and were a limit here: a bit for each kind.
    pub wordings: u8,
    /// The rest that was under way.
    pub rest: Option<LearnedRest>,
    /// When the provider refused last.
    pub last_refused: Option<Instant>,
    /// Messages accepted in all: what the figures rest on.
    pub accepted: u64,
    /// Messages refused in all.
    pub refused: u64,
    /// Transactional messages, and in how long they came: as many are to be expected.
    pub usual: Option<(u32, Span)>,
    /// One limit counts this source and others: what was sent is that of all of them.
    pub is_shared: bool,
    /// Whether the provider counts what it refuses as well, where that is known.
    pub counts_refused: Option<bool>,
    /// Whether it takes retries alone, and puts off whom it does not know.
    pub puts_off: bool,
    /// What was lately sent: so that a restart grants nothing twice.
    pub past: Vec<Past>,
}

/// So many messages in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedQuota {
    /// The window.
    pub window: Span,
    /// Messages in it.
    pub messages: u32,
    /// Refusals that agree with it: 2 or more are relied on.
    pub support: u32,
    /// The shortest window that explains the refusals, too.
    pub least: Span,
    /// When its window begins.
    pub reset: Reset,
    /// More is tried then, not before.
    pub asks_at: Instant,
    /// Windows to wait after the next question that is answered with no.
    pub patience: u32,
}

/// A rest that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnedRest {
    /// When the message went out that was refused first.
    pub refused: Instant,
    /// When the sending before it had begun.
    pub began: Instant,
    /// The pace before it.
    pub gap: Option<Span>,
    /// The wait before the first canary.
    pub first: Span,
    /// As many canaries have been tried and were refused.
    pub canaries: u32,
    /// When the last of them was sent.
    pub tried: Instant,
    /// When the next is due.
    pub until: Instant,
    /// The place of the quota that explains it.
    pub explained: Option<u8>,
}

/// A stretch of time and what was sent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    /// Its end: the last of what was sent.
    pub at: Instant,
    /// Messages and sessions that count.
    pub all: u32,
    /// Messages accepted.
    pub accepted: u32,
    /// Transactional messages.
    pub transactional: u32,
}

impl Learned {
    /// Quotas that are kept, at most: as many as there are natural windows.
    pub const QUOTAS_MAX: usize = 16;
    /// Stretches that are kept, at most.
    pub const PAST_MAX: usize = 320;
}

const AT: u8 = 1;
const IS_LAST: u8 = 2;
const GAP: u8 = 3;
const GAP_BAD: u8 = 4;
const IS_PROBING: u8 = 5;
const QUOTA: u8 = 6;
const SUSPECT: u8 = 7;
const SUSPECTED_FOR: u8 = 8;
const PENALTY: u8 = 9;
const CONNECTIONS: u8 = 10;
const SESSION_MESSAGES: u8 = 11;
const CREDIT: u8 = 12;
const HINTS_FAIL: u8 = 13;
const REST: u8 = 14;
const LAST_REFUSED: u8 = 15;
const ACCEPTED: u8 = 16;
const REFUSED: u8 = 17;
/// 18 was the same with a count more.
const PAST: u8 = 20;
const WORDINGS: u8 = 19;
const OPENING: u8 = 21;
const USUAL: u8 = 22;
const IS_SHARED: u8 = 23;
const COUNTS_REFUSED: u8 = 24;
const PUTS_OFF: u8 = 25;
const GAP_HELD: u8 = 26;

impl Learned {
    pub(super) fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(AT, self.at.0);
        out.number(IS_LAST, self.is_last.into());
        out.number(GAP, self.gap.0);
        out.maybe(GAP_HELD, self.gap_held.map(|span| span.0));
        out.maybe(GAP_BAD, self.gap_bad.map(|span| span.0));
        out.number(IS_PROBING, self.is_probing.into());
        for (tag, quotas) in [(QUOTA, &self.quotas), (SUSPECT, &self.suspects)] {
            let quotas = quotas.iter().take(Self::QUOTAS_MAX);
            quotas.for_each(|quota| out.nested(tag, quota.fields()));
        }
        out.number(SUSPECTED_FOR, self.suspected_for.0);
        out.maybe(PENALTY, self.penalty.map(|span| span.0));
        if let Some(opening) = self.opening {
            out.nested(OPENING, opening_fields(opening));
        }
        if let Some((messages, over)) = self.usual {
            let mut usual = Writer::default();
            usual.number(1, messages.into());
            usual.number(2, over.0);
            out.nested(USUAL, usual);
        }
        out.maybe(CONNECTIONS, self.connections.map(u64::from));
        out.maybe(SESSION_MESSAGES, self.session_messages.map(u64::from));
        out.octets(CREDIT, &self.credit.to_le_bytes());
        out.number(HINTS_FAIL, self.hints_fail.into());
        out.number(WORDINGS, self.wordings.into());
        if let Some(rest) = self.rest {
            out.nested(REST, rest.fields());
        }
        out.maybe(LAST_REFUSED, self.last_refused.map(|at| at.0));
        out.number(ACCEPTED, self.accepted);
        out.number(REFUSED, self.refused);
        out.number(IS_SHARED, self.is_shared.into());
        out.maybe(COUNTS_REFUSED, self.counts_refused.map(u64::from));
        out.number(PUTS_OFF, self.puts_off.into());
        out.octets(PAST, &past_octets(&self.past));
        out
    }

    pub(super) fn read(kept: Reader<'_>) -> Option<Self> {
        let quotas = |tag| {
            let quotas = kept.each(tag).take(Self::QUOTAS_MAX);
            quotas.filter_map(|quota| LearnedQuota::read(Reader(quota))).collect()
        };
        let credit = kept.octets(CREDIT).and_then(|credit| credit.try_into().ok());
        Some(Self {
            at: kept.instant(AT)?,
            is_last: kept.number(IS_LAST) == Some(1),
            gap: kept.span(GAP).filter(|gap| *gap > Span::ZERO)?,
            gap_held: kept.span(GAP_HELD).filter(|gap| *gap > Span::ZERO),
            gap_bad: kept.span(GAP_BAD).filter(|gap| *gap > Span::ZERO),
            is_probing: kept.number(IS_PROBING) == Some(1),
            quotas: quotas(QUOTA),
            suspects: quotas(SUSPECT),
            suspected_for: kept.span(SUSPECTED_FOR).unwrap_or_default(),
            penalty: kept.span(PENALTY),
            opening: kept.nested(OPENING).and_then(opening_of),
            usual: kept.nested(USUAL).and_then(|usual| {
                let over = usual.span(2).filter(|over| *over > Span::ZERO)?;
                Some((usual.small(1)?, over))
            }),
            connections: kept.small(CONNECTIONS),
            session_messages: kept.small(SESSION_MESSAGES),
            credit: credit.map(i32::from_le_bytes).unwrap_or_default(),
            hints_fail: kept.number(HINTS_FAIL) == Some(1),
            wordings: kept.number(WORDINGS).and_then(|bits| bits.try_into().ok()).unwrap_or(0),
            rest: kept.nested(REST).and_then(LearnedRest::read),
            last_refused: kept.instant(LAST_REFUSED),
            accepted: kept.number(ACCEPTED).unwrap_or_default(),
            refused: kept.number(REFUSED).unwrap_or_default(),
            is_shared: kept.number(IS_SHARED) == Some(1),
            counts_refused: kept.number(COUNTS_REFUSED).map(|counts| counts == 1),
            puts_off: kept.number(PUTS_OFF) == Some(1),
            past: past_of(kept.octets(PAST).unwrap_or_default()),
        })
    }
}

impl LearnedQuota {
    fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(1, self.window.0);
        out.number(2, self.messages.into());
        out.number(3, self.support.into());
        out.number(4, self.least.0);
        match self.reset {
            Reset::Assumed => {}
            Reset::Slides => out.number(5, 1),
            Reset::Clock { from, to } => {
                out.number(6, from.0);
                out.number(7, to.0);
            }
        }
        out.number(8, self.asks_at.0);
        out.number(9, self.patience.into());
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        let (window, messages) = (kept.span(1)?, kept.small(2)?);
        let clock = kept.instant(6).zip(kept.instant(7)).filter(|(from, to)| from <= to);
        let is_one = window > Span::ZERO && messages > 0;
        is_one.then_some(Self {
            window,
            messages,
            support: kept.small(3).unwrap_or_default(),
            least: kept.span(4).unwrap_or(window),
            reset: match clock {
                Some((from, to)) => Reset::Clock { from, to },
                None if kept.number(5) == Some(1) => Reset::Slides,
                None => Reset::Assumed,
            },
            asks_at: kept.instant(8).unwrap_or_default(),
            patience: kept.small(9).unwrap_or_default(),
        })
    }
}

fn opening_fields(opening: Opening) -> Writer {
    let mut out = Writer::default();
    out.number(1, opening.from.0);
    out.number(2, opening.to.0);
    out.number(3, opening.seen.into());
    out
}

fn opening_of(kept: Reader<'_>) -> Option<Opening> {
    let (from, to) = (kept.instant(1)?, kept.instant(2)?);
    (from < to).then_some(Opening { from, to, seen: kept.small(3)? })
}

impl LearnedRest {
    fn fields(self) -> Writer {
        let mut out = Writer::default();
        out.number(1, self.refused.0);
        out.number(2, self.began.0);
        out.maybe(3, self.gap.map(|gap| gap.0));
        out.number(4, self.first.0);
        out.number(5, self.canaries.into());
        out.number(6, self.tried.0);
        out.number(7, self.until.0);
        out.maybe(8, self.explained.map(u64::from));
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        Some(Self {
            refused: kept.instant(1)?,
            began: kept.instant(2)?,
            gap: kept.span(3).filter(|gap| *gap > Span::ZERO),
            first: kept.span(4)?,
            canaries: kept.small(5).unwrap_or_default(),
            tried: kept.instant(6)?,
            until: kept.instant(7)?,
            explained: kept.small(8),
        })
    }
}

const PAST_OCTETS: usize = 20;

/// When, then three counts.
fn past_octets(past: &[Past]) -> Vec<u8> {
    let older = past.len().saturating_sub(Learned::PAST_MAX);
    let mut octets = Vec::with_capacity(PAST_OCTETS * (past.len() - older));
    for stretch in past.iter().skip(older) {
        let Past { at, all, accepted, transactional } = stretch;
        octets.extend_from_slice(&at.0.to_le_bytes());
        for count in [all, accepted, transactional] {
            octets.extend_from_slice(&count.to_le_bytes());
        }
    }
    octets
}

fn past_of(octets: &[u8]) -> Vec<Past> {
    let stretch = |octets: &[u8]| {
        let (at, mut rest) = octets.split_first_chunk::<8>()?;
        let mut count = || {
            let (count, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            Some(u32::from_le_bytes(*count))
        };
        let at = Instant(u64::from_le_bytes(*at));
        let (all, accepted, transactional) = (count()?, count()?, count()?);
        Some(Past { at, all, accepted, transactional })
    };
    let stretches = octets.chunks(PAST_OCTETS).take(Learned::PAST_MAX);
    let mut past: Vec<Past> = stretches.filter_map(stretch).collect();
    past.sort_by_key(|stretch| stretch.at);
    past
}
