//! First attempts and retries, side by side: who puts off whom it does not know says so seldom.
//!
//! Greylisting in words of another trouble refuses every first attempt and takes the same message
//! later; a limit refuses whatever comes while it is full, and takes whatever comes after. Refusals in
//! a row look the same in both, and so does a canary, which is a retry.

use super::Heard;

/// How first attempts and retries fared, where they were refused in words of a message's own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contact {
    first: Tally,
    again: Tally,
    /// Of these, what was put off so often before that it cannot come too soon.
    late: Tally,
    /// So many retries may come too soon yet.
    excused: u32,
    /// What was taken, and how often a refusal followed something that was: a wave counts once.
    waves: Tally,
    /// The last was refused.
    is_wave: bool,
    /// It says so where it puts off.
    is_said: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    taken: u32,
    refused: u32,
}

/// So many are remembered; then what is older counts half.
const REMEMBERED: u32 = 100;

/// First attempts that must have been refused before it is thought of. Chosen, not measured.
const REFUSED_MIN: u32 = 3;

/// For each first attempt that was taken so many were refused,
const SELDOM: u32 = 10;
/// and of retries so many times the share is taken. Chosen by rehearsals (decision 042).
const OFTEN: f64 = 2.0;

/// A message that was put off so often, for more than half an hour, does not come too soon: half of
/// these at least are taken, or it is no first contact.
const LATE: u16 = 4;

/// Each message that was put off may come too soon so often.
const TOO_SOON: u32 = LATE as u32 - 1;

/// Refusals in a row that chance brings once in a million times are no chance. Chosen, not measured.
const BY_CHANCE: f64 = 1e-6;

impl Contact {
    /// As it was kept: who puts off is believed to, until two first attempts are taken.
    pub(super) fn kept(puts_off: bool) -> Self {
        if !puts_off {
            return Self::default();
        }
        let first = Tally { taken: 0, refused: SELDOM };
        Self { first, again: Tally { taken: SELDOM, refused: 0 }, ..Self::default() }
    }

    pub(super) fn taken(&mut self, heard: &Heard) {
        self.of(heard).taken += 1;
        self.late.taken += u32::from(heard.attempts >= LATE);
        self.waves.taken += 1;
        self.is_wave = false;
        self.fade();
    }

    /// In words of a message's own.
    pub(super) fn refused(&mut self, heard: &Heard) {
        self.put_off(heard);
        self.waves.refused += u32::from(!self.is_wave);
        self.is_wave = true;
        self.fade();
    }

    /// In words that are no message's own: who puts off everybody says so seldom.
    pub(super) fn put_off(&mut self, heard: &Heard) {
        // Who is known to put off is asked again too soon, mostly; a limit refuses retries beyond all measure.
        if heard.attempts == 0 {
            self.excused = self.excused.saturating_add(TOO_SOON);
        } else if heard.attempts < LATE && self.excused > 0 && self.puts_off() {
            self.excused -= 1;
            return;
        }
        self.of(heard).refused += 1;
        self.late.refused += u32::from(heard.attempts >= LATE);
        self.fade();
    }

    /// It greylists, and says so.
    pub(super) fn said(&mut self) {
        self.is_said = true;
    }

    fn of(&mut self, heard: &Heard) -> &mut Tally {
        if heard.attempts == 0 { &mut self.first } else { &mut self.again }
    }

    fn fade(&mut self) {
        for tally in [&mut self.first, &mut self.again, &mut self.late, &mut self.waves] {
            if tally.taken + tally.refused > REMEMBERED {
                tally.taken /= 2;
                tally.refused /= 2;
            }
        }
    }

    /// Whether it puts off what it has not seen before, and takes that later. Many retries come too soon.
    pub(super) fn puts_off(self) -> bool {
        let Self { first, again, late, .. } = self;
        // As if one more had been taken: what was seen seldom is not sure.
        let share = f64::from(first.taken + 1) / f64::from(first.taken + first.refused + 1);
        !self.is_said
            && first.refused >= REFUSED_MIN
            && first.taken.saturating_mul(SELDOM) <= first.refused
            && again.taken > 0
            && again.share() >= OFTEN * share
            && late.taken >= late.refused
    }

