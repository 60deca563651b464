//! What the words of a reply say together.
//!
//! One pass. A span of time is a wait, a window or neither, by the word before it and by the
//! last word that set the tone: `try again in 5 minutes` is a wait, `too many messages in
//! 5 minutes` a window, `timed out after 5 minutes` nothing. A number is a quota if it counts
//! something and a limit or a window stands beside it.

use postlane_mail::Span;

use super::word::Word;
use super::{Hint, Quota, Unit, Wait};

/// How far a word reaches that sets the tone; chosen so that `greylisted` reaches over the
/// recipient's address and a URL.
const REACH: usize = 12;

/// How far a span looks ahead for `try again`, inside its sentence.
const AHEAD: usize = 7;

pub(super) fn read(words: &[Word]) -> Hint {
    let mut reading = Reading { words, tone: None, crowded_at: None, found: Found::default() };
    let mut at = 0;
    while at < words.len() {
        at = reading.step(at);
    }
    let Found { wait, window, quota } = reading.found;
    Hint {
        wait: wait.map(|(_, wait)| wait),
        window: window.map(|(_, window)| window),
        quota: quota.map(|(_, quota)| quota),
    }
}

struct Reading<'w> {
    words: &'w [Word],
    /// The last word that set the tone, and where.
    tone: Option<(Tone, usize)>,
    /// Where something was last said to be too much or to have a limit.
    crowded_at: Option<usize>,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// It speaks of another attempt.
    Retry,
    /// It speaks of a block that ends.
    Block,
    /// It speaks of too much.
    Crowd,
    /// It speaks of the past.
    Idle,
}

/// What was found so far, each with how plainly it was said; the plainer counts, then the first.
#[derive(Default)]
struct Found {
    wait: Option<(u8, Wait)>,
    window: Option<(u8, Span)>,
    quota: Option<(u8, Quota)>,
}

/// A span of time in the text.
#[derive(Clone, Copy)]
struct Spoken {
    seconds: u64,
    /// A number was said, not `a few`.
    exact: bool,
    /// The first word behind it.
    end: usize,
}

