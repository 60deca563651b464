//! What goes wrong with the ledger, said to whoever watches the log; once a minute, for a full disk
//! is one thing and not a thousand.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_ledger::Trouble;

use crate::telling::journal::alarm;

/// How often the same is said. Chosen, not measured.
const EVERY: Duration = Duration::from_secs(60);

/// When what was said last, and what has been dropped since.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    dropped: u64,
    dropped_at: Option<Instant>,
    unwritten_at: Option<Instant>,
}

impl Troubles {
    pub(super) fn say(&self, trouble: &Trouble) {
        if let Some(says) = self.0.lock().heard(Instant::now(), trouble) {
            alarm(&says);
        }
    }
}

impl Said {
    /// What there is to say, if anything is.
    fn heard(&mut self, now: Instant, trouble: &Trouble) -> Option<String> {
        match trouble {
            Trouble::Dropped(many) => {
                self.dropped += many;
                is_due(now, &mut self.dropped_at).then(|| {
                    let many = std::mem::take(&mut self.dropped);
                    format!(
                        "{many} entries of the ledger found no room and are lost; mail is not \
                         touched. Is its disk slow? ledger.backlog gives them more room"
                    )
                })
            }
            Trouble::NotWritten { path, why } => is_due(now, &mut self.unwritten_at).then(|| {
                format!(
                    "the ledger cannot be written, {}: {why}; mail is not touched, and history \
                     waits in memory as far as there is room",
                    path.display()
                )
            }),
            Trouble::SetAside { path, why } => Some(format!(
                "a file of the ledger was set aside, {}: {why}; what was in it is not found any more",
                path.display()
            )),
            Trouble::Cut { path, octets } => Some(format!(
                "the last {octets} octets of the ledger were not whole and are cut off, {}: the \
                 server has not ended by itself",
                path.display()
            )),
            other => Some(format!("the ledger is in trouble: {other:?}")),
        }
    }
}

fn is_due(now: Instant, last: &mut Option<Instant>) -> bool {
    let due = last.is_none_or(|last| now.saturating_duration_since(last) >= EVERY);
    if due {
        *last = Some(now);
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_said_once_a_minute_and_none_is_forgotten() {
        let (mut said, start) = (Said::default(), Instant::now());
        let mut heard = |s| said.heard(start + Duration::from_secs(s), &Trouble::Dropped(5));
        assert!(heard(0).unwrap().starts_with("5 entries "));
        assert_eq!(heard(1), None);
        assert_eq!(heard(59), None);
        assert!(heard(61).unwrap().starts_with("15 entries "));
    }
}
