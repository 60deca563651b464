//! The email tester: takes mail for test addresses, keeps it, and has it looked at.
//!
//! Mail that is taken for a test is never queued and never sent. An address proves itself
//! (`token`), so that only addresses that somebody here has asked for cost anything; what came is
//! durable (`shelf`) before it is answered 250, and looked at behind the session's back (`looking`).

mod book;
mod looking;
mod shelf;
mod taking;
mod telling;
mod token;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::Instant;
use postlane_net::dns::Resolver;
use tokio::sync::mpsc;

use crate::ground::clock::Clock;
use crate::ground::secret::HouseSecret;
use crate::setup::{Live, Setup};
use crate::telling::journal::{Journal, alarm};
use book::Book;
use shelf::Shelf;
use token::Tokens;

pub use book::{MessageStanding, NoTest, Test};
pub use telling::{NewTest, Told};
pub use token::TestId;

/// Where tests are looked after.
pub(crate) struct Tester {
    clock: Clock,
    live: Live,
    journal: Journal,
    tokens: Tokens,
    shelf: Shelf,
    book: Mutex<Book>,
    /// When each client's next message is welcome, if all before it came at the rate.
    clients: Mutex<HashMap<IpAddr, Instant>>,
    resolver: Resolver,
    /// Messages that wait to be looked at.
    coming: mpsc::UnboundedSender<(TestId, u32)>,
}

impl Tester {
    /// Reads what there is, and begins to look at what has no report yet. None where there are no
    /// tests. Must be called within the asynchronous ring.
    pub(crate) fn start(
        setup: &Setup,
        live: &Live,
        secret: &HouseSecret,
        journal: &Journal,
        resolver: Resolver,
    ) -> Option<Arc<Self>> {
        let domain = setup.tester.domain.clone()?;
        let shelf = Shelf::new(&setup.data);
        let found = shelf.all().unwrap_or_else(|error| {
            alarm(&format!("tests that were made before cannot be read: {error}"));
            Vec::new()
        });
        let (coming, come) = mpsc::unbounded_channel();
        for test in &found {
            for (number, _) in test.messages.iter().filter(|(_, has_report)| !has_report) {
                // Whoever looks lives as long as this.
                let _ = coming.send((test.id, *number));
            }
        }
        let tester = Arc::new(Self {
            clock: setup.clock,
            live: live.clone(),
            journal: journal.clone(),
            tokens: Tokens::new(domain, secret),
            shelf,
            book: Mutex::new(Book::of(found)),
            clients: Mutex::default(),
            resolver,
            coming,
        });
        tokio::spawn(looking::look_at_all(tester.clone(), come));
        tokio::spawn(looking::forget_old(tester.clone()));
        Some(tester)
    }
}

impl std::fmt::Debug for Tester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tester")
    }
}
