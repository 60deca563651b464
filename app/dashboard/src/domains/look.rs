//! A look at what any domain publishes.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postlane_api::Problem;
use serde::Deserialize;
use serde_json::Value;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{foreign, in_query, query};
use crate::report::ReportView;
use crate::session::Visit;

/// What is looked at, and which findings are shown.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asked {
    name: String,
    selectors: String,
    ips: String,
    return_path: String,
    probe: String,
    show: String,
}

#[derive(Template)]
#[template(path = "domain_check.html")]
struct CheckOut {
    frame: Frame,
    asked: Asked,
    domain: String,
    /// Why it could not be looked at.
    says: String,
    report: Option<ReportView>,
    /// The same from the command line.
    command: String,
}

/// The form, and the report where a domain was named.
pub(crate) async fn check(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&desk, &visit, "Check a domain", "/domains");
    let nonce = frame.bare.nonce.clone();
    let name = asked.name.trim().trim_end_matches('.').to_owned();
    let mut status = StatusCode::OK;
    let (report, says) = match name.is_empty() {
        true => (None, String::new()),
        false => match looked(&desk, &visit, &asked, &name).await {
            Ok(told) => (Some(ReportView::of(&told, &asked.show)?), String::new()),
            Err(problem) => {
                status = StatusCode::from_u16(problem.status).unwrap_or(status);
                (None, foreign(&problem.detail))
            }
        },
    };
    let (domain, command) = (foreign(&name), command(&asked, &name));
    let mut page = answer::page(&CheckOut { frame, asked, domain, says, report, command }, &nonce);
    *page.status_mut() = status;
    Ok(page)
}

async fn looked(desk: &Desk, visit: &Visit, asked: &Asked, name: &str) -> Result<Value, Problem> {
    let probe = if asked.probe.is_empty() { "" } else { "true" };
    let pairs = [
        ("selectors", asked.selectors.trim()),
        ("ips", asked.ips.trim()),
        ("return_path", asked.return_path.trim()),
        ("probe", probe),
    ];
    let address = format!("/v1/checks/domain/{}?{}", in_query(name), query(&pairs));
    desk.api().read(visit.person(), &address).await
}

/// The command that looks at the same, where what was typed can stand in one as it is.
fn command(asked: &Asked, name: &str) -> String {
    let is_plain = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        !text.is_empty() && text.chars().all(plain)
    };
    if !is_plain(name) {
        return String::new();
    }
    let each = |flag: &'static str, texts: &str| -> String {
        let texts = texts.split(',').map(str::trim).filter(|text| is_plain(text));
        texts.map(|text| format!(" {flag} {text}")).collect()
    };
    let probe = if asked.probe.is_empty() { "" } else { " --probe" };
    format!(
        "postlane check domain {name}{}{}{}{probe}",
        each("--selector", &asked.selectors),
        each("--ip", &asked.ips),
        each("--return-path", &asked.return_path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_says_the_same_and_runs_nothing_else() {
        let asked = Asked {
            selectors: "s1, s2".to_owned(),
            ips: "192.0.2.1,$(reboot)".to_owned(),
            probe: "on".to_owned(),
            ..Asked::default()
        };
        assert_eq!(
            command(&asked, "a.example"),
            "postlane check domain a.example --selector s1 --selector s2 --ip 192.0.2.1 --probe"
        );
        assert_eq!(command(&asked, "a.example; reboot"), "");
    }
}
