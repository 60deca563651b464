//! BULK-05 to BULK-07: what happens at the addresses that take somebody off a list. They are tried
//! for good, so only those are tried that were given for that.

use postlane_mail::Span;

use crate::check::Gate::{Google, Yahoo};
use crate::check::{Check, Found};
use crate::dns::{Known, Name};
use crate::exchanger::Taken;
use crate::web::{Fetched, Page, Verb};

use super::exchange::MailExchange;
use super::operator::tried;
use super::{DomainCheck, Facts};

const NOT_GIVEN: &str = "no such address was given (--unsubscribe): they stand in messages";
const NO_PAGE: &str = "no https address was given (--unsubscribe)";
const NO_MAILBOX: &str = "no mailto address was given (--unsubscribe)";

/// Octets of the page that are read. Chosen, not measured.
const OCTETS_MAX: usize = 256 << 10;

/// Who waits longer has left. Chosen, not measured.
const SLOW: Span = Span::from_s(5);

/// The first page that was given, or why there is none.
fn page(facts: &Facts<'_>) -> Result<Page, Option<Found>> {
    let given = &facts.asked.unsubscribe;
    let pages = given.iter().find_map(|url| Page::of_url(url, OCTETS_MAX));
    pages.ok_or_else(|| Found::skip(if given.is_empty() { NOT_GIVEN } else { NO_PAGE }))
}

fn one_click(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let page = match page(facts) {
        Ok(page) => page,
        Err(skipped) => return skipped,
    };
    // Who looks first and asks then sees what looking does.
    known.fetch(&page)?;
    let asked = Page { verb: Verb::OneClick, ..page };
    let fetched = known.fetch(&asked)?.clone();
    let took = known.page_took(&asked).unwrap_or_default();
    match fetched {
        Fetched::Page { status: 200..300, .. } if took > SLOW => {
            Found::warn(format!("POST {asked}: done, after {} s", took.as_s()))
        }
        Fetched::Page { status: status @ 200..300, .. } => {
            Found::pass(format!("POST {asked}: status {status}"))
        }
        Fetched::Page { status: status @ 300..400, location, .. } => {
            Found::fail(format!("POST {asked}: status {status}, redirected to {location}"))
        }
        Fetched::Page { status, .. } => Found::fail(format!("POST {asked}: status {status}")),
        Fetched::Failed(failure) if failure.is_open() => {
            Found::error(format!("POST {asked}: {failure}"))
        }
        Fetched::Failed(failure) => Found::fail(format!("POST {asked}: {failure}")),
    }
}

/// What a page says that has done it already, in lower case. Chosen, not measured.
const DONE: [&str; 7] = [
    "have been unsubscribed",
    "you are unsubscribed",
    "successfully unsubscribed",
    "you have unsubscribed",
    "wurden abgemeldet",
    "sind abgemeldet",
    "erfolgreich abgemeldet",
];

fn looking_is_harmless(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let page = match page(facts) {
        Ok(page) => page,
        Err(skipped) => return skipped,
    };
    match known.fetch(&page)? {
        Fetched::Page { status: 200, body, .. } => {
            let text = String::from_utf8_lossy(body).to_lowercase();
            let says = DONE.iter().find(|words| text.contains(**words));
            match (says, text.contains("<form")) {
                (_, true) => Found::pass(format!("GET {page}: a form asks first")),
                (Some(words), _) => Found::fail(format!("GET {page}: it says \"{words}\"")),
                (None, false) => Found::error(format!(
                    "GET {page}: it has no form, and does not say what it did; see whether the \
                     recipient is still on the list"
                )),
            }
        }
        Fetched::Page { status: status @ 400..500, .. } => {
            Found::pass(format!("GET {page}: status {status}, nothing is done"))
        }
        Fetched::Page { status, .. } => Found::error(format!("GET {page}: status {status}")),
        Fetched::Failed(failure) => Found::error(format!("GET {page}: {failure}")),
    }
}

fn mailbox(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let given = &facts.asked.unsubscribe;
    let address = given.iter().find_map(|url| {
        let address = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        address.and_then(|_| url.get(7..)?.split('?').next())
    });
    let Some(address) = address else {
        return Found::skip(if given.is_empty() { NOT_GIVEN } else { NO_MAILBOX });
    };
    let Some(domain) = address.rsplit_once('@').and_then(|(_, host)| Name::parse(host).ok()) else {
        return Found::warn(format!("mailto:{address} is no address"));
    };
    let exchange = MailExchange::of(known, &domain)?;
    if let Some(failure) = exchange.failure() {
        return Found::error(format!("MX of {domain}: {failure}"));
    }
    if exchange.hosts().is_empty() {
        return Found::warn(format!("{domain} takes no mail"));
    }
    match tried(known, exchange.hosts(), address)? {
        Taken::Yes(says) => Found::pass(format!("{address}: {says}")),
        Taken::No(says) => Found::warn(format!("{address}: {says}")),
        Taken::Open(why) => Found::error(format!("{address}: {why}")),
    }
}

/// BULK-05 to BULK-07.
pub(crate) static CHECKS: [DomainCheck; 3] = [
    DomainCheck {
        check: Check::of_domain(
            "BULK-05",
            "One click unsubscribes",
            &[Google, Yahoo],
            "Answer the POST with 200, without asking who it is.",
            "RFC 8058 §3.2",
        ),
        run: one_click,
    },
    DomainCheck {
        check: Check::of_domain(
            "BULK-06",
            "Looking at the page does not unsubscribe",
            &[],
            "Unsubscribe on POST only.",
            "RFC 8058 §1",
        ),
        run: looking_is_harmless,
    },
    DomainCheck {
        check: Check::of_domain(
            "BULK-07",
            "The mailbox to unsubscribe at takes mail",
            &[],
            "Have a mailbox that is read.",
            "RFC 2369 §3.2",
        ),
        run: mailbox,
    },
];
