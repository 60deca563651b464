//! What stands in a reply beside its prose: addresses, links, codes, names of lists.
//!
//! A postmaster is asked with these in hand: the address that was refused, the link to the
//! case, the code the provider's own page explains, the list to be taken off from. They are
//! copied from the text as they stand, never more than [`Fields::MAX`] of a kind.

mod address;
mod code;
mod host;
mod link;
mod listed;
mod piece;

use std::net::IpAddr;

use postlane_mail::Status;
use serde::{Serialize, Serializer};

pub use code::ProviderCode;
pub use link::CaseUrl;

/// What stands in a reply beside its prose. As JSON, what is missing is left out; the names
/// of the fields are part of the output's contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fields<'t> {
    /// The enhanced status of the last line that begins with one (RFC 2034 §4), else the first
    /// that is written `#5.1.0`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    pub status: Option<Status>,
    /// The host that speaks, as it names itself: `mta1234.mail.gq1.yahoo.com`. A name of three
    /// labels in the first place of a reply is taken for it; for show, never to decide by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_host: Option<&'t str>,
    /// The machine behind a shared name: `mxweb113`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_tag: Option<&'t str>,
    /// The other side's name for the transaction, where it is marked as one (`- gsmtp`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<&'t str>,
    /// Addresses of hosts, each once; neither loopback nor what only looks like one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpAddr>,
    /// Links, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<&'t str>,
    /// The link to United Internet's explanation of this very case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_url: Option<CaseUrl<'t>>,
    /// The first link to somebody's postmaster pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postmaster_url: Option<&'t str>,
    /// Mail addresses one is told to write to, by the words before them or by their names
    /// (`postmaster`, `abuse`); not the recipient's, as far as words tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<&'t str>,
    /// Block lists that are named, by their names in this program: `spamhaus-zen`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<&'static str>,
    /// Codes that a provider's own pages explain: `TSS04`, `IB104`, `S3140`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<ProviderCode<'t>>,
}

impl<'t> Fields<'t> {
    /// How many of a kind are kept; chosen, not measured.
    pub const MAX: usize = 8;

    /// What stands in a text; the lines' codes may stand before them or not.
    pub fn find(text: &'t str) -> Self {
        let links = link::Links::of(text);
        let host = host::MxHost::of(text);
        let case_url = links.case_url();
        Self {
            status: status(text),
            mx_host: host.name,
            mx_tag: host.tag,
            queue_id: host.queue_id,
            ips: address::addresses(text),
            postmaster_url: links.postmaster_url(),
            contacts: link::contacts(text),
            lists: listed::lists(text),
            codes: code::codes(text, &links.urls, case_url.as_ref()),
            urls: links.urls,
            case_url,
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Keeps a finding, once, if there is room.
fn keep<T: PartialEq>(found: &mut Vec<T>, finding: T) {
    if found.len() < Fields::MAX && !found.contains(&finding) {
        found.push(finding);
    }
}

fn status(text: &str) -> Option<Status> {
    let of_line = |line: &str| {
        let line = piece::without_code(line);
        let line = line.strip_prefix(['#', '(', '[']).unwrap_or(line);
        Status::parse_prefix(line.strip_prefix('#').unwrap_or(line).as_bytes())
    };
    let of_line = |line| of_line(line).map(|(status, _)| status);
    let marked = |rest: &str| Status::parse_prefix(rest.as_bytes()).map(|(status, _)| status);
    text.lines().rev().find_map(of_line).or_else(|| text.split('#').skip(1).find_map(marked))
}

/// `5.1.1`.
fn as_written<S: Serializer>(status: &Option<Status>, to: S) -> Result<S::Ok, S::Error> {
    match status {
        Some(status) => to.collect_str(status),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
