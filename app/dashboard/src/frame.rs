//! What stands around every page: the way to the others, and who is signed in.

use askama::Template;
use aws_lc_rs::rand;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postlane_api::Problem;
use postlane_registry::Role;

use crate::answer;
use crate::desk::Desk;
use crate::session::{Theme, Visit};

/// What every page has, whoever looks at it.
pub(crate) struct Bare {
    pub(crate) title: String,
    pub(crate) theme: Theme,
    /// What this page's scripts and styles carry.
    pub(crate) nonce: String,
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) mark: String,
}

impl Bare {
    pub(crate) fn new(desk: &Desk, title: &str, theme: Theme) -> Self {
        let assets = desk.assets();
        Self {
            title: title.to_owned(),
            theme,
            nonce: nonce(),
            style: assets.address("style.css"),
            script: assets.address("main.js"),
            mark: assets.address("mark.svg"),
        }
    }
}

/// What stands around a page of somebody who is signed in.
pub(crate) struct Frame {
    pub(crate) bare: Bare,
    /// The way that leads here.
    pub(crate) here: &'static str,
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) tenant: String,
    pub(crate) form_token: String,
    /// The server's time.
    pub(crate) now: String,
}

impl Frame {
    pub(crate) fn new(desk: &Desk, visit: &Visit, title: &str, here: &'static str) -> Self {
        Self {
            bare: Bare::new(desk, title, visit.theme()),
            here,
            name: visit.person().name.to_string(),
            role: visit.role().as_str(),
            tenant: visit.person().tenant.to_string(),
            form_token: visit.form_token().to_owned(),
            now: crate::moments::exact(desk.now()),
        }
    }

    /// The ways that lead to other pages, group by group.
    pub(crate) fn groups(&self) -> Vec<(&'static str, Vec<&'static Way>)> {
        let of = |group| WAYS.iter().filter(move |way| way.group == group);
        let groups = GROUPS.map(|group| (group, of(group).collect::<Vec<_>>()));
        groups.into_iter().filter(|(_, ways)| !ways.is_empty()).collect()
    }

    /// The ways that only an admin has, beside their name.
    pub(crate) fn house(&self) -> Vec<&'static Way> {
        let is_admin = self.role == Role::Admin.as_str() && self.tenant.is_empty();
        WAYS.iter().filter(|way| is_admin && way.group == HOUSE).collect()
    }

    /// What this page is called among the ways.
    pub(crate) fn here_name(&self) -> &'static str {
        let here = WAYS.iter().find(|way| way.address == self.here);
        here.map_or("Pages", |way| way.name)
    }
}

/// A way to a page.
pub(crate) struct Way {
    pub(crate) group: &'static str,
    pub(crate) address: &'static str,
    pub(crate) name: &'static str,
}

const fn way(group: &'static str, address: &'static str, name: &'static str) -> Way {
    Way { group, address, name }
}

/// The groups of ways in the bar, in their order; a page is added to [`WAYS`].
const GROUPS: [&str; 3] = ["Mail", "Senders", "Trying out"];

/// The group of pages for admins: it stands beside their name.
const HOUSE: &str = "House";

/// Every way, in the order of its group: group, address, name.
const WAYS: &[Way] = &[
    way("Mail", "/", "Lanes"),
    way("Mail", "/queue", "Queue"),
    way("Mail", "/log", "Log"),
    way("Mail", "/incidents", "Incidents"),
    way("Senders", "/domains", "Domains"),
    way("Senders", "/reputation", "Reputation"),
    way("Senders", "/preflight", "Preflight"),
    way("Trying out", "/rehearsals", "Rehearsal"),
    way("Trying out", "/tests", "Tests"),
    way(HOUSE, "/people", "People"),
    way(HOUSE, "/audit", "Audit"),
];

/// A number that nobody can foresee.
fn nonce() -> String {
    let mut octets = [0; 16];
    rand::fill(&mut octets).expect("the system's generator of chance does not fail once it runs");
    URL_SAFE_NO_PAD.encode(octets)
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    frame: Frame,
    problem: Problem,
}

/// What went wrong, as a page.
pub(crate) fn refused_page(frame: Frame, problem: Problem) -> Response {
    let nonce = frame.bare.nonce.clone();
    let mut page = answer::page(&Refused { frame, problem: problem.clone() }, &nonce);
    if let Ok(status) = axum::http::StatusCode::from_u16(problem.status) {
        *page.status_mut() = status;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_stands_in_a_group_that_is_shown_and_once() {
        for (number, way) in WAYS.iter().enumerate() {
            assert!(way.group == HOUSE || GROUPS.contains(&way.group), "{}", way.name);
            assert!(WAYS.iter().skip(number + 1).all(|other| other.address != way.address));
        }
    }
}
