//! A lane that has not been used since the server began: what is remembered of it.

use askama::Template;
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{BeliefPage, TallyPage};
use postlane_mail::Span;

use super::chip::Chip;
use super::drawing::PlotPart;
use super::plot::Plot;
use super::range::Range;
use super::row::lane_address;
use super::sample::Sample;
use super::stretch::{Course, courses};
use super::window::Window;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, query, rate};
use crate::patch::drawn;
use crate::session::Visit;

#[derive(Template)]
#[template(path = "lane_past.html")]
struct PastOut {
    frame: Frame,
    provider_name: String,
    source: String,
    here: String,
    window: Window,
    chip: Chip,
    pace: String,
    says: String,
    until: String,
    until_ago: String,
    plot: String,
    log: String,
}

/// How far back lanes are remembered.
const REMEMBERED: &str = "8d";

/// What is remembered of a lane.
///
/// # Errors
/// Nothing is: then what was said of the lane itself.
pub(super) async fn show(
    desk: &Desk,
    visit: &Visit,
    (provider, source): (&str, &str),
    (window, problem): (Window, Problem),
) -> Result<Response, Problem> {
    let (api, person) = (desk.api(), visit.person());
    let (of, from) = (in_query(provider), in_query(source));
    let asked = format!("/v1/lanes/{of}/{from}/beliefs?since={REMEMBERED}");
    let kept: Option<BeliefPage> = api.read(person, &asked).await.ok();
    let kept = kept.map(|page| page.beliefs).unwrap_or_default();
    let samples: Vec<Sample> = kept.iter().filter_map(Sample::of).collect();
    let Some(last) = samples.last() else { return Err(problem) };
    let every_s = window.every.as_s();
    let (since, until) = (moments::exact(window.from), moments::exact(window.to));
    let shown = query(&[("since", &since), ("until", &until)]);
    let asked =
        format!("/v1/tallies?provider={of}&every_s={every_s}&by=provider,source,try&{shown}");
    // No history is no reason for no page.
    let tallies = api.read(person, &asked).await;
    let tallies = tallies.unwrap_or(TallyPage { every_s, tallies: Vec::new() });
    let span = (window.every, window.span());
    let many = usize::try_from(span.1.0 / span.0.0.max(1)).unwrap_or_default();
    let end = window.to - Span(1);
    let all = courses(&tallies, end, span);
    let course = all.into_iter().find(|((_, name), _)| name == source).map(|(_, course)| course);
    let course = course.unwrap_or_else(|| Course::empty(end, span.0, many));
    let here = lane_address(provider, source);
    let of_log = [("provider", provider), ("source", source)];
    let of = of_log.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let plot = Plot::new(course, &samples, Vec::new(), (desk.now(), None, of));
    let name = desk.replies().name_of(provider);
    let frame = Frame::new(desk, visit, &format!("{} → {name}", foreign(source)), "/");
    let nonce = frame.bare.nonce.clone();
    let page = PastOut {
        frame,
        provider_name: foreign(&name),
        source: foreign(source),
        chip: last.chip,
        pace: last.pace().map_or_else(|| "no cap".to_owned(), rate),
        says: foreign(&last.says),
        until: moments::day_and_minute(last.until),
        until_ago: moments::ago(last.until, desk.now()),
        plot: drawn(&PlotPart::of(plot, here.clone())),
        log: format!("/log?{}", query(&of_log)),
        here,
        window,
    };
    Ok(answer::page(&page, &nonce))
}
