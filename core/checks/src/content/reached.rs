//! CNT-04: whether links lead somewhere, where they may be followed.

use crate::check::Found;
use crate::dns::Known;
use crate::format::is_same_organisation;
use crate::looked::Looked;
use crate::web::{FetchFailure, Fetched, Page, follow};

use super::links::listed;

/// Links that are followed. Chosen, not measured.
const LINKS_MAX: usize = 20;

/// Redirections that are followed.
const HOPS_MAX: usize = 5;

/// Octets of a page that are read: that it is larger is an answer, too.
const OCTETS_MAX: usize = 64 << 10;

/// What stands in links that do something for whoever follows them: once, or to a list. Chosen,
/// not measured.
const ACTING: [&str; 14] = [
    "unsub",
    "optout",
    "opt-out",
    "opt_out",
    "abmeld",
    "austrag",
    "remove",
    "preference",
    "confirm",
    "verify",
    "activate",
    "token",
    "reset",
    "login",
];

/// Whether following a link does more than showing a page.
fn acts(looked: Looked<'_>, link: &str) -> bool {
    let lower = link.to_ascii_lowercase();
    let list = looked.arrived.message.text("List-Unsubscribe").unwrap_or_default();
    list.contains(link) || ACTING.iter().any(|word| lower.contains(word))
}

/// Whether a link goes by somebody who counts clicks: another organisation's than the author's,
/// with all it has to say in its address.
fn counts(looked: Looked<'_>, page: &Page) -> bool {
    let own = looked.authentication.author.as_ref();
    let is_own = own.is_some_and(|own| is_same_organisation(page.host.as_str(), own.as_str()));
    let longest = page.path.split(['/', '?', '&', '=']).map(str::len).max().unwrap_or(0);
    !is_own && longest > 60
}

/// Follows them. None if answers are missing.
pub(super) fn lead_somewhere(known: &mut Known, looked: Looked<'_>) -> Option<Found> {
    if !looked.arrived.may_fetch {
        return Found::skip("links are followed with --fetch-links only: that counts as a click");
    }
    let (mut pages, mut left) = (Vec::new(), 0_usize);
    for link in looked.content.written_links() {
        let page = Page::of_url(link, OCTETS_MAX);
        let page = page.filter(|page| !acts(looked, link) && !counts(looked, page));
        match page {
            Some(page) if pages.contains(&page) => {}
            Some(page) if pages.len() < LINKS_MAX => pages.push(page),
            _ => left += 1,
        }
    }
    let reached: Vec<Option<(Page, Fetched)>> =
        pages.iter().map(|page| follow(known, page.clone(), HOPS_MAX)).collect();
    let reached = reached.into_iter().collect::<Option<Vec<_>>>()?;
    let (mut good, mut bad, mut open) = (0_usize, Vec::new(), Vec::new());
    for (page, (end, fetched)) in pages.iter().zip(&reached) {
        let way = if page == end { page.to_string() } else { format!("{page} → {end}") };
        match fetched {
            Fetched::Page { status: 200..300, .. } | Fetched::Failed(FetchFailure::TooLarge) => {
                good += 1;
            }
            Fetched::Page { status, .. } => bad.push(format!("{way}: status {status}")),
            Fetched::Failed(failure) if failure.is_open() => open.push(format!("{way}: {failure}")),
            Fetched::Failed(failure) => bad.push(format!("{way}: {failure}")),
        }
    }
    let not_followed = match left {
        0 => String::new(),
        left => format!("; {left} not followed: they act, count clicks, or are not of https"),
    };
    let each = |all: &[String]| listed(&all.iter().map(String::as_str).collect::<Vec<_>>());
    match (bad.is_empty(), open.is_empty(), good) {
        (false, ..) => Found::warn(each(&bad) + &not_followed),
        (_, false, _) => Found::error(each(&open) + &not_followed),
        (_, _, 0) => Found::skip(format!("there are no links to follow{not_followed}")),
        _ => Found::pass(format!("{good} lead somewhere{not_followed}")),
    }
}
