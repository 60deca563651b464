//! What stands around every page: the way to the others, who is signed in, and the theme.

use askama::Template;
use aws_lc_rs::rand;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postlane_api::Problem;

use crate::answer;
use crate::desk::Desk;
use crate::session::{Visit, cookie};

/// Light or dark; as the system has it where nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    /// What somebody chose in this browser.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, "theme") {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

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

    /// The ways that lead to other pages: address and name.
    pub(crate) fn ways(&self) -> [(&'static str, &'static str); 4] {
        [("/", "Lanes"), ("/queue", "Queue"), ("/log", "Log"), ("/incidents", "Incidents")]
    }
}

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
