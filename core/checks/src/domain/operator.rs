//! IDN-12 and IDN-13: whether those who run it can be reached, by mail and by a page.

use crate::check::Gate::TOnline;
use crate::check::{Check, Found};
use crate::dns::{Known, Name};
use crate::exchanger::{Mailbox, Taken};
use crate::web::{FetchFailure, Fetched, Page, follow};

use super::exchange::Host;
use super::{DomainCheck, Facts};

const NOT_TRIED: &str = "mailboxes are tried out with --probe only";
pub(crate) const NOT_READ: &str = "pages are read with --probe only";
const NO_HOST: &str = "there is no exchanger to ask";

/// Exchangers that are asked, one after the other, until one gives an answer. Chosen, not measured.
const HOSTS_MAX: usize = 3;

/// What an exchanger of these says of a mailbox. None if answers are missing.
pub(super) fn tried(known: &mut Known, hosts: &[Host], address: &str) -> Option<Taken> {
    let mut last = Taken::Open(NO_HOST.into());
    for host in hosts.iter().take(HOSTS_MAX) {
        let Some(mailbox) = Mailbox::new(&host.name, address) else {
            return Some(Taken::Open("its address cannot be said in a command".into()));
        };
        last = known.try_mailbox(&mailbox)?.clone();
        if !matches!(last, Taken::Open(_)) {
            break;
        }
    }
    Some(last)
}

fn role_mailboxes(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if !facts.asked.may_call {
        return Found::skip(NOT_TRIED);
    }
    let hosts = facts.mail.hosts();
    if hosts.is_empty() {
        return Found::skip(NO_HOST);
    }
    let domain = &facts.asked.name;
    let both = ["postmaster", "abuse"].map(|role| {
        let address = format!("{role}@{domain}");
        tried(known, hosts, &address).map(|taken| (address, taken))
    });
    let both: Vec<(String, Taken)> = both.into_iter().collect::<Option<_>>()?;
    let said: Vec<String> = both
        .iter()
        .map(|(address, Taken::Yes(says) | Taken::No(says) | Taken::Open(says))| {
            format!("{address}: {says}")
        })
        .collect();
    let evidence = said.join("; ");
    let count = |of: fn(&Taken) -> bool| both.iter().filter(|(_, taken)| of(taken)).count();
    let (good, open) = (
        count(|taken| matches!(taken, Taken::Yes(_))),
        count(|taken| matches!(taken, Taken::Open(_))),
    );
    match (good, open) {
        (2, _) => Found::pass(evidence),
        (_, 1..) => Found::error(evidence),
        (1, 0) => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

/// Octets of a page that are read. Chosen, not measured.
const PAGE_OCTETS_MAX: usize = 1 << 20;

/// Redirections that are followed. Chosen, not measured: to www, and to a language.
const HOPS_MAX: usize = 4;

/// What stands on a page that says who runs it, or on the link to it. German law says
/// "Impressum"; the rest are the words that are common. Chosen, not measured.
const WORDS: [&str; 9] = [
    "impressum",
    "imprint",
    "contact",
    "kontakt",
    "legal notice",
    "mentions légales",
    "aviso legal",
    "note legali",
    "colofon",
];

/// What is on the web at a domain, or at `www.` below it: whether it says who runs it. None if
/// answers are missing.
pub(crate) fn imprint(known: &mut Known, domain: &Name) -> Option<Found> {
    let hosts = [domain.to_string(), format!("www.{domain}")];
    let (mut silent, mut open, mut wordless) = (Vec::new(), Vec::new(), None);
    for host in hosts {
        let Some(page) = Page::of_url(&format!("https://{host}/"), PAGE_OCTETS_MAX) else {
            continue;
        };
        match follow(known, page, HOPS_MAX)? {
            (page, Fetched::Page { status: 200, body, .. }) => {
                let text = String::from_utf8_lossy(&body).to_lowercase();
                if let Some(word) = WORDS.iter().find(|word| text.contains(**word)) {
                    return Found::pass(format!("{page} has \"{word}\""));
                }
                wordless = Some(page);
            }
            (page, Fetched::Page { status, .. }) => silent.push(format!("{page}: status {status}")),
            (page, Fetched::Failed(failure)) => {
                let is_open = failure.is_open() || failure == FetchFailure::TimedOut;
                let list = if is_open { &mut open } else { &mut silent };
                list.push(format!("{page}: {failure}"));
            }
        }
    }
    match (wordless, open.is_empty()) {
        (Some(page), _) => Found::warn(format!("{page} has neither imprint nor contact")),
        (None, false) => Found::error(open.join("; ")),
        (None, true) => Found::fail(silent.join("; ")),
    }
}

fn findable(known: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    if !facts.asked.may_call {
        return Found::skip(NOT_READ);
    }
    imprint(known, &facts.asked.name)
}

/// IDN-12 and IDN-13.
pub(crate) static CHECKS: [DomainCheck; 2] = [
    DomainCheck {
        check: Check::of_domain(
            "IDN-12",
            "postmaster and abuse take mail",
            &[TOnline],
            "Have mailboxes postmaster@ and abuse@.",
            "RFC 5321 §4.5.1; RFC 2142 §4",
        ),
        run: role_mailboxes,
    },
    DomainCheck {
        check: Check::of_domain(
            "IDN-13",
            "The operator can be found",
            &[TOnline],
            "Put an imprint on the web page of the host's or the author's domain.",
            "postmaster.t-online.de §4.1",
        ),
        run: findable,
    },
];
