//! Ordering something of a lane: first what it will do, then it is done.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{LaneOrder, LaneOrdered};
use serde::Deserialize;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::numbers::{foreign, in_query};
use crate::session::{Posted, Visit};

/// Of which lane of the provider; all where nothing is said.
#[derive(Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    source: String,
}

/// The form, filled in.
#[derive(Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    source: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    lasts_s: String,
    #[serde(default)]
    rate: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    back: String,
}

/// A command as it is asked for.
struct Wording {
    command: &'static str,
    /// On the button.
    does: &'static str,
    /// What it will do, in a sentence or two.
    says: &'static str,
    /// How it is taken back.
    undo: &'static str,
    lasts: bool,
    rate: bool,
    days: bool,
}

const fn wording(
    command: &'static str,
    does: &'static str,
    says: &'static str,
    undo: &'static str,
) -> Wording {
    Wording { command, does, says, undo, lasts: false, rate: false, days: false }
}

const WORDINGS: [Wording; 11] = [
    Wording {
        lasts: true,
        ..wording(
            "pause",
            "Pause",
            "No message is sent and no connection is opened until you resume it. What waits stays in \
             the queue, and its age goes on.",
            "Resume takes it back at once; nothing bursts then.",
        )
    },
    Wording {
        lasts: true,
        ..wording(
            "hold-new",
            "Hold new mail",
            "Messages that have not been tried yet wait. Those that were deferred go on, so that the \
             old mail gets through first.",
            "Resume takes it back.",
        )
    },
    Wording {
        lasts: true,
        ..wording(
            "drain",
            "Drain",
            "What waits now is sent; nothing that comes after it goes this way until you resume it.",
            "Resume takes it back.",
        )
    },
    wording(
        "resume",
        "Resume",
        "All orders that stop it are taken back. It goes on at the rate it had, without a burst.",
        "Pause stops it again.",
    ),
    wording(
        "rollback",
        "Roll back",
        "It goes back to the last rate that held, and forgets what it has risen to since.",
        "It finds its way up again by itself, as far as the provider lets it.",
    ),
    Wording {
        lasts: true,
        rate: true,
        ..wording(
            "pin",
            "Pin",
            "It keeps this rate and learns nothing meanwhile. Refusals still make it rest.",
            "Unpin gives the rate back to the lane.",
        )
    },
    wording("unpin", "Unpin", "The lane finds its rate itself again.", "Pin sets one again."),
    Wording {
        lasts: true,
        ..wording(
            "exclude",
            "Exclude source",
            "No mail goes to this provider from this source. Its mail goes by the other sources of \
             the pool; where there is no other, it waits.",
            "Include takes it back, with a canary first.",
        )
    },
    wording(
        "include",
        "Include source",
        "Mail goes from this source again: one canary first, and the rest when it is accepted.",
        "Exclude leaves it out again.",
    ),
    Wording {
        days: true,
        ..wording(
            "restart-plan",
            "Begin restart plan",
            "Each day has a cap. A day that went well lets the next one have more; a bad day keeps \
             or lowers it.",
            "End restart plan takes the caps away at once.",
        )
    },
    wording(
        "end-restart-plan",
        "End restart plan",
        "The day's cap is taken away at once; the lane's own limits go on to hold.",
        "A plan that is begun again begins on its first day.",
    ),
];

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    form: OrderForm,
}

/// The form alone, for a dialogue on a page that is there already.
#[derive(Template)]
#[template(path = "order_form.html")]
struct OrderForm {
    wording: &'static Wording,
    target: String,
    address: String,
    source: String,
    form_token: String,
    back: String,
}

/// What an order will do, and the button that gives it.
pub(crate) async fn ask(
    State(desk): State<Desk>,
    visit: Visit,
    Path((provider, command)): Path<(String, String)>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wording = WORDINGS.iter().find(|wording| wording.command == command);
    let wording = wording
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such command for lanes"))?;
    if !visit.may_order_lanes() {
        return Err(may_not(&visit));
    }
    let name = foreign(&desk.replies().name_of(&provider));
    let target = match which.source.as_str() {
        "" => format!("all lanes to {name}"),
        source => format!("the lane from {} to {name}", foreign(source)),
    };
    let form = OrderForm {
        wording,
        target,
        address: format!("/lanes/{}/order/{command}", in_query(&provider)),
        source: which.source,
        form_token: visit.form_token().to_owned(),
        back: back(&headers),
    };
    if headers.contains_key("x-part") {
        return Ok(answer::fragment(&form));
    }
    let frame = Frame::new(&desk, &visit, wording.does, "/");
    let nonce = frame.bare.nonce.clone();
    Ok(answer::page(&OrderPage { frame, form }, &nonce))
}

