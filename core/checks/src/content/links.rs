//! CNT-05 to CNT-09 and CNT-17: where links lead, and what they give away.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::check::Found;
use crate::dns::{Answer, Kind, Known, Name, Question};
use crate::format::{address, is_same_organisation};
use crate::identity::is_service;
use crate::looked::Looked;

use super::page::Link;
use super::script::Script;
use super::web_address::WebAddress;

/// Services that make long links short, as they are widely known; unverified memory, more may be
/// missing.
const SHORTENERS: [&str; 17] = [
    "bit.ly",
    "t.co",
    "tinyurl.com",
    "goo.gl",
    "ow.ly",
    "is.gd",
    "v.gd",
    "buff.ly",
    "rebrand.ly",
    "cutt.ly",
    "t.ly",
    "tiny.cc",
    "rb.gy",
    "lnkd.in",
    "shorturl.at",
    "s.id",
    "bl.ink",
];

const NO_LINKS: &str = "there are no links";

/// Names each once, the first few of them.
pub(super) fn listed(hosts: &[&str]) -> String {
    let shown = hosts.iter().take(10).copied().collect::<Vec<_>>().join(", ");
    match hosts.len() {
        0..=10 => shown,
        n => format!("{shown} and {} more", n - 10),
    }
}

pub(super) fn no_shorteners(looked: Looked<'_>) -> Option<Found> {
    let hosts = looked.content.hosts();
    if hosts.is_empty() {
        return Found::pass(NO_LINKS);
    }
    let short: Vec<&str> = hosts
        .iter()
        .copied()
        .filter(|host| SHORTENERS.contains(&host.strip_prefix("www.").unwrap_or(host)))
        .collect();
    match short.is_empty() {
        true => Found::pass(format!("links lead to {}", listed(&hosts))),
        false => Found::warn(listed(&short)),
    }
}

pub(super) fn plain_addresses(looked: Looked<'_>) -> Option<Found> {
    let mut odd: Vec<String> = Vec::new();
    for link in &looked.content.links {
        let host = &link.host;
        let (unicode, _) = idna::domain_to_unicode(host);
        if link.is_literal() {
            odd.push(format!("{host} is an address"));
        } else if link.has_user {
            odd.push(format!("a name and @ stand before {host}"));
        } else if let Some(port) = link.port.filter(|_| link.has_odd_port()) {
            odd.push(format!("{host} at port {port}"));
        } else if unicode.split('.').any(Script::is_mixed) {
            odd.push(format!("{host} ({unicode}) has letters of two writings in one label"));
        }
    }
    odd.dedup();
    match (odd.is_empty(), looked.content.links.is_empty()) {
        (false, _) => Found::fail(odd.join("; ")),
        (_, true) => Found::pass(NO_LINKS),
        _ => Found::pass("names of hosts, at their own ports"),
    }
}

/// The host that a link's text speaks of, if it speaks of one.
fn spoken_of(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    let host = match WebAddress::parse(text) {
        Some(address) => address.host,
        None => text.split(['/', '?', '#']).next()?.trim_end_matches(['.', ':']).to_lowercase(),
    };
    let is_known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    let is_name = Name::parse(&host).is_ok() && psl::domain(host.as_bytes()).is_some();
    (host.contains('.') && is_known && is_name).then_some(host)
}

/// What a link says against where it leads.
enum Said {
    Nothing,
    TheSame,
    /// It leads to who signed the mail, not to what it names.
    Tracked(String),
    Another(String),
}

fn said(looked: Looked<'_>, link: &Link) -> Said {
    let (Some(spoken), Some(leads)) = (spoken_of(&link.text), WebAddress::parse(&link.to)) else {
        return Said::Nothing;
    };
    let auth = looked.authentication;
    let is_own = |host: &str| {
        auth.author.as_ref().is_some_and(|author| is_same_organisation(host, author.as_str()))
    };
    let is_signer =
        |host: &str| auth.good_signers().any(|signer| is_same_organisation(host, signer.as_str()));
    if is_same_organisation(&spoken, &leads.host) || is_own(&leads.host) {
        Said::TheSame
    } else if is_signer(&leads.host) {
        Said::Tracked(format!("\"{spoken}\" leads to {}, which has signed the mail", leads.host))
    } else {
        Said::Another(format!("\"{spoken}\" leads to {}", leads.host))
    }
}

