//! A machine's clock that is set back while the server runs: time goes slower until it has caught up
//! ([`Clock`]), and somebody is told.

use postlane_mail::Instant;
use tokio::sync::watch;

use crate::ground::clock::Clock;
use crate::ground::clock_mark::{A_LITTLE, EVERY, ahead, ticks};
use crate::telling::journal::alarm;

/// Says that it was set back, once until it has caught up, as long as the server runs.
pub(crate) async fn tell(clock: Clock, mut stop: watch::Receiver<bool>) {
    let mut next = tokio::time::interval(EVERY);
    let mut is_told = false;
    while ticks(&mut next, &mut stop).await {
        let by = clock.ahead();
        let was_told = std::mem::replace(&mut is_told, by > A_LITTLE);
        if is_told && !was_told {
            alarm(&says(clock.now(), Instant(clock.now().0.saturating_sub(by.0))));
        }
    }
}

/// What is said where we show a time, and the machine an earlier one.
fn says(ours: Instant, machines: Instant) -> String {
    format!(
        "the machine's clock was set back, by {}: here time goes on half as fast until it has caught \
         up, and so do lanes. A restart takes the machine's time at once; `postlane queue retry --all` \
         then tries what waits for a time that is still to come",
        ahead(ours, machines)
    )
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;

    #[test]
    fn it_is_said_by_how_much_and_what_helps() {
        let now = Instant::from_unix_s(1_800_000_000);
        let says = says(now, now - Span::from_s(3 * 3_600 - 2));
        assert!(says.contains("set back, by 3 h:") && says.contains("queue retry --all"), "{says}");
    }
}
