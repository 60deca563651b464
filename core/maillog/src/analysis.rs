//! Reads logs: octets in as they come, one file after the other, and figures out.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::Instant;
use postlane_replies::{ProviderId, RuleBook};

use crate::attempt::{Attempt, Outcome, Source, Told, Tried, Turn};
use crate::format::Format;
use crate::haraka::Haraka;
use crate::hash::hash;
use crate::judged::{Judge, Speaker};
use crate::open::Open;
use crate::pmta::Pmta;
use crate::postfix::Postfix;
use crate::record::Recorded;
use crate::refusal::Refusals;
use crate::report::Report;
use crate::stamp::Clock;
use crate::syslog::Line;
use crate::tally::{Lane, More, Tally};
use crate::whose::Whose;
use crate::{exim, kumomta, own};

/// How long a line may be, in octets; the rest of a longer one is not looked at. What is told of
/// a reply is far shorter.
const LINE_MAX: usize = 64 * 1024;
/// Sources that are told apart; chosen, not measured.
const LANES_MAX: usize = 60_000;
/// The widest slots of counts, in seconds: more than a month.
const SLOT_S_MAX: u32 = 60 << 16;
/// Lines that could not be read and are shown.
const BAD_EXAMPLES: usize = 3;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Recipients that wait, of all messages.
    pub waiting_max: usize,
    /// Providers that are told apart.
    pub providers_max: usize,
    /// Moments of all lanes, of sixteen octets each; beyond, the longest lanes' get coarser.
    pub moments_max: usize,
    /// Counts by slots of time; beyond, all slots get wider.
    pub slots_max: usize,
}

impl Default for Limits {
    /// About 200 MB at most. Chosen, not measured.
    fn default() -> Self {
        Self {
            waiting_max: 1_000_000,
            providers_max: 20_000,
            moments_max: 4_000_000,
            slots_max: 500_000,
        }
    }
}

/// Reads logs.
#[derive(Debug)]
pub struct Analysis {
    limits: Limits,
    /// What is counted: moments from the first on and before the second.
    span: (Instant, Instant),
    reader: Reader,
    clock: Clock,
    year_max: i32,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// Whether the line is longer than is looked at.
    is_cut: bool,
    files: u64,
    lines: u64,
    bad_lines: u64,
    bad_examples: Vec<Box<str>>,
    octets: u64,
    formats: Vec<Format>,
    from: Option<Instant>,
    to: Option<Instant>,
    whose: Whose,
    judge: Judge,
    open: Open,
    tallies: Vec<Tally>,
    lanes: Vec<Lane>,
    lane_numbers: BTreeMap<(u32, u64), u32>,
    kept: More,
    slot_s: u32,
    refusals: Option<Refusals>,
}

/// What reads a file's lines.
#[derive(Debug)]
enum Reader {
    /// No file is open.
    None,
    Postfix(Box<Postfix>),
    Exim,
    Haraka(Haraka),
    KumoMta,
    Pmta(Box<Pmta>),
    Postlane,
    JsonLines,
}

impl Analysis {
    /// An analysis by these rules, of what lies from `since` on and before `until`.
    pub fn new(book: Arc<RuleBook>, limits: Limits, since: Instant, until: Instant) -> Self {
        Self {
            limits,
            span: (since, until),
            reader: Reader::None,
            clock: Clock::new(1970),
            year_max: 0,
            rest: Vec::new(),
            is_cut: false,
            files: 0,
            lines: 0,
            bad_lines: 0,
            bad_examples: Vec::new(),
            octets: 0,
            formats: Vec::new(),
            from: None,
            to: None,
            whose: Whose::new(limits.providers_max),
            judge: Judge::new(book),
            open: Open::new(limits.waiting_max),
            tallies: Vec::new(),
            lanes: Vec::new(),
            lane_numbers: BTreeMap::new(),
            kept: More::default(),
            slot_s: 60,
            refusals: None,
        }
    }

    /// Keeps the latest refusals of a provider whole, by its id.
    #[must_use]
    pub fn with_refusals_of(self, provider: &str) -> Self {
        Self { refusals: Some(Refusals::of(provider)), ..self }
    }

