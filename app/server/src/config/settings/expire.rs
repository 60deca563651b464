//! `[expire]`: how long mail may wait.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::Section;

settings! {
    /// How long mail may wait, from its acceptance, before it is given up and bounced; by stream.
    pub struct Expire in "expire" {
        /// Mail that somebody waits for: after a day nobody does any more.
        transactional: Span = default(Span::from_h(24)).between(Span::from_min(1), Span::from_h(720));
        /// Mail to people who read what they get.
        engaged: Span = default(Span::from_h(120)).between(Span::from_min(1), Span::from_h(720))
            .from("RFC 5321 §4.5.4.1: 4 to 5 days at least");
        /// Mail to people who have not opened anything for long.
        cold: Span = default(Span::from_h(72)).between(Span::from_min(1), Span::from_h(720));
    }
}

impl Section for Expire {}
