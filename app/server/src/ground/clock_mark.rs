//! How far a clock of our own (`--clock-speed`, `--now`) has come in a data directory.
//!
//! Who starts there by the machine's clock later would find messages, lanes and history of a time
//! that is still to come: mail would wait for it, and lanes would believe in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postlane_mail::{Instant, Span};
use postlane_message::LogDate;
use tokio::sync::watch;
use tokio::time::Interval;

use crate::ground::clock::Clock;
use crate::telling::journal::alarm;

/// How often it is written down. Chosen, not measured: what a crash loses of it is a second, times
/// the speed.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// A machine's clock may go back so far at any time, and nobody is told. Chosen, not measured.
pub(super) const A_LITTLE: Span = Span::from_s(60);

/// The file `clock` of a data directory: microseconds since 1970, and the same to be read.
#[derive(Debug, Clone)]
pub struct ClockMark(PathBuf);

impl ClockMark {
    /// That of a data directory.
    pub fn of(data: &Path) -> Self {
        Self(data.join("clock"))
    }

    /// What the clock showed last; none where there was only ever the machine's.
    pub fn read(&self) -> Option<Instant> {
        let text = fs::read_to_string(&self.0).ok()?;
        text.split_whitespace().next()?.parse().ok().map(Instant)
    }

    /// Why nothing starts here by a clock that shows `now`, and what can be done.
    pub fn says(&self, reached: Instant, now: Instant) -> String {
        let data = self.0.parent().unwrap_or_else(|| Path::new("")).display();
        let reached_date = LogDate::of(reached);
        let (ahead, then) = (ahead(reached, now), reached_date.as_str());
        format!(
            "the data directory {data} has run with --clock-speed or --now until {then}, {ahead} from \
             now: mail in it would wait for that time, and lanes and history would not fit. Nothing was \
             changed. Go on with --clock-speed, or with --now {then}; or name another directory by \
             --data, where `postlane spool import` takes what `postlane spool export` wrote here"
        )
    }

    /// Keeps it as long as the server runs. Under the machine's clock nothing is kept, and what was
    /// kept is over.
    pub(crate) async fn keep(self, clock: Clock, mut stop: watch::Receiver<bool>) {
        if clock.is_wall() {
            // It is in the past, or nothing would have started; where it stays it is there still.
            let _ = fs::remove_file(&self.0);
            return;
        }
        let mut next = tokio::time::interval(EVERY);
        let mut is_told = false;
        while ticks(&mut next, &mut stop).await {
            if let Err(why) = self.write(clock.now())
                && !std::mem::replace(&mut is_told, true)
            {
                alarm(&format!("{} cannot be written: {why}", self.0.display()));
            }
        }
    }

    /// The last of a server that ends.
    pub(crate) fn keep_last(&self, clock: Clock) {
        if !clock.is_wall() {
            // It was written a second ago.
            let _ = self.write(clock.now());
        }
    }

    /// Writes it down: whole, or as it was.
    fn write(&self, now: Instant) -> io::Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, format!("{} {}\n", now.0, LogDate::of(now).as_str()))?;
        fs::rename(&new, &self.0)
    }
}

/// Waits for the next tick; whether the server goes on.
pub(super) async fn ticks(next: &mut Interval, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        _ = next.tick() => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

/// Says of a spool whose last message was taken in what is the future by the machine's clock that
/// the clock was wrong, then or now. The machine's clock may go back a little at any time.
pub(crate) fn tell_of_future(last: Instant, clock: Clock) {
    let now = clock.now();
    if !clock.is_wall() || last <= now + A_LITTLE {
        return;
    }
    let ahead = ahead(last, now);
    alarm(&format!(
        "the last message here was taken at {}, {ahead} from now: the machine's clock was wrong then, \
         or is now. Nothing is lost; what waits for a time that is still to come is tried at once \
         with `postlane queue retry --all`",
        LogDate::of(last).as_str()
    ));
}

/// A span in words, about, by the largest unit of which it has two.
pub(super) fn ahead(later: Instant, now: Instant) -> String {
    let s = later.since(now).as_s();
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", (s + 30) / 60),
        7_200..172_800 => format!("{} h", (s + 1_800) / 3_600),
        _ => format!("{} days", (s + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again_and_said_with_its_cure() {
        let dir = tempfile::tempdir().unwrap();
        let mark = ClockMark::of(dir.path());
        assert_eq!(mark.read(), None);
        let reached = Instant::from_unix_s(1_800_000_000);
        mark.write(reached).unwrap();
        assert_eq!(mark.read(), Some(reached));
        let says = mark.says(reached, Instant::from_unix_s(1_800_000_000 - 5 * 3_600));
        assert!(says.contains("2027-01-15T08:00:00.000Z, 5 h from now"), "{says}");
    }
}