    /// Begins a file. `year` is that of its first line, where its lines do not tell.
    pub fn begin_file(&mut self, format: Format, year: i32) {
        self.end_file();
        self.files += 1;
        self.clock = Clock::new(year);
        self.reader = match format {
            Format::Postfix => Reader::Postfix(Box::new(Postfix::new())),
            Format::Exim => Reader::Exim,
            Format::Haraka => Reader::Haraka(Haraka::new()),
            Format::KumoMta => Reader::KumoMta,
            Format::Pmta => Reader::Pmta(Box::new(Pmta::new())),
            Format::Postlane => Reader::Postlane,
            Format::JsonLines => Reader::JsonLines,
        };
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
    }

    /// The next octets of the file; lines may be parted anywhere.
    pub fn feed(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let mut octets = octets;
        if !self.rest.is_empty() || self.is_cut {
            let Some(end) = memchr::memchr(b'\n', octets) else { return self.keep(octets) };
            let (head, tail) = octets.split_at(end);
            self.keep(head);
            let line = std::mem::take(&mut self.rest);
            self.is_cut = false;
            self.line(&line);
            self.rest = line;
            self.rest.clear();
            octets = tail.get(1..).unwrap_or_default();
        }
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', octets) {
            self.line(octets.get(from..end).unwrap_or_default());
            from = end + 1;
        }
        self.keep(octets.get(from..).unwrap_or_default());
    }

    /// The file is over; gives the year of its last line.
    pub fn end_file(&mut self) -> i32 {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.line(&line);
        }
        self.is_cut = false;
        self.reader = Reader::None;
        self.year_max = self.year_max.max(self.clock.year());
        self.clock.year()
    }

    /// What all files say.
    pub fn finish(mut self) -> Report {
        self.end_file();
        let waiting: Vec<u32> = self.open.waiting().map(|one| one.lane).collect();
        for lane in &waiting {
            if let Some(tally) = self.tally_of(*lane) {
                tally.waits();
            }
        }
        let mut lanes: Vec<Vec<Lane>> = Vec::new();
        lanes.resize_with(self.tallies.len(), Vec::new);
        for lane in self.lanes {
            if let Some(of) = lanes.get_mut(lane.provider as usize) {
                of.push(lane);
            }
        }
        let (ids, kinds, known) = (self.whose.ids(), self.judge.kinds(), self.whose.known());
        let ids = ids.iter().map(Option::as_ref);
        let mut providers: Vec<_> = ids
            .zip(self.tallies)
            .zip(lanes)
            .map(|((id, tally), lanes)| tally.figures(id, lanes, kinds, known))
            .filter(|figures| figures.attempts() + figures.suspended + figures.expired > 0)
            .collect();
        providers.sort_by(|a, b| b.attempts().cmp(&a.attempts()).then_with(|| a.id.cmp(&b.id)));
        Report {
            files: self.files,
            lines: self.lines,
            bad_lines: self.bad_lines,
            bad_examples: self.bad_examples,
            octets: self.octets,
            formats: self.formats,
            from: self.from,
            to: self.to,
            slot_s: self.slot_s,
            evicted: self.open.evicted(),
            waiting: waiting.len() as u64,
            providers,
            refusals: self.refusals.map(Refusals::finish).unwrap_or_default(),
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = LINE_MAX - self.rest.len().min(LINE_MAX);
        self.is_cut |= octets.len() > room;
        self.rest.extend_from_slice(octets.get(..room).unwrap_or(octets));
    }

    fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.get(..LINE_MAX).unwrap_or(line);
        let clock = &mut self.clock;
        let recorded = match &mut self.reader {
            Reader::Postfix(postfix) => {
                let told = postfix.read(clock, line);
                return self.told(told, line);
            }
            Reader::Exim => {
                let told = exim::read(clock, line);
                return self.told(told, line);
            }
            Reader::None => Recorded::Bad,
            Reader::Haraka(haraka) => haraka.read(clock, line),
            Reader::KumoMta => kumomta::read(line),
            Reader::Pmta(pmta) => pmta.read(clock, line),
            Reader::Postlane => own::read(clock, line),
            Reader::JsonLines => own::read_json(clock, line),
        };
        match recorded {
            Recorded::Nothing => {}
            Recorded::Bad => self.told(Told::Bad, line),
            Recorded::Try(record) => self.told(record.told(), line),
        }
    }

    fn told(&mut self, told: Told<'_>, line: &[u8]) {
        match told {
            Told::Nothing => {}
            Told::Bad if line.is_empty() => {}
            Told::Bad => self.bad(line),
            Told::Attempt(attempt) => self.attempt(&attempt),
            Told::HostRefused { at, source, host, reply, stage } => {
                self.host_refused(at, source, host, reply, stage);
            }
            Told::Expired { at, source, id } => {
                if self.is_asked(at) {
                    self.expired(message(source, id), at);
                }
            }
            Told::Named { source, id, sender, message_id } => {
                if let Some(refusals) = &mut self.refusals {
                    refusals.name(message(source, id), sender, message_id);
                }
            }
            Told::Removed { source, id } => {
                if let Some(refusals) = &mut self.refusals {
                    refusals.gone(message(source, id));
                }
                if !self.open.is_empty() {
                    self.open.gone(message(source, id));
                }
            }
        }
    }

    fn bad(&mut self, line: &[u8]) {
        self.bad_lines += 1;
        if self.bad_examples.len() < BAD_EXAMPLES {
            let shown = line.get(..200).unwrap_or(line);
            self.bad_examples.push(String::from_utf8_lossy(shown).into());
        }
    }

    fn is_asked(&self, at: Instant) -> bool {
        self.span.0 <= at && at < self.span.1
    }

    fn attempt(&mut self, attempt: &Attempt<'_>) {
        let Some(provider) = self.whose.number(attempt.host, attempt.recipient) else { return };
        let lane = self.lane(provider, attempt.source);
        let turn = self.turn(attempt, lane);
        if !self.is_asked(attempt.at) {
            return;
        }
        self.from = Some(self.from.map_or(attempt.at, |from| from.min(attempt.at)));
        self.to = self.to.max(Some(attempt.at));
        let meaning = (attempt.outcome != Outcome::Accepted).then(|| {
            let id = self.whose.ids().get(provider as usize);
            let id = id.and_then(Option::as_ref).map(ProviderId::as_str);
            let (host, stage) = (attempt.host, attempt.stage);
            let speaker = Speaker { number: provider, provider: id, host, stage };
            self.judge.meaning(attempt.said, speaker)
        });
        let (Some(tally), Some(lane)) =
            (self.tallies.get_mut(provider as usize), self.lanes.get_mut(lane as usize))
        else {
            return;
        };
        if let (Some(refusals), Some(meaning)) = (&mut self.refusals, meaning) {
            let id = self.whose.ids().get(provider as usize).and_then(Option::as_ref);
            if id.is_some_and(|id| id.as_str() == refusals.provider()) {
                let message = message(attempt.source, attempt.id);
                refusals.take(message, &lane.source, attempt, (turn, meaning.label));
            }
        }
        let more = tally.count(lane, attempt, meaning, turn);
        self.limit(more);
    }

    /// Whether it is the recipient's first time, and what is remembered for the next.
    fn turn(&mut self, attempt: &Attempt<'_>, lane: u32) -> Turn {
        let tries = match attempt.outcome {
            Outcome::NotTried => return Turn::First,
            Outcome::Accepted | Outcome::Bounced | Outcome::Expired if self.open.is_empty() => 0,
            outcome => {
                let message = message(attempt.source, attempt.id);
                let recipient = hash(0, attempt.recipient);
                if matches!(outcome, Outcome::Deferred | Outcome::Unreached) {
                    self.open.deferred(message, recipient, lane)
                } else {
                    self.open.done(message, recipient)
                }
            }
        };
        if tries > 0 || attempt.tried_before == Some(Tried::Before) {
            Turn::Again
        } else {
            Turn::First
        }
    }

    fn host_refused(
        &mut self,
        at: Instant,
        source: Source<'_>,
        host: &[u8],
        reply: &[u8],
        stage: Option<postlane_mail::Stage>,
    ) {
        let Some(provider) = self.whose.number(host, b"") else { return };
        if !self.is_asked(at) {
            return;
        }
        let lane = self.lane(provider, source);
        let id = self.whose.ids().get(provider as usize);
        let id = id.and_then(Option::as_ref).map(ProviderId::as_str);
        let speaker = Speaker { number: provider, provider: id, host, stage };
        let meaning = self.judge.meaning(crate::attempt::Said::Reply(reply), speaker);
        let (Some(tally), Some(lane)) =
            (self.tallies.get_mut(provider as usize), self.lanes.get_mut(lane as usize))
        else {
            return;
        };
        let more = tally.host_refused(lane, at, &meaning);
        self.limit(more);
    }

    fn expired(&mut self, message: u64, at: Instant) {
        for one in self.open.gone(message) {
            let Some(lane) = self.lanes.get_mut(one.lane as usize) else { continue };
            let Some(tally) = self.tallies.get_mut(lane.provider as usize) else { continue };
            let more = tally.expired(lane, at);
            self.limit(more);
        }
    }

    fn tally_of(&mut self, lane: u32) -> Option<&mut Tally> {
        let provider = self.lanes.get(lane as usize)?.provider;
        self.tallies.get_mut(provider as usize)
    }

    /// The number of the lane of a provider and a source.
    fn lane(&mut self, provider: u32, source: Source<'_>) -> u32 {
        if self.tallies.len() <= provider as usize {
            self.tallies.resize_with(provider as usize + 1, Tally::default);
        }
        let mut key = (provider, hash(hash(0, source.machine), source.instance));
        if let Some(number) = self.lane_numbers.get(&key) {
            return *number;
        }
        let mut name = source_name(source);
        if self.lanes.len() >= LANES_MAX {
            key.1 = 0;
            name = "others".into();
            if let Some(number) = self.lane_numbers.get(&key) {
                return *number;
            }
        }
        let number = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let mut lane = Lane { provider, source: name, ..Lane::default() };
        lane.slots.widen(self.slot_s);
        self.lanes.push(lane);
        self.lane_numbers.insert(key, number);
        number
    }

    /// Makes moments and slots coarser where there are too many of all lanes.
    fn limit(&mut self, more: More) {
        self.kept.moments += more.moments;
        self.kept.slots += more.slots;
        while self.kept.slots > self.limits.slots_max && self.slot_s < SLOT_S_MAX {
            self.slot_s *= 2;
            self.lanes.iter_mut().for_each(|lane| lane.slots.widen(self.slot_s));
            self.kept.slots = self.lanes.iter().map(|lane| lane.slots.len()).sum();
        }
        while self.kept.moments > self.limits.moments_max {
            let Some(longest) = self.lanes.iter_mut().max_by_key(|lane| lane.series.len()) else {
                return;
            };
            let before = longest.series.len();
            if before < 2 {
                return;
            }
            self.kept.moments -= before - longest.series.coarsen();
        }
    }
}

