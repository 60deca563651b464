//! `[suppression]`: which refusals put recipients on the suppression list, and for how long.

use postlane_mail::Span;

use crate::config::declaration::{default, settings};
use crate::config::section::Section;
use crate::config::value::{Switch, spelled};

/// A year, in days.
const YEAR: u64 = 365;

const fn days(days: u64) -> Switch<Span> {
    Switch::On(Span::from_h(24 * days))
}

const HOUR: Switch<Span> = Switch::On(Span::from_h(1));
const MINUTE: Switch<Span> = Switch::On(Span::from_min(1));

settings! {
    /// Which refusals put recipients on the suppression list, and for how long. Mail to recipients
    /// on it is refused; mail to a domain that is on hold waits. Only what a host has said for
    /// good, for sure, and of the recipient or their domain counts.
    pub struct Suppression in "suppression" {
        /// Messages that must have been refused in sequence before a recipient is on the list: one
        /// that is delivered between them starts the count again. A host that takes a message and
        /// sends it back has refused it.
        refusals: u8 = default(1).between(1, 10).of("messages");
        /// Recipients of whom a host says that there is no such mailbox (`no_such_user`). `off`
        /// never puts them on the list.
        no_such_user: Switch<Span> = default(days(YEAR)).between(HOUR, days(10 * YEAR));
        /// Recipients whose mailbox is closed (`mailbox_disabled`): some are opened again.
        mailbox_disabled: Switch<Span> = default(days(90)).between(HOUR, days(10 * YEAR));
        /// Recipients whose mailbox has moved (`mailbox_moved`).
        mailbox_moved: Switch<Span> = default(days(YEAR)).between(HOUR, days(10 * YEAR));
        /// Domains of which their host says that they take no mail (`not_accepting_mail`). Their
        /// mail waits so long; then it is asked again.
        not_accepting_mail: Switch<Span> = default(days(1)).between(MINUTE, days(30));
        /// Domains that their host does not know (`domain_not_found`): it may be new there. Their
        /// mail waits so long; then it is asked again.
        domain_not_found: Switch<Span> = default(Switch::On(Span::from_h(4)))
            .between(MINUTE, days(30));
        /// Whose mail is stopped by a recipient that a host has refused.
        scope: Scope = default(Scope::All);
        /// Entries of the list. A full one takes no more, and says so. Each takes some 300 octets
        /// of memory.
        entries: u32 = default(1_000_000).between(1_000, 50_000_000).of("entries");
    }
}

/// Whose mail is stopped by a recipient that a host has refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everybody's: that a mailbox is gone is so for all.
    #[default]
    All,
    /// That of the tenant whose mail was refused; everybody's if it was nobody's.
    Tenant,
}

spelled!(Scope {
    "all" => Scope::All, "everybody's";
    "tenant" => Scope::Tenant, "that of the tenant whose mail was refused; everybody's if it was nobody's";
});

impl Section for Suppression {}