impl Reading<'_> {
    /// Reads what stands at a word; gives the next word to look at.
    fn step(&mut self, at: usize) -> usize {
        if let Some(spoken) = self.span_at(at) {
            self.span(at, spoken);
            return spoken.end;
        }
        match self.word(at) {
            Word::Number(count) => return self.number(at, count),
            Word::Spelled(count) if matches!(self.word(at + 1), Word::Thing(_)) => {
                return self.number(at, count);
            }
            Word::Per => self.offer_window(1, self.unit_behind(at + 1)),
            Word::Within if self.is_crowded(at) => {
                self.offer_window(1, self.unit_behind(at + 1));
            }
            Word::Often(seconds) if self.is_limit_near(at) => {
                self.offer_window(1, Some(u64::from(seconds)));
            }
            Word::Later if self.is_near(at, Word::Retry) => {
                self.offer_wait(1, Hint::LATER.as_s(), false);
            }
            _ => {}
        }
        self.hear(at);
        at + 1
    }

    fn word(&self, at: usize) -> Word {
        self.words.get(at).copied().unwrap_or(Word::Stop)
    }

    fn before(&self, at: usize, back: usize) -> Word {
        at.checked_sub(back).map_or(Word::Stop, |at| self.word(at))
    }

    /// Lets the word set the tone.
    fn hear(&mut self, at: usize) {
        let tone = match self.word(at) {
            Word::Retry if self.before(at, 1) == Word::Will => Tone::Idle,
            Word::Retry => Tone::Retry,
            Word::Block => Tone::Block,
            Word::Many | Word::Cap => Tone::Crowd,
            Word::Idle => Tone::Idle,
            _ => return,
        };
        if tone == Tone::Crowd {
            self.crowded_at = Some(at);
        }
        self.tone = Some((tone, at));
    }

    fn tone_at(&self, at: usize) -> Option<Tone> {
        self.tone.filter(|(_, heard)| at - heard <= REACH).map(|(tone, _)| tone)
    }

    fn is_crowded(&self, at: usize) -> bool {
        self.crowded_at.is_some_and(|heard| at - heard <= REACH)
    }

    fn is_near(&self, at: usize, word: Word) -> bool {
        (at.saturating_sub(AHEAD)..=at + AHEAD).any(|near| self.word(near) == word)
    }

    fn is_limit_near(&self, at: usize) -> bool {
        let counts = |word| matches!(word, Word::Cap | Word::Many | Word::Thing(_));
        (at.saturating_sub(4)..=at + 4).any(|near| counts(self.word(near)))
    }

    /// Whether the same sentence goes on to speak of another attempt.
    fn is_followed_by_retry(&self, at: usize) -> bool {
        (at..at + AHEAD)
            .map(|ahead| self.word(ahead))
            .take_while(|word| !matches!(word, Word::Stop | Word::Will))
            .any(|word| word == Word::Retry)
    }

    /// A span with its number: `5 minutes`, `1 h 30 min`, `an hour`, `a few hours`, `00:05:00`.
    fn span_at(&self, at: usize) -> Option<Spoken> {
        let mut end = at;
        match (self.word(at), self.word(at + 1)) {
            (Word::Number(number) | Word::Spelled(number), _) => {
                let mut number = number;
                end += 1;
                // `5-10 minutes`, `5 to 10 minutes`: the longer one is safe.
                if matches!(self.word(end), Word::Dash | Word::Filler)
                    && let Word::Number(upper) = self.word(end + 1)
                {
                    number = number.max(upper);
                    end += 2;
                }
                if matches!(self.word(end), Word::Bound | Word::Adjective) {
                    end += 1;
                }
                self.measured(number, end)
            }
            (Word::Clock(seconds), _) => {
                let is_length = matches!(self.before(at, 1), Word::In | Word::For);
                is_length.then_some(Spoken { seconds: seconds.into(), exact: true, end: end + 1 })
            }
            (Word::Article, Word::Time(unit)) => {
                Some(Spoken { seconds: unit.into(), exact: true, end: end + 2 })
            }
            (Word::Half, _) => {
                end += 1 + usize::from(self.word(at + 1) == Word::Article);
                let Word::Time(unit) = self.word(end) else { return None };
                Some(Spoken { seconds: u64::from(unit) / 2, exact: true, end: end + 1 })
            }
            (Word::Few, _) => {
                end += 1;
                while matches!(self.word(end), Word::Filler | Word::Bound) && end < at + 3 {
                    end += 1;
                }
                let Word::Time(unit) = self.word(end) else { return None };
                Some(Spoken { seconds: a_few(unit), exact: false, end: end + 1 })
            }
            _ => None,
        }
    }

    /// A number whose unit of time stands at `at`, with smaller units behind it.
    fn measured(&self, number: u32, at: usize) -> Option<Spoken> {
        let Word::Time(mut unit) = self.word(at) else { return None };
        let mut seconds = u64::from(number).saturating_mul(unit.into());
        let mut end = at + 1;
        loop {
            let next = end + usize::from(self.word(end) == Word::And);
            match (self.word(next), self.word(next + 1)) {
                (Word::Number(more), Word::Time(smaller)) if smaller < unit => {
                    seconds =
                        seconds.saturating_add(u64::from(more).saturating_mul(smaller.into()));
                    (unit, end) = (smaller, next + 2);
                }
                _ => return Some(Spoken { seconds, exact: true, end }),
            }
        }
    }

    /// The span behind `per` or `in the last`, with a number or without.
    fn unit_behind(&self, at: usize) -> Option<u64> {
        let mut at = at;
        for _ in 0..3 {
            match (self.span_at(at), self.word(at)) {
                (Some(spoken), _) => return spoken.exact.then_some(spoken.seconds),
                (None, Word::Time(unit)) => return Some(unit.into()),
                (None, Word::Filler | Word::Adjective | Word::Article | Word::Within) => at += 1,
                _ => return None,
            }
        }
        None
    }

    /// The window of a count that ends before `at`: `[sent] per IP in the last 10 minutes`.
    fn window_behind(&self, at: usize) -> Option<u64> {
        if let (Word::Article, Word::Time(unit)) = (self.word(at), self.word(at + 1)) {
            return Some(unit.into());
        }
        for ahead in at..at + AHEAD {
            match self.word(ahead) {
                Word::Per | Word::Slash | Word::In | Word::Within | Word::For => {
                    if let Some(seconds) = self.unit_behind(ahead + 1) {
                        return Some(seconds);
                    }
                }
                Word::Often(seconds) => return Some(seconds.into()),
                Word::Stop | Word::Retry | Word::Block | Word::Number(_) => return None,
                _ => {}
            }
        }
        None
    }

    /// The window right before a count: `每小时200封`.
    fn window_before(&self, at: usize) -> Option<u64> {
        match (self.before(at, 2), self.before(at, 1)) {
            (Word::Per, Word::Time(unit)) => Some(unit.into()),
            _ => None,
        }
    }

    /// Decides what a span is.
    fn span(&mut self, at: usize, spoken: Spoken) {
        let mut lead = at;
        let mut is_soft = !spoken.exact;
        let mut is_past = false;
        let role = loop {
            let word = lead.checked_sub(1).map_or(Word::Stop, |before| self.word(before));
            match word {
                Word::Filler | Word::Article | Word::Adjective | Word::Bound if at - lead < 4 => {}
                Word::About => is_soft = true,
                Word::Within => is_past = true,
                other => break other,
            }
            lead -= 1;
        };
        let behind = self.word(spoken.end);
        if behind == Word::Ago {
            return;
        }
        if behind == Word::Within {
            // `1小时内…超过限制`: the window stands before what it is of.
            let ahead = (spoken.end..spoken.end + AHEAD).map(|ahead| self.word(ahead));
            if self.is_crowded(at) || ahead.into_iter().any(|w| matches!(w, Word::Many | Word::Cap))
            {
                self.offer_window(1, spoken.exact.then_some(spoken.seconds));
            }
            return;
        }
        if behind == Word::Block {
            return self.offer_wait(2, spoken.seconds, false);
        }
        let tone = self.tone_at(at);
        let window = spoken.exact.then_some(spoken.seconds);
        if behind == Word::Period && tone == Some(Tone::Retry) && role == Word::After {
            return self.offer_wait(3, spoken.seconds, spoken.exact);
        }
        if matches!(behind, Word::Period | Word::Cap) || is_past || role == Word::Slash {
            match tone {
                Some(Tone::Block) if is_past => self.offer_wait(2, spoken.seconds, false),
                _ if is_past && !self.is_crowded(at) => {}
                _ => self.offer_window(1, window),
            }
            return;
        }
        let is_awaited = match (role, tone) {
            (_, Some(Tone::Retry | Tone::Block)) => true,
            (Word::Per, _) => false,
            (Word::In, Some(Tone::Crowd)) => false,
            _ => {
                tone != Some(Tone::Idle)
                    && (self.is_followed_by_retry(spoken.end)
                        || matches!(behind, Word::Later)
                        || (behind == Word::After && self.is_followed_by_retry(spoken.end + 1)))
            }
        };
        if is_awaited {
            let rank = if is_soft { 2 } else { 3 };
            self.offer_wait(rank, spoken.seconds, !is_soft);
        } else if role == Word::Per || (role == Word::In && tone == Some(Tone::Crowd)) {
            self.offer_window(1, window);
        }
    }

    /// Decides what a number without a unit of time is; gives the next word to look at.
    fn number(&mut self, at: usize, count: u32) -> usize {
        if self.before(at, 1) == Word::Naming {
            return at + 1;
        }
        let mut end = at + 1;
        while self.word(end) == Word::Adjective && end < at + 3 {
            end += 1;
        }
        let (of, factor) = match self.word(end) {
            Word::Thing(unit) => (Some(unit), 1),
            Word::Octets(factor) => (Some(Unit::Octets), factor),
            Word::Noun => return at + 1,
            _ => (None, 1),
        };
        if of.is_some() {
            end += 1;
        } else {
            end = at + 1;
        }
        let window = self.window_behind(end).or_else(|| self.window_before(at));
        let is_limit = self.is_limit_before(at);
        let unit = match (of, is_limit, window) {
            (Some(Unit::Octets), _, None) => None,
            (Some(of), _, Some(_)) => Some(of),
            (Some(of), _, None) => {
                let is_said = is_limit || self.word(end) == Word::Cap;
                (is_said && !self.is_of_mailbox(at)).then_some(of)
            }
            (None, true, _) => self.counted_before(at, window.is_some()),
            // `20/min`: whatever is sent. A window further off is not this number's.
            (None, false, Some(_)) if self.is_crowded(at) && self.is_rate(end) => {
                self.counted_before(at, true)
            }
            _ => None,
        };
        let Some(of) = unit else { return at + 1 };
        let limit_counts = u8::from(is_limit) + 2 * u8::from(window.is_some());
        self.offer_quota(limit_counts, count, factor, of, window);
        end
    }

    /// `mailbox is full: 5000 messages` speaks of what lies there, not of what we may send.
    fn is_of_mailbox(&self, at: usize) -> bool {
        (1..=8)
            .map(|back| self.before(at, back))
            .take_while(|word| *word != Word::Stop)
            .any(|word| word == Word::Noun)
    }

    fn is_rate(&self, at: usize) -> bool {
        matches!(self.word(at), Word::Slash | Word::Per)
    }

    /// `limit of`, `max`, `more than`, `exceeded` right before a number.
    fn is_limit_before(&self, at: usize) -> bool {
        for back in 1..=4 {
            match self.before(at, back) {
                Word::Cap | Word::Bound => return true,
                Word::Many => return self.before(at, back + 1) == Word::Cap || back == 1,
                Word::Filler | Word::About | Word::Within | Word::Article => {}
                Word::Thing(_) | Word::Per if back > 1 => {}
                _ => return false,
            }
        }
        false
    }

    /// What a bare number counts: the last noun before it, else messages if it has a window.
    fn counted_before(&self, at: usize, has_window: bool) -> Option<Unit> {
        for back in 1..=REACH {
            match self.before(at, back) {
                Word::Thing(unit) => {
                    // `message size`, `message too large`, `recipient mailbox`.
                    let is_of_it = (1..back).any(|near| self.before(at, near) == Word::Noun);
                    return (!is_of_it).then_some(unit);
                }
                Word::Noun | Word::Octets(_) => return None,
                _ => {}
            }
        }
        has_window.then_some(Unit::Messages)
    }

    fn offer_wait(&mut self, rank: u8, seconds: u64, exact: bool) {
        let Some(span) = believed(seconds) else { return };
        if self.found.wait.is_none_or(|(held, _)| held < rank) {
            self.found.wait = Some((rank, Wait { span, exact }));
        }
    }

    fn offer_window(&mut self, rank: u8, seconds: Option<u64>) {
        let Some(span) = seconds.and_then(believed) else { return };
        if self.found.window.is_none_or(|(held, _)| held < rank) {
            self.found.window = Some((rank, span));
        }
    }

    fn offer_quota(&mut self, rank: u8, count: u32, factor: u32, of: Unit, window: Option<u64>) {
        let Some(total) = count.checked_mul(factor) else { return };
        let is_absurd = total == 0 || (of != Unit::Octets && total > Hint::COUNT_MAX);
        let window = match window {
            Some(seconds) if believed(seconds).is_none() => return,
            other => other,
        };
        if is_absurd || self.found.quota.is_some_and(|(held, _)| held >= rank) {
            return;
        }
        self.found.quota = Some((rank, Quota { count: total, of }));
        if let Some(span) = window.and_then(believed) {
            self.found.window = Some((2, span));
        }
    }
}

/// A span within the limits.
fn believed(seconds: u64) -> Option<Span> {
    let span = Span::from_s(seconds);
    (span > Span::ZERO && span <= Hint::SPAN_MAX).then_some(span)
}

/// `a few` of a unit: half a minute of seconds, ten minutes of minutes, else three; chosen,
/// not measured.
fn a_few(unit_s: u32) -> u64 {
    match unit_s {
        1 => 30,
        60 => 600,
        other => u64::from(other) * 3,
    }
}
