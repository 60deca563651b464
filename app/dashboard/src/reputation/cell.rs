//! Somebody on one list: what it says, what that means, and the way off it.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{BlocklistCell, BlocklistPage, IncidentPage, IncidentRow, ListingPage};
use serde::Deserialize;

use super::history::Listing;
use super::state::State;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, query, span};
use crate::session::Visit;

/// Who, on which list.
#[derive(Deserialize)]
pub(crate) struct Asked {
    list: String,
    subject: String,
}

/// What is told of it, also in a dialogue on a page that is there already.
#[derive(Template)]
#[template(path = "listing_part.html")]
struct Part {
    subject: String,
    list: String,
    weight: String,
    every: String,
    state: State,
    why: String,
    answers: String,
    means: String,
    since: String,
    since_ago: String,
    asked: String,
    /// When it is asked next: exactly, and in words.
    next: (String, String),
    delist: Option<Delist>,
    steps: Vec<(String, bool)>,
    incident: String,
    past: Vec<Listing>,
    history: String,
}

/// Where one asks to be taken off.
struct Delist {
    /// A page of theirs; empty where they name none.
    address: String,
    says: String,
}

#[derive(Template)]
#[template(path = "listing.html")]
struct CellOut {
    frame: Frame,
    part: Part,
}

/// Listings of the past that are told with it. Chosen, not measured.
const PAST: &str = "5";

/// Somebody on one list.
pub(crate) async fn show(
    Shared(desk): Shared<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (api, person) = (desk.api(), visit.person());
    let which = query(&[("list", &asked.list), ("subject", &asked.subject)]);
    let page: BlocklistPage = api.read(person, &format!("/v1/blocklists?{which}")).await?;
    let Some(cell) = page.cells.first() else { return Err(nobody(&asked)) };
    let past = format!("/v1/blocklists/history?{which}&limit={PAST}");
    let past: ListingPage = api.read(person, &past).await?;
    let incidents: IncidentPage = api.read(person, "/v1/incidents?state=open").await?;
    let is_it = |row: &&IncidentRow| {
        row.kind == "listed" && row.of == cell.list && row.subject == cell.subject
    };
    let incident = incidents.incidents.iter().find(is_it);
    let part = Part::of(&desk, (&page, cell), &past, incident);
    if headers.contains_key("x-part") {
        return Ok(answer::fragment(&part));
    }
    let frame = Frame::new(&desk, &visit, "On a list", "/reputation");
    let nonce = frame.bare.nonce.clone();
    Ok(answer::page(&CellOut { frame, part }, &nonce))
}

fn nobody(asked: &Asked) -> Problem {
    let says = format!(
        "{} is not asked about at the list {}; /reputation has who is asked about where",
        asked.subject.escape_debug(),
        asked.list.escape_debug()
    );
    Problem::new(StatusCode::NOT_FOUND, says)
}

impl Part {
    fn of(
        desk: &Desk,
        (page, cell): (&BlocklistPage, &BlocklistCell),
        past: &ListingPage,
        incident: Option<&IncidentRow>,
    ) -> Self {
        let now = desk.now();
        let list = page.lists.iter().find(|list| list.id == cell.list);
        let state = State::of(&cell.state, &cell.colour);
        let at = |at: &Option<postlane_api::wire::Timestamp>| at.as_ref().and_then(moments::read);
        let since = at(&cell.since);
        let steps = incident.into_iter().flat_map(|row| &row.steps);
        Self {
            subject: foreign(&cell.subject),
            list: list.map_or_else(|| foreign(&cell.list), |list| foreign(&list.name)),
            weight: list.map(|list| foreign(&list.weight)).unwrap_or_default(),
            every: list.map(|list| span(list.every_s)).unwrap_or_default(),
            why: foreign(&cell.why),
            answers: foreign(&cell.answers),
            means: foreign(&cell.means),
            since: since.map(moments::whole).unwrap_or_default(),
            since_ago: since.map(|at| moments::ago(at, now)).unwrap_or_default(),
            asked: at(&cell.asked_at).map(|at| moments::ago(at, now)).unwrap_or_default(),
            next: at(&cell.next_at)
                .map(|at| (moments::exact(at), format!("{} UTC", moments::clock(at))))
                .unwrap_or_default(),
            delist: list
                .filter(|_| state.is_listed())
                .and_then(|list| list.delist.as_deref())
                .map(Delist::of),
            steps: steps.map(|step| (foreign(&step.says), step.done_at.is_some())).collect(),
            incident: incident.map(|row| format!("/incidents/{}", row.id)).unwrap_or_default(),
            past: past
                .listings
                .iter()
                .filter(|row| row.until.is_some())
                .map(|row| Listing::of(row, now))
                .collect(),
            history: format!(
                "/reputation/history?{}",
                query(&[("list", &cell.list), ("subject", &cell.subject)])
            ),
            state,
        }
    }
}

impl Delist {
    /// `https://… (it expires after 7 days)`
    fn of(text: &str) -> Self {
        let (address, says) = text.split_once(' ').unwrap_or((text, ""));
        match address.starts_with("https://") {
            true => {
                Self { address: foreign(address), says: foreign(says.trim_matches(['(', ')'])) }
            }
            false => Self { address: String::new(), says: foreign(text) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_off_a_list_is_a_link_with_what_is_to_be_known_of_it() {
        let off = Delist::of("https://a.example/off (it expires after 7 days)");
        assert_eq!(
            (off.address.as_str(), off.says.as_str()),
            ("https://a.example/off", "it expires after 7 days")
        );
        assert_eq!(Delist::of("javascript:alert(1)").address, "");
    }
}
