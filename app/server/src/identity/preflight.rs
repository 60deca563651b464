//! What a provider lets nobody pass without, looked at on the very messages that are about to go
//! there: as they will leave, signed, from the source's address, with the envelope of the attempt.
//!
//! Mail never waits for a look. It is sampled on its way, a few of each author's domain, provider,
//! source and stream; the look is at a copy, beside, and asks the DNS. What it finds is shown with
//! the lane, explains what providers say, and where the configuration says so, what is to follow
//! waits until it is put right.

mod book;
mod departing;
mod figures;
mod held;
mod judge;
mod kept;
mod look;
mod remembering;
mod rounds;
mod sight;
mod signs;
mod subject;
mod turned;

use std::sync::Arc;

use parking_lot::Mutex;
use postlane_checks::Gate;
use postlane_net::dns::Resolver;
use tokio::runtime;
use tokio::sync::Notify;

use crate::ground::clock::Clock;
use crate::identity::turnstile::Turnstile;
use crate::lanes::Teller;
use crate::setup::Live;
use book::Book;
use look::Backlog;

pub(crate) use departing::{Aim, Departing, Waits, why_held};
pub(crate) use figures::Figures;
pub use sight::{Missing, PreflightRow, Sight};
pub use subject::Subject;
pub(crate) use turned::Turned;

/// What is known of how mail stands before the gates of its providers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Preflight(Arc<Desk>);

struct Desk {
    book: Mutex<Book>,
    resolver: Resolver,
    turnstile: Turnstile,
    backlog: Backlog,
    /// A look has come to an end.
    found: Notify,
    figures: Figures,
    ring: runtime::Handle,
    clock: Clock,
    live: Live,
    teller: Teller,
}

impl Preflight {
    /// Nothing is known yet. Looks run on the asynchronous ring that this is called on.
    pub(crate) fn new(live: Live, resolver: Resolver, teller: Teller) -> Self {
        let clock = live.borrow().clock;
        Self(Arc::new(Desk {
            book: Mutex::default(),
            resolver,
            // What waits has a limit in octets: the backlog.
            turnstile: Turnstile::unbounded(),
            backlog: Backlog::default(),
            found: Notify::new(),
            figures: Figures::default(),
            ring: runtime::Handle::current(),
            clock,
            live,
            teller,
        }))
    }

    /// All that is known, in order.
    pub(crate) fn rows(&self) -> Vec<PreflightRow> {
        let setup = self.0.live.borrow().clone();
        self.0.book.lock().rows(&setup.preflight)
    }

    /// The next message of each that is meant is looked at, or one that is held at once. How many
    /// are meant.
    pub(crate) fn recheck(&self, is_meant: impl Fn(&Subject) -> bool) -> usize {
        let meant = self.0.book.lock().recheck(is_meant);
        self.0.found.notify_one();
        meant
    }

    /// How much was looked at, and what was left out.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }
}

/// Whose gate stands before a provider; none where nothing is published of what it asks for.
pub(crate) fn gate_of(provider: &str) -> Option<Gate> {
    Some(match provider {
        "united-internet" => Gate::UnitedInternet,
        "google" => Gate::Google,
        "yahoo" => Gate::Yahoo,
        "microsoft-consumer" => Gate::Microsoft,
        "t-online" => Gate::TOnline,
        "icloud" => Gate::Apple,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use postlane_replies::Providers;

    use super::*;

    #[test]
    fn every_gate_is_some_providers_of_the_table() {
        let providers = Providers::built_in();
        let gates =
            ["gmx.net", "gmail.com", "yahoo.com", "outlook.com", "t-online.de", "icloud.com"];
        let found = gates.map(|domain| gate_of(providers.resolve(domain).unwrap().as_str()));
        assert_eq!(found, Gate::ALL.map(Some));
        assert_eq!(gate_of("example.net"), None);
    }
}