    /// So many refusals in a row are no chance, where a share is refused at any pace.
    pub(super) fn no_chance(self) -> u32 {
        let Tally { taken, refused } = self.waves;
        let before =
            Tally { taken: refused.saturating_sub(u32::from(self.is_wave)), refused: taken };
        let share = before.share();
        let most = f64::from(REMEMBERED);
        if share > 0.0 { (BY_CHANCE.ln() / share.ln()).ceil().min(most) as u32 } else { 0 }
    }
}

impl Tally {
    /// Of all, those that were taken.
    fn share(self) -> f64 {
        f64::from(self.taken) / f64::from((self.taken + self.refused).max(1))
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Instant, Stream};

    use super::*;
    use crate::signal::Signal;

    fn attempt(attempts: u16) -> Heard {
        let (sent, stream) = (Instant::from_unix_s(1_000_000), Stream::Engaged);
        Heard { signal: Signal::Temp, sent, stream, attempts, carried: 0, open: 1 }
    }

    #[test]
    fn who_refuses_first_attempts_and_takes_retries_puts_off_whom_it_does_not_know() {
        let mut contact = Contact::default();
        (0..6).for_each(|_| contact.refused(&attempt(0)));
        assert!(!contact.puts_off(), "no retry has passed");
        contact.refused(&attempt(1));
        contact.taken(&attempt(2));
        assert!(contact.puts_off());
        (0..10).for_each(|_| contact.refused(&attempt(1)));
        assert!(contact.puts_off(), "those came too soon");
        let mut late = contact;
        late.refused(&attempt(LATE));
        assert!(!late.puts_off(), "those that are old enough do not pass");
        (0..20).for_each(|_| contact.refused(&attempt(1)));
        assert!(!contact.puts_off(), "retries do not pass");
    }

    #[test]
    fn who_was_known_to_put_off_and_takes_two_first_attempts_does_not_any_more() {
        let mut contact = Contact::kept(true);
        assert!(contact.puts_off() && !Contact::kept(false).puts_off());
        (0..2).for_each(|_| contact.taken(&attempt(0)));
        assert!(!contact.puts_off());
    }

    #[test]
    fn who_takes_first_attempts_has_a_limit() {
        let mut contact = Contact::default();
        (0..10).for_each(|_| contact.taken(&attempt(0)));
        (0..10).for_each(|_| contact.refused(&attempt(0)));
        contact.taken(&attempt(1));
        assert!(!contact.puts_off());
    }

    #[test]
    fn who_says_that_he_greylists_has_no_other_words_for_it() {
        let mut contact = Contact::default();
        contact.said();
        (0..6).for_each(|_| contact.refused(&attempt(0)));
        contact.taken(&attempt(1));
        assert!(!contact.puts_off());
    }

    #[test]
    fn where_a_fifth_is_refused_at_random_nine_in_a_row_are_no_chance() {
        let mut contact = Contact::default();
        assert_eq!(contact.no_chance(), 0);
        for of in 0..50 {
            if of % 5 == 0 { contact.refused(&attempt(0)) } else { contact.taken(&attempt(0)) }
        }
        assert_eq!(contact.no_chance(), 9);
        (0..8).for_each(|_| contact.refused(&attempt(0)));
        assert_eq!(contact.no_chance(), 9, "a wave does not excuse itself");
    }

    #[test]
    fn waves_of_refusals_are_not_chance_however_many_are_refused() {
        let mut contact = Contact::default();
        for _ in 0..5 {
            (0..40).for_each(|_| contact.taken(&attempt(0)));
            (0..10).for_each(|_| contact.refused(&attempt(0)));
        }
        assert!(contact.no_chance() <= 5, "{}", contact.no_chance());
    }
}
