//! Everything that checks ask: the DNS, single name servers, web servers and mail exchangers.
//!
//! Whom to ask is said by what foreign domains publish, so nobody is called at an address of a
//! private network, and everything has a limit of time and size.

mod address;
mod greeting;
mod mailbox;
mod page;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use postlane_checks::{Known, Served};
use postlane_mail::Span;

use crate::dns::{Freshness, Resolver, ask_authority};
use crate::tls::Trust;

pub use address::{Mapped, MappedError};

/// Asks whatever checks ask.
#[derive(Debug)]
pub struct Enquiry {
    resolver: Resolver,
    trust: Trust,
    mapped: Mapped,
    /// What is said with EHLO.
    helo: Box<str>,
    /// How long a page may take, where it is not as for everybody.
    page_patience: Option<Duration>,
}

/// Servers that are called at a time. Chosen, not measured.
const CALLS_MAX: usize = 8;

impl Enquiry {
    /// Asks this resolver, believes these authorities, and calls some hosts elsewhere.
    pub fn new(resolver: Resolver, trust: Trust, mapped: Mapped, helo: &str) -> Self {
        Self { resolver, trust, mapped, helo: helo.into(), page_patience: None }
    }

    /// With so long for a page.
    #[must_use]
    pub fn with_page_patience(mut self, patience: Duration) -> Self {
        self.page_patience = Some(patience);
        self
    }

    /// Answers all that is missing. False if nothing was.
    pub async fn complete(&self, known: &mut Known) -> bool {
        let mut any = self.resolver.complete(known, Freshness::Now).await;
        let authorities = known.take_missing_authorities();
        let served = join_all(authorities.iter().map(async |authority| {
            match self.mapped.server(authority.server, 53) {
                Ok(address) => ask_authority(authority, address).await,
                Err(why) => Served::Failed(why.to_string().into()),
            }
        }));
        let served = served.await;
        any |= !authorities.is_empty();
        for (authority, served) in authorities.into_iter().zip(served) {
            known.learn_authority(authority, served);
        }
        let pages = known.take_missing_pages();
        any |= !pages.is_empty();
        let fetched = stream::iter(pages).map(async |page| {
            let asked = Instant::now();
            let fetched = self.fetch(&page).await;
            let took = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
            (page, fetched, Span::from_ms(took))
        });
        for (page, fetched, took) in fetched.buffered(CALLS_MAX).collect::<Vec<_>>().await {
            known.note_page_took(page.clone(), took);
            known.learn_page(page, fetched);
        }
        let exchangers = known.take_missing_greetings();
        any |= !exchangers.is_empty();
        let greeted = stream::iter(exchangers).map(async |host| (self.greet(&host).await, host));
        for (greeting, host) in greeted.buffered(CALLS_MAX).collect::<Vec<_>>().await {
            known.learn_greeting(host, greeting);
        }
        let mailboxes = known.take_missing_mailboxes();
        any |= !mailboxes.is_empty();
        // One after the other: whoever asks an exchanger about many at once looks like a thief.
        for mailbox in mailboxes {
            let taken = self.try_mailbox(&mailbox).await;
            known.learn_mailbox(mailbox, taken);
        }
        any
    }
}
