//! Retry storms: spans in which a provider was asked again and again and took next to nothing.

/// A storm is looked for in pieces of ten minutes; chosen, not measured.
const PIECE_S: u32 = 600;
/// So many tries at least in a piece.
const TRIES_MIN: u64 = 30;
/// So many tries for each message that is taken (docs/guide/analyze.md).
const PRESSURE_MIN: u64 = 3;
/// Pieces of quiet that a storm survives.
const LULL_S: u32 = 1_200;
/// The worst are told.
const STORMS_MAX: usize = 20;

/// A span in which a provider was asked again and again and took next to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storm {
    /// From when, in seconds since 1970.
    pub from_s: u32,
    /// Until when.
    pub to_s: u32,
    /// Tries in it.
    pub attempts: u64,
    /// Of them not the first of their recipient.
    pub retries: u64,
    /// Taken in it.
    pub accepted: u64,
    /// Tries a minute in its worst ten minutes.
    pub peak_per_minute: u64,
    /// How old the oldest message in it was, in seconds.
    pub oldest_s: u64,
}

/// What was tried again, piece by piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storms {
    done: Vec<Storm>,
    /// The piece that is being counted.
    piece: Piece,
    storm: Option<Storm>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    at_s: u32,
    tries: u64,
    retries: u64,
    accepted: u64,
    oldest_s: u64,
}

/// One try, as a storm sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    pub(crate) at_s: u32,
    pub(crate) is_retry: bool,
    pub(crate) is_accepted: bool,
    /// How old the message was, in seconds.
    pub(crate) age_s: u64,
}

impl Storms {
    /// Counts a try. Tries of other files may come late; they count where they come.
    pub(crate) fn count(&mut self, one: Try) {
        let at_s = one.at_s / PIECE_S * PIECE_S;
        if at_s > self.piece.at_s {
            self.end_piece();
            self.piece = Piece { at_s, ..Piece::default() };
        }
        self.piece.tries += 1;
        self.piece.retries += u64::from(one.is_retry);
        self.piece.accepted += u64::from(one.is_accepted);
        self.piece.oldest_s = self.piece.oldest_s.max(one.age_s);
    }

    /// The storms, the worst first.
    pub(crate) fn finish(&mut self) -> Vec<Storm> {
        self.end_piece();
        self.end_storm();
        self.done.sort_by_key(|storm| (std::cmp::Reverse(storm.attempts), storm.from_s));
        self.done.truncate(STORMS_MAX);
        self.done.clone()
    }

    fn end_piece(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        let is_storm = piece.tries >= TRIES_MIN
            && piece.tries > PRESSURE_MIN * piece.accepted.max(1)
            && piece.retries * 2 >= piece.tries;
        let goes_on = |storm: &Storm| piece.at_s.saturating_sub(storm.to_s) <= LULL_S;
        if self.storm.as_ref().is_some_and(|storm| !goes_on(storm)) {
            self.end_storm();
        }
        if !is_storm {
            return;
        }
        let storm = self.storm.get_or_insert(Storm {
            from_s: piece.at_s,
            to_s: piece.at_s,
            attempts: 0,
            retries: 0,
            accepted: 0,
            peak_per_minute: 0,
            oldest_s: 0,
        });
        storm.to_s = piece.at_s + PIECE_S;
        storm.attempts += piece.tries;
        storm.retries += piece.retries;
        storm.accepted += piece.accepted;
        let per_minute = piece.tries.div_ceil(u64::from(PIECE_S / 60));
        storm.peak_per_minute = storm.peak_per_minute.max(per_minute);
        storm.oldest_s = storm.oldest_s.max(piece.oldest_s);
    }

    fn end_storm(&mut self) {
        self.done.extend(self.storm.take());
        if self.done.len() > 4 * STORMS_MAX {
            self.done.sort_by_key(|storm| std::cmp::Reverse(storm.attempts));
            self.done.truncate(STORMS_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storms(tries: impl IntoIterator<Item = (u32, bool, bool)>) -> Vec<Storm> {
        let mut storms = Storms::default();
        for (at_s, is_retry, is_accepted) in tries {
            storms.count(Try { at_s, is_retry, is_accepted, age_s: u64::from(at_s) });
        }
        storms.finish()
    }

    #[test]
    fn many_retries_and_little_taken_are_a_storm() {
        let found = storms((0..3000).map(|n| (10_000 + n, true, n % 10 == 0)));
        assert_eq!(found.len(), 1);
        let storm = &found[0];
        assert_eq!((storm.from_s, storm.to_s, storm.attempts), (9_600, 13_200, 3000));
        assert_eq!((storm.accepted, storm.peak_per_minute), (300, 60));
    }

    #[test]
    fn first_attempts_and_mail_that_is_taken_are_none() {
        assert!(storms((0..3000).map(|n| (n, false, false))).is_empty());
        assert!(storms((0..3000).map(|n| (n, true, true))).is_empty());
        assert!(storms((0..20).map(|n| (n, true, false))).is_empty());
    }

    #[test]
    fn an_hour_of_quiet_parts_two_storms() {
        let found =
            storms((0..7200).filter(|n| !(1800..5400).contains(n)).map(|n| (n, true, false)));
        assert_eq!(found.len(), 2);
    }
}
