//! Links and mail addresses in a reply.

use serde::Serialize;

use super::keep;
use super::piece::{Piece, is_host_name, is_of_link, pieces};

/// The link to United Internet's explanation of one refusal
/// (`https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=192.0.2.7&r=…`; postmaster.gmx.net,
/// read 2026-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CaseUrl<'t> {
    /// The whole link.
    pub url: &'t str,
    /// The reason: `r0201`, `rdns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c: Option<&'t str>,
    /// What it is about: `ip`, `envsender`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i: Option<&'t str>,
    /// The value of that: the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v: Option<&'t str>,
    /// Their name for the attempt, wanted when one writes to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r: Option<&'t str>,
}

/// The links of a reply.
pub(super) struct Links<'t> {
    pub(super) urls: Vec<&'t str>,
}

impl<'t> Links<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut urls = Vec::new();
        for url in pieces(text, is_of_link).filter_map(url) {
            keep(&mut urls, url);
        }
        Self { urls }
    }

    pub(super) fn case_url(&self) -> Option<CaseUrl<'t>> {
        self.urls.iter().copied().find_map(case_url)
    }

    pub(super) fn postmaster_url(&self) -> Option<&'t str> {
        let is_postmasters = |url: &&&str| contains_ignoring_case(url, "postmaster");
        self.urls.iter().find(is_postmasters).copied()
    }
}

/// The link in a piece: with a scheme, with `www.`, or a host name and a path.
fn url(piece: Piece<'_>) -> Option<&str> {
    let text = piece.text;
    let start = match text.find("://") {
        Some(colon) => {
            let scheme = text.get(..colon)?.rfind(|c: char| !c.is_ascii_alphabetic());
            scheme.map_or(0, |end| end + text.get(end..).map_or(0, first_length))
        }
        None if text.contains('@') => return None,
        None => text.find(|c: char| c.is_ascii_alphanumeric())?,
    };
    let url = text.get(start..)?;
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '(', '\'', '*']);
    let (scheme, behind) = url.split_once("://").unwrap_or(("", url));
    let host_end = behind.find(['/', '?', ':', '#']).unwrap_or(behind.len());
    let (host, path) = (behind.get(..host_end)?, behind.get(host_end..)?);
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let is_bare = scheme.is_empty()
        && is_host_name(host)
        && (path.starts_with('/') || contains_ignoring_case(host, "www."));
    ((is_web && !host.is_empty()) || is_bare).then_some(url)
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Hosts of United Internet's postmaster pages.
const CASE_HOSTS: [&str; 11] = [
    "postmaster.gmx.net",
    "postmaster.gmx.com",
    "postmaster.gmx.de",
    "postmaster.1and1.co.uk",
    "postmaster.web.de",
    "postmaster.mail.com",
    "postmaster.1und1.de",
    "postmaster.1and1.com",
    "postmaster.ionos.com",
    "postmaster.ionos.de",
    "postmaster.kundenserver.de",
];

fn case_url(url: &str) -> Option<CaseUrl<'_>> {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let (host, path) = behind.split_once('/')?;
    let query = path.split_once('?')?.1;
    let is_theirs = CASE_HOSTS.iter().any(|known| host.eq_ignore_ascii_case(known));
    if !is_theirs {
        return None;
    }
    let value = |name| parameter(query, name);
    let case = CaseUrl { url, c: value("c"), i: value("i"), v: value("v"), r: value("r") };
    case.c.map(|_| case)
}

/// The value of a parameter of a query; the first that is not empty.
pub(super) fn parameter<'t>(query: &'t str, name: &str) -> Option<&'t str> {
    let of_name = |pair: &'t str| pair.split_once('=').filter(|(key, _)| *key == name);
    let value = query.split('&').filter_map(of_name).map(|(_, value)| value);
    value.into_iter().find(|value| !value.is_empty())
}

/// What a mail address begins with that is there to be written to, in the words of many.
const ROLES: [&str; 17] = [
    "postmaster",
    "abuse",
    "delist",
    "support",
    "tobr",
    "tosa",
    "toda",
    "hostmaster",
    "noc",
    "unblock",
    "blocklist",
    "blacklist",
    "notspam",
    "helpdesk",
    "removal",
    "rbl",
    "mailadm",
];

/// What is said right before an address one is told to write to. `mail` is not: `mail to jo@…
/// refused` names the recipient.
const CUES: [&str; 10] = [
    "contact",
    "contacting",
    "write",
    "kontakt",
    "kontaktieren",
    "contacter",
    "contactez",
    "contattare",
    "contactar",
    "forward",
];

/// The mail addresses one is told to write to, in the order of the text.
pub(super) fn contacts(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut cue = None;
    for (place, piece) in pieces(text, is_of_link).enumerate() {
        let word = piece.text.trim_matches(|c: char| !c.is_alphanumeric());
        if CUES.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            cue = Some(place);
        }
        let Some(address) = mailbox(piece.text) else { continue };
        let local = address.split('@').next().unwrap_or_default();
        let is_role = ROLES.iter().any(|role| contains_ignoring_case(local, role));
        let is_cued = cue.is_some_and(|said| place - said <= 3);
        // `<jo@example.com>: Recipient address rejected` is whom the mail was for.
        let behind = text.get(piece.at + piece.text.len()..).unwrap_or_default();
        let is_subject = piece.before == '<' && behind.starts_with(">:");
        if (is_role || is_cued) && !is_subject {
            keep(&mut found, address);
        }
    }
    found
}

/// The mail address in a piece.
fn mailbox(piece: &str) -> Option<&str> {
    let at = piece.find('@')?;
    let is_local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let before = piece.get(..at)?;
    let behind = piece.get(at + 1..)?;
    let start = before
        .rfind(|c| !is_local(c))
        .map_or(0, |end| end + piece.get(end..).map_or(0, first_length));
    let end = at + 1 + behind.find(|c| !is_domain(c)).unwrap_or(behind.len());
    let address = piece.get(start..end)?.trim_end_matches(['.', '-']);
    let (local, domain) = address.split_once('@')?;
    (!local.is_empty() && local.len() <= 64 && is_host_name(domain)).then_some(address)
}

/// Whether a short ASCII word stands in a text, in whatever letters.
pub(super) fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}