/// The page that somebody came from, if it is one of ours.
fn back(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(from), Some(host)) = (text("referer"), text("host")) else {
        return "/".to_owned();
    };
    let rest = from.split_once("://").and_then(|(_, rest)| rest.strip_prefix(host));
    rest.filter(|path| path.starts_with('/')).unwrap_or("/").to_owned()
}

fn may_not(visit: &Visit) -> Problem {
    let says = match visit.is_bound() {
        true => {
            "lanes are everybody's: whoever sees one tenant's mail alone orders nothing of them"
        }
        false => "a viewer looks and orders nothing; ask an admin for the role operator",
    };
    Problem::new(StatusCode::FORBIDDEN, says)
}

/// Gives an order.
pub(crate) async fn give(
    State(desk): State<Desk>,
    visit: Visit,
    Path((provider, command)): Path<(String, String)>,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let order = ordered(&filled)?;
    let address = format!("/v1/lanes/{}/{}", in_query(&provider), in_query(&command));
    let asked = (Method::POST, address.as_str());
    let _: LaneOrdered = desk.api().order(visit.person(), asked, &order).await?;
    let is_ours = filled.back.starts_with('/') && !filled.back.starts_with("//");
    let back = if is_ours && !filled.back.contains('\\') { filled.back.as_str() } else { "/" };
    Ok(Redirect::to(back).into_response())
}

/// The form as the API has it.
fn ordered(filled: &Filled) -> Result<LaneOrder, Problem> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let wrong = |field: &str, says: &str| Problem::unprocessable(says).at(field);
    let lasts_s = given(&filled.lasts_s).map(|text| text.parse()).transpose();
    let days = filled.days.split([',', ' ']).filter(|day| !day.is_empty()).map(str::parse);
    let days = days.collect::<Result<Vec<u32>, _>>();
    Ok(LaneOrder {
        source: given(&filled.source),
        why: given(&filled.why),
        lasts_s: lasts_s.map_err(|_| wrong("/lasts_s", "say how long in whole seconds"))?,
        rate: given(&filled.rate),
        days: days.map_err(|_| wrong("/days", "say messages a day, as 50, 100, 200"))?,
        ..LaneOrder::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(days: &str, lasts_s: &str) -> Filled {
        Filled {
            source: "ip1".to_owned(),
            why: " they asked us to ".to_owned(),
            lasts_s: lasts_s.to_owned(),
            rate: String::new(),
            days: days.to_owned(),
            back: String::new(),
        }
    }

    #[test]
    fn the_form_is_read_as_the_api_has_it() {
        let order = ordered(&filled("50, 100,200", "3600")).unwrap();
        assert_eq!((order.source.as_deref(), order.lasts_s), (Some("ip1"), Some(3_600)));
        assert_eq!(order.why.as_deref(), Some("they asked us to"));
        assert_eq!((order.days, order.rate), (vec![50, 100, 200], None));
        assert_eq!(ordered(&filled("", "")).unwrap().lasts_s, None);
        assert!(ordered(&filled("many", "")).is_err() && ordered(&filled("", "soon")).is_err());
    }

    #[test]
    fn every_command_of_the_dashboard_is_one_of_the_api() {
        for wording in &WORDINGS {
            assert!(postlane_api::wire::LANE_COMMANDS.contains(&wording.command));
        }
    }

    #[test]
    fn one_goes_back_to_a_page_of_ours_alone() {
        let of = |referer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8025".parse().unwrap());
            headers.insert("referer", referer.parse().unwrap());
            back(&headers)
        };
        assert_eq!(of("http://127.0.0.1:8025/lanes/google?range=1h"), "/lanes/google?range=1h");
        assert_eq!(of("http://127.0.0.1:80251/x"), "/");
        assert_eq!(of("https://evil.example/x"), "/");
    }
}
