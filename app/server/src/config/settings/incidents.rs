//! `[incidents]`: what is wrong for a while is noticed, told and remembered.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::Section;

settings! {
    /// Whether and how often the relay looks for trouble: incidents open, go on and close by
    /// themselves. They are seen in the ledger: without it there are none.
    pub struct Incidents in "incidents" {
        /// Whether the relay looks for incidents. Existing ones stay as they are.
        on: bool = default(true);
        /// How often. Each look reads the ledger's last minutes.
        every: Span = default(Span::from_min(1)).between(Span::from_s(10), Span::from_min(15));
        /// How far back each look looks. A shorter time sees sooner that something is over, and needs
        /// more mail to see that something is wrong.
        window: Span = default(Span::from_h(1)).between(Span::from_min(15), Span::from_h(24));
    }
}

impl Section for Incidents {}
