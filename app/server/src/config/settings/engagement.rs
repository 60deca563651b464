//! `[engagement]`: mail to recipients who have been quiet.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::spelled;

settings! {
    /// In which order mail of one stream, tenant and campaign is tried for the first time, where
    /// `X-Postlane-Engaged-At` says when its recipient last opened or clicked anything: recipients
    /// who have been quiet for longer come later. Streams, tenants and campaigns have their turns
    /// as ever.
    pub struct Engagement in "engagement" {
        /// A recipient who has been quiet for so long is dormant.
        dormant_after: Span = default(Span::from_h(24 * 365))
            .between(Span::from_h(24), Span::from_h(24 * 3_650));
        /// What becomes of mail to dormant recipients. Transactional mail is sent always.
        dormant: Dormant = default(Dormant::Last);
        /// Mail to a dormant recipient waits for what was accepted up to so long after it, and to
        /// one that has been quiet for less, for a part of that. `0s` tries all in the order
        /// of acceptance.
        longest_wait: Span = default(Span::from_h(12)).between(Span::ZERO, Span::from_h(48));
    }
}

/// What becomes of mail to dormant recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dormant {
    /// It goes behind the others.
    Last,
    /// It is not taken.
    Refused,
}

spelled!(Dormant {
    "last" => Dormant::Last, "it goes behind the others";
    "refused" => Dormant::Refused, "it is refused when it comes, by 554 5.7.1, unless it is transactional";
});

impl Section for Engagement {}
