//! `[retry]`: when a deferred recipient is tried again.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::Percent;

settings! {
    /// When a deferred recipient is tried again: after `retry.first`, then each wait
    /// `retry.factor` of the last, none longer than `retry.longest`.
    pub struct Retry in "retry" {
        /// The wait after the first deferral.
        first: Span = default(Span::from_min(5)).between(Span::from_s(1), Span::from_h(24))
            .from("Postfix's minimal_backoff_time; RFC 5321 §4.5.4.1 has 30 minutes and welcomes \
                   variable strategies");
        /// Each wait, as a share of the last. `100%` waits equally long each time.
        factor: Percent = default(Percent(200)).between(Percent(100), Percent(1_000));
        /// No wait is longer.
        longest: Span = default(Span::from_h(4)).between(Span::from_s(1), Span::from_h(48))
            .from("RFC 5321 §4.5.4.1: every 2 or 3 hours after the first hour");
        /// Each wait is spread by up to this, either way, so that what was deferred together does
        /// not come back together.
        jitter: Percent = default(Percent(20)).between(Percent(0), Percent(50));
    }
}

impl Section for Retry {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.first > self.longest {
            let cause = "the first wait is longer than the longest";
            fields.complain("first", cause, "raise `retry.longest`, or lower this");
        }
    }
}