/// When the first line of a file's beginning was written, in seconds since 1970, if it is of this
/// year; `None` if there is no line that tells.
pub fn first_moment(format: Format, beginning: &[u8], year: i32) -> Option<i64> {
    let mut lines = beginning.split(|octet| *octet == b'\n');
    let at = lines.find_map(|line| {
        let clock = &mut Clock::new(year);
        let recorded = match format {
            Format::Postfix => return clock.read(Line::read(line)?.stamped).map(|(at, _)| at),
            Format::Exim => {
                let stamped = Line::read(line).map_or(line, |line| line.stamped);
                return clock.read(stamped).map(|(at, _)| at);
            }
            Format::Haraka => return clock.read(line).map(|(at, _)| at),
            Format::KumoMta => kumomta::read(line),
            Format::Pmta => Pmta::new().read(clock, line),
            Format::Postlane => own::read(clock, line),
            Format::JsonLines => own::read_json(clock, line),
        };
        match recorded {
            Recorded::Try(record) => Some(record.at),
            Recorded::Nothing | Recorded::Bad => None,
        }
    })?;
    i64::try_from(at.unix_s()).ok()
}

/// The fingerprint of a message: queue ids are one machine's and one instance's own.
fn message(source: Source<'_>, id: &[u8]) -> u64 {
    hash(
        hash(
            hash(0, source.machine),
            source.instance.split(|o| *o == b'/').next().unwrap_or_default(),
        ),
        id,
    )
}

fn source_name(source: Source<'_>) -> Box<str> {
    let machine = String::from_utf8_lossy(source.machine);
    let instance = String::from_utf8_lossy(source.instance);
    match (&*machine, &*instance) {
        // Exim's main log and Haraka's name nobody.
        ("", "") => "this server".into(),
        ("", instance) => instance.into(),
        (machine, "" | "postfix") => machine.into(),
        (machine, instance) => format!("{machine} {instance}").into(),
    }
}

#[cfg(test)]
mod tests;
