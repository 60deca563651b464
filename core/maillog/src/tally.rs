//! What is counted of a provider, and of each source with it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};
use postlane_replies::{Label, ProviderId, Providers, Signal};

use crate::attempt::{Attempt, Outcome, Turn};
use crate::judged::{Kind, Meaning};
use crate::report::{ProviderFigures, SourceFigures, TopReply};
use crate::series::Series;
use crate::slots::Slots;
use crate::storm::{Storms, Try};
use crate::whose::OTHERS;

/// Kinds of replies, hosts and domains that are told apart for one provider.
const NAMES_MAX: usize = 256;
/// How many are told of each.
const TOLD_MAX: usize = 10;

/// What is counted of a provider.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    accepted: u64,
    deferred: u64,
    bounced: u64,
    expired: u64,
    suspended: u64,
    hosts_refused: u64,
    first_attempts: u64,
    first_accepted: u64,
    paced_first: u64,
    paced_again: u64,
    waiting: u64,
    oldest: Span,
    labels: BTreeMap<Label, u64>,
    replies: BTreeMap<u32, Met>,
    told: BTreeMap<(Option<Span>, Option<u32>), u64>,
    hosts: BTreeMap<Box<[u8]>, (u64, u64)>,
    domains: BTreeMap<Box<[u8]>, u64>,
    storms: Storms,
}

/// What is counted of a source with a provider.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// The provider's number.
    pub(crate) provider: u32,
    /// The source's name.
    pub(crate) source: Box<str>,
    pub(crate) accepted: u64,
    pub(crate) attempts: u64,
    pub(crate) first_attempts: u64,
    pub(crate) first_accepted: u64,
    pub(crate) paced: u64,
    pub(crate) series: Series,
    pub(crate) slots: Slots,
}

/// How much more is kept than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct More {
    pub(crate) moments: usize,
    pub(crate) slots: usize,
}

#[derive(Debug, Clone, Copy)]
struct Met {
    count: u64,
    first: Instant,
    last: Instant,
}

impl Tally {
    /// Counts a try of a recipient, and what was said.
    pub(crate) fn count(
        &mut self,
        lane: &mut Lane,
        attempt: &Attempt<'_>,
        meaning: Option<Meaning>,
        turn: Turn,
    ) -> More {
        let paced = meaning.is_some_and(|meaning| is_paced(&meaning));
        match attempt.outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Deferred | Outcome::Unreached => self.deferred += 1,
            Outcome::Bounced => self.bounced += 1,
            Outcome::Expired => self.expired += 1,
            Outcome::NotTried => self.suspended += 1,
        }
        // What Postfix repeats for mail that was not tried was said before.
        if let Some(meaning) = meaning
            && attempt.outcome != Outcome::NotTried
        {
            self.heard(&meaning, attempt.at);
        }
        let at_s = u32::try_from(attempt.at.unix_s()).unwrap_or(u32::MAX);
        let label = meaning.map_or(Label::Accepted, |meaning| meaning.label);
        let slots = match attempt.outcome {
            Outcome::NotTried => return More::default(),
            outcome => lane.slots.add(at_s, outcome, turn, label),
        };
        if attempt.outcome == Outcome::Expired {
            return More { slots, moments: 0 };
        }
        let is_accepted = attempt.outcome == Outcome::Accepted;
        let age = attempt.arrived.map_or(Span::ZERO, |arrived| attempt.at.since(arrived));
        self.oldest = self.oldest.max(age);
        if turn == Turn::First {
            self.first_attempts += 1;
            self.first_accepted += u64::from(is_accepted);
            self.paced_first += u64::from(paced);
        } else {
            self.paced_again += u64::from(paced);
        }
        let is_retry = turn == Turn::Again;
        self.storms.count(Try { at_s, is_retry, is_accepted, age_s: age.as_s() });
        self.named(attempt, is_accepted);
        More { slots, moments: lane.count(at_s, is_accepted, paced, turn) }
    }

    /// A host turned a session away before any recipient was named.
    pub(crate) fn host_refused(&mut self, lane: &mut Lane, at: Instant, meaning: &Meaning) -> More {
        self.hosts_refused += 1;
        self.heard(meaning, at);
        let at_s = u32::try_from(at.unix_s()).unwrap_or(u32::MAX);
        let (moment, is_new) = lane.series.at(at_s);
        if is_paced(meaning) {
            moment.paced += 1;
        } else {
            moment.failed += 1;
        }
        More { slots: 0, moments: usize::from(is_new) }
    }

    /// A recipient is given up.
    pub(crate) fn expired(&mut self, lane: &mut Lane, at: Instant) -> More {
        self.expired += 1;
        let at_s = u32::try_from(at.unix_s()).unwrap_or(u32::MAX);
        let slots = lane.slots.add(at_s, Outcome::Expired, Turn::Again, Label::Expired);
        More { slots, moments: 0 }
    }

    /// A recipient waits when all is read.
    pub(crate) fn waits(&mut self) {
        self.waiting += 1;
    }

    fn heard(&mut self, meaning: &Meaning, at: Instant) {
        *self.labels.entry(meaning.label).or_default() += 1;
        if is_paced(meaning)
            && (meaning.window.is_some() || meaning.quota.is_some())
            && self.told.len() < NAMES_MAX
        {
            *self.told.entry((meaning.window, meaning.quota)).or_default() += 1;
        }
        let kind = if self.replies.len() < NAMES_MAX || self.replies.contains_key(&meaning.kind) {
            meaning.kind
        } else {
            0
        };
        let met = self.replies.entry(kind).or_insert(Met { count: 0, first: at, last: at });
        met.count += 1;
        met.first = met.first.min(at);
        met.last = met.last.max(at);
    }

    fn named(&mut self, attempt: &Attempt<'_>, is_accepted: bool) {
        if !attempt.host.is_empty() {
            if let Some((taken, refused)) = self.hosts.get_mut(attempt.host) {
                *if is_accepted { taken } else { refused } += 1;
            } else if self.hosts.len() < NAMES_MAX {
                let counts = if is_accepted { (1, 0) } else { (0, 1) };
                self.hosts.insert(attempt.host.into(), counts);
            }
        }
        let domain = memchr::memrchr(b'@', attempt.recipient);
        let domain = domain.and_then(|at| attempt.recipient.get(at + 1..)).unwrap_or_default();
        if let Some(count) = self.domains.get_mut(domain) {
            *count += 1;
        } else if self.domains.len() < NAMES_MAX {
            self.domains.insert(domain.to_ascii_lowercase().into(), 1);
        }
    }

    /// The figures of a provider with these lanes.
    pub(crate) fn figures(
        mut self,
        id: Option<&ProviderId>,
        lanes: Vec<Lane>,
        kinds: &[Kind],
        known: &Providers,
    ) -> ProviderFigures {
        let id: Box<str> = id.map_or(OTHERS, ProviderId::as_str).into();
        let provider = known.known().iter().find(|provider| provider.id.as_str() == &*id);
        let together = Series::together(lanes.iter().map(|lane| &lane.series));
        let told = self.told.iter().max_by_key(|(_, count)| **count);
        ProviderFigures {
            name: provider.map_or_else(|| id.clone(), |provider| provider.name.clone()),
            is_known: provider.is_some(),
            id,
            accepted: self.accepted,
            deferred: self.deferred,
            bounced: self.bounced,
            expired: self.expired,
            suspended: self.suspended,
            hosts_refused: self.hosts_refused,
            first_attempts: self.first_attempts,
            first_accepted: self.first_accepted,
            paced_first: self.paced_first,
            paced_again: self.paced_again,
            waiting: self.waiting,
            oldest: self.oldest,
            labels: std::mem::take(&mut self.labels),
            told_limit: told.map(|((window, quota), count)| (*window, *quota, *count)),
            top_replies: top_replies(&self.replies, kinds),
            storms: self.storms.finish(),
            sources: sources(lanes),
            hosts: most(
                self.hosts.iter().map(|(host, (taken, refused))| (text(host), *taken, *refused)),
                |(_, taken, refused)| taken + refused,
            ),
            domains: most(
                self.domains.iter().map(|(domain, count)| (text(domain), *count)),
                |(_, count)| *count,
            ),
            step_s: together.step_s(),
            moments: together.moments().to_vec(),
        }
    }
}

