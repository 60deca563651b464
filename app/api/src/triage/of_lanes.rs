//! What the figures of lanes come to, from history and from what the lanes do now.

use postlane_checks::lane::{LaneFigures, check_lane};
use postlane_mail::Span;
use postlane_server::handle::{Handle, Lane, LaneList};
use postlane_server::triage::{LanesCounted, Look, examine};

use crate::problem::Problem;
use crate::wire::LaneCheckRow;

/// How far history is read.
const BACK: Span = Span::from_h(24);

/// What is found of each lane of a provider, in their order.
pub(crate) async fn check_lanes(
    handle: &Handle,
    list: &LaneList,
) -> Result<Vec<Vec<LaneCheckRow>>, Problem> {
    let Some(provider) = list.lanes.first().map(|lane| lane.name.provider.clone()) else {
        return Ok(Vec::new());
    };
    let look = Look { provider: Some((&*provider).into()), ..Look::back(handle.now(), BACK) };
    let counted = match handle.past() {
        Some(past) => {
            let read = tokio::task::spawn_blocking(move || examine(past.ledger(), &look)).await;
            let unread =
                |why: String| Problem::unavailable(format!("history cannot be read: {why}"));
            let read = read.map_err(|_| Problem::unavailable("the server is closing"))?;
            read.map_err(|error| unread(error.to_string()))?.1
        }
        None => LanesCounted::default(),
    };
    let found = |lane: &Lane| {
        let figures = figures(lane, &counted, handle.shortest_life());
        check_lane(&figures).into_iter().map(LaneCheckRow::from).collect()
    };
    Ok(list.lanes.iter().map(found).collect())
}

fn figures(lane: &Lane, counted: &LanesCounted, life: Span) -> LaneFigures {
    let source = lane.name.source.as_deref().unwrap_or_default();
    let plan = lane.restart.as_ref().filter(|plan| !plan.is_finished());
    LaneFigures {
        life: Some(life),
        sessions: Some((lane.view.open.into(), lane.view.connections.into())),
        plan: plan.and_then(|plan| Some((plan.used().into(), plan.cap()?.into()))),
        ..counted.of(&lane.name.provider, source)
    }
}