pub(super) fn text_names_the_target(looked: Looked<'_>) -> Option<Found> {
    let Some(page) = &looked.content.page else { return Found::skip("there is no HTML") };
    let (mut other, mut tracked, mut same) = (Vec::new(), Vec::new(), 0);
    for link in &page.links {
        match said(looked, link) {
            Said::Nothing => {}
            Said::TheSame => same += 1,
            Said::Tracked(how) => tracked.push(how),
            Said::Another(how) => other.push(how),
        }
        if other.len() == 10 {
            break;
        }
    }
    match (other.is_empty(), tracked.is_empty()) {
        (false, _) => Found::fail(other.join("; ")),
        (_, false) => Found::warn(tracked[..tracked.len().min(10)].join("; ")),
        _ => Found::pass(format!("{same} links name a host, and lead to it or to your own")),
    }
}

pub(super) fn all_secure(looked: Looked<'_>) -> Option<Found> {
    let links = &looked.content.links;
    let plain: Vec<&str> =
        links.iter().filter(|link| !link.is_secure).map(|link| &*link.host).collect();
    match (links.is_empty(), plain.is_empty()) {
        (true, _) => Found::pass(NO_LINKS),
        (_, true) => Found::pass("every link is https"),
        _ => Found::warn(format!("http to {}", listed(&plain))),
    }
}

/// Hosts that are asked for. Chosen, not measured: mail links to three or four.
const ASKED_MAX: usize = 10;

pub(super) fn tracking_host(known: &mut Known, looked: Looked<'_>) -> Option<Found> {
    let hosts = looked.content.hosts();
    let names: Vec<Name> =
        hosts.iter().filter_map(|host| Name::parse(host).ok()).take(ASKED_MAX).collect();
    if names.is_empty() {
        return Found::pass(NO_LINKS);
    }
    // All are asked before any answer is looked at.
    let answers: Vec<Option<Answer>> = names
        .iter()
        .map(|name| known.ask(&Question { name: name.clone(), kind: Kind::A }).cloned())
        .collect();
    let answers = answers.into_iter().collect::<Option<Vec<Answer>>>()?;
    let with = |is: fn(&Answer) -> bool| -> Vec<&str> {
        let pairs = names.iter().zip(&answers);
        pairs.filter(|(_, answer)| is(answer)).map(|(name, _)| name.as_str()).collect()
    };
    let gone = with(|answer| *answer == Answer::NoName);
    let open = with(|answer| matches!(answer, Answer::Failed(_)));
    let shared: Vec<&str> = hosts.iter().copied().filter(|host| is_service(host)).collect();
    if !gone.is_empty() {
        Found::fail(format!("there is no {}", listed(&gone)))
    } else if !open.is_empty() {
        Found::error(format!("{} cannot be looked up", listed(&open)))
    } else if !shared.is_empty() {
        Found::warn(format!("{}: many send with that service's domain", listed(&shared)))
    } else {
        let names: Vec<&str> = names.iter().map(Name::as_str).collect();
        Found::pass(format!("{} exist; certificates are not looked at", listed(&names)))
    }
}

pub(super) fn no_addresses_in_links(looked: Looked<'_>) -> Option<Found> {
    let to = looked.arrived.message.text("To").and_then(|text| address::parse(&text).ok());
    let readers: Vec<String> = to
        .iter()
        .flat_map(|list| address::mailboxes(list))
        .take(20)
        .map(|mailbox| format!("{}@{}", mailbox.local_part, mailbox.domain).to_lowercase())
        .collect();
    if readers.is_empty() {
        return Found::skip("To names nobody");
    }
    // Base 64 of the whole address, as templates do it: its last character may depend on what
    // stands behind it.
    let coded: Vec<String> = readers
        .iter()
        .flat_map(|reader| [STANDARD_NO_PAD.encode(reader), URL_SAFE_NO_PAD.encode(reader)])
        .map(|mut code| {
            code.pop();
            code
        })
        .collect();
    for link in looked.content.written_links().take(super::page::LINKS_MAX) {
        if WebAddress::parse(link).is_none() {
            continue;
        }
        let plain = link.to_lowercase().replace("%40", "@").replace("%2b", "+");
        if let Some(reader) = readers.iter().find(|reader| plain.contains(reader.as_str())) {
            return Found::warn(format!("{reader} stands in a link"));
        }
        if coded.iter().any(|code| link.contains(code.as_str())) {
            return Found::warn("the recipient's address stands in a link, in base 64");
        }
    }
    Found::pass("no link has the recipient's address")
}