impl Lane {
    fn count(&mut self, at_s: u32, is_accepted: bool, is_paced: bool, turn: Turn) -> usize {
        self.attempts += 1;
        self.accepted += u64::from(is_accepted);
        self.paced += u64::from(is_paced);
        if turn == Turn::First {
            self.first_attempts += 1;
            self.first_accepted += u64::from(is_accepted);
        }
        let (moment, is_new) = self.series.at(at_s);
        let count = match (is_accepted, is_paced) {
            (true, _) => &mut moment.accepted,
            (false, true) => &mut moment.paced,
            (false, false) => &mut moment.failed,
        };
        *count = count.saturating_add(1);
        usize::from(is_new)
    }
}

/// Whether a reply asks for less, or later.
fn is_paced(meaning: &Meaning) -> bool {
    meaning.signal == Signal::Rate
}

fn text(octets: &[u8]) -> Box<str> {
    String::from_utf8_lossy(octets).into()
}

/// The most by count, the name deciding between equals.
fn most<T: Ord>(all: impl Iterator<Item = T>, count: impl Fn(&T) -> u64) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|a, b| count(b).cmp(&count(a)).then_with(|| a.cmp(b)));
    all.truncate(TOLD_MAX);
    all
}

fn top_replies(replies: &BTreeMap<u32, Met>, kinds: &[Kind]) -> Vec<TopReply> {
    let mut top: Vec<TopReply> = replies
        .iter()
        .filter_map(|(kind, met)| {
            let kind = kinds.get(usize::try_from(*kind).ok()?)?;
            Some(TopReply {
                text: kind.example.clone(),
                code: kind.code,
                label: kind.label,
                rule: kind.rule.clone(),
                count: met.count,
                first: met.first,
                last: met.last,
            })
        })
        .collect();
    top.sort_by_key(|reply| (Reverse(reply.count), reply.first));
    top.truncate(TOLD_MAX);
    top
}

fn sources(lanes: Vec<Lane>) -> Vec<SourceFigures> {
    let mut sources: Vec<SourceFigures> = lanes
        .into_iter()
        .map(|mut lane| {
            lane.series.settle();
            SourceFigures {
                name: lane.source,
                accepted: lane.accepted,
                attempts: lane.attempts,
                first_attempts: lane.first_attempts,
                first_accepted: lane.first_accepted,
                paced: lane.paced,
                step_s: lane.series.step_s(),
                moments: lane.series.moments().to_vec(),
                slots: lane.slots.all(),
            }
        })
        .collect();
    sources.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.name.cmp(&b.name)));
    sources
}
