//! The watch: who sends by us is looked at over time, on block lists and in the DNS.
//!
//! When whom to ask, and what an answer turns, is `core/checks`'s. Here it is asked, kept in the
//! registry, and told.

mod domain;
mod domains;
mod kept;
mod kept_domain;
mod looking;
mod telling;

use std::sync::Arc;

use parking_lot::Mutex as Short;
use postlane_checks::watch::{Board, Budget};
use postlane_mail::Instant;
use postlane_net::dns::Resolver;
use tokio::sync::Mutex;

pub use domain::{Figures as DomainFigures, KnownDomain};
pub(crate) use domains::{Domains, Sought};
pub(crate) use kept_domain::values;
pub(crate) use looking::Which;

/// What the watch knows.
pub(crate) struct Watch {
    resolver: Arc<Resolver>,
    /// Who is on which list, for whoever looks: one look at a time. None before the registry could
    /// be read.
    lists: Mutex<Option<Board>>,
    /// The same as of the last look, for whoever only wants to see it.
    seen: Short<Seen>,
    budget: Short<Budget>,
    domains: Mutex<Option<Domains>>,
    /// The same as of the last look.
    domains_seen: Short<Arc<Domains>>,
}

/// What is known of block lists, as of the last look.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) board: Arc<Board>,
    /// When lists were asked last.
    pub(crate) at: Option<Instant>,
}

impl Watch {
    /// Knows nothing yet, and asks nobody yet.
    pub(crate) fn new(resolver: Resolver) -> Self {
        Self {
            resolver: Arc::new(resolver),
            lists: Mutex::default(),
            seen: Short::default(),
            budget: Short::default(),
            domains: Mutex::default(),
            domains_seen: Short::default(),
        }
    }

    /// What is known of block lists, as of the last look.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// What is known of domains, as of the last look.
    pub(crate) fn domains_seen(&self) -> Arc<Domains> {
        self.domains_seen.lock().clone()
    }

    /// Questions to lists so far, and how often some had to wait.
    pub(crate) fn questions(&self) -> (u64, u64) {
        let budget = self.budget.lock();
        (budget.asked(), budget.put_off())
    }

    /// Questions that one list was asked today.
    pub(crate) fn asked_today(&self, now: Instant, list: &str) -> u32 {
        self.budget.lock().today(now, list)
    }
}
