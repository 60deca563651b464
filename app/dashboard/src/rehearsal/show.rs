//! One rehearsal: how it goes, what each policy came to and why, and what to take along.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use postlane_api::Problem;
use postlane_api::wire::{RehearsalJudgement, RehearsalStory};
use serde_json::Value;

use super::chip;
use super::picture::{Axes, Drawn};
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::live::stream;
use crate::moments;
use crate::numbers::{foreign, percent, span};
use crate::patch::{Patch, drawn};
use crate::session::Visit;

/// What a policy came to, in a row.
struct Outcome {
    policy: String,
    says: String,
    pass: bool,
    /// T99, ratio, delivered, refused, transactional p99, expired: the figure, and what it is held against.
    figures: Vec<(String, String)>,
    /// What is not as it should be; all that holds, where it passes.
    why: Vec<String>,
}

#[derive(Template)]
#[template(path = "rehearsal_state.html")]
struct Progress {
    id: u64,
    chip: (&'static str, &'static str),
    says: String,
    done: u64,
    runs: u64,
    is_over: bool,
    may_act: bool,
    form_token: String,
    by: String,
    at: String,
    ago: String,
    seeds: u64,
    settings: String,
}

#[derive(Template)]
#[template(path = "rehearsal_pictures.html")]
struct Pictures {
    is_over: bool,
    most: String,
    ticks: Vec<(String, String)>,
    drawn: Vec<Drawn>,
}

#[derive(Template)]
#[template(path = "rehearsal_outcomes.html")]
struct Outcomes {
    id: u64,
    is_over: bool,
    is_done: bool,
    seeds_done: usize,
    outcomes: Vec<Outcome>,
}

#[derive(Template)]
#[template(path = "rehearsal_take.html")]
struct Take {
    id: u64,
    config: String,
    decisions: Vec<String>,
    decisions_more: usize,
}

#[derive(Template)]
#[template(path = "rehearsal.html")]
struct PageOut {
    frame: Frame,
    id: u64,
    title: String,
    scenario: String,
    may_act: bool,
    is_built_in: bool,
    command: String,
    /// Where it is told how it goes; empty when it is over.
    live: String,
    state: String,
    pictures: String,
    outcomes: String,
    take: String,
    toml: String,
}

/// One rehearsal.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let story = read(&desk, &visit, id).await?;
    let title = foreign(&story.rehearsal.title);
    let frame = Frame::new(&desk, &visit, &title, "/rehearsals");
    let nonce = frame.bare.nonce.clone();
    let is_over = is_over(&story);
    let parts = parts(&desk, &visit, &story);
    let [state, pictures, outcomes, take] = parts.map(|patch| patch.html);
    let out = PageOut {
        frame,
        id,
        title,
        scenario: story.rehearsal.scenario.clone(),
        may_act: visit.may_operate(),
        is_built_in: story.rehearsal.is_built_in,
        command: story.rehearsal.command.clone(),
        live: if is_over { String::new() } else { format!("/live/rehearsals/{id}") },
        state,
        pictures,
        outcomes,
        take,
        toml: story.toml,
    };
    Ok(answer::page(&out, &nonce))
}

/// The same while it goes.
pub(crate) async fn live(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    // Whether there is one is said before anything is told.
    read(&desk, &visit, id).await?;
    Ok(stream(desk, visit, move |desk, visit| async move {
        let story = read(&desk, &visit, id).await?;
        Ok(parts(&desk, &visit, &story).into())
    }))
}

async fn read(desk: &Desk, visit: &Visit, id: u64) -> Result<RehearsalStory, Problem> {
    desk.api().read(visit.person(), &format!("/v1/rehearsals/{id}")).await
}

fn is_over(story: &RehearsalStory) -> bool {
    !matches!(story.rehearsal.state.as_str(), "waits" | "runs")
}

fn parts(desk: &Desk, visit: &Visit, story: &RehearsalStory) -> [Patch; 4] {
    let row = &story.rehearsal;
    let at = moments::read(&row.made_at);
    let state = Progress {
        id: row.id,
        chip: chip(&row.state),
        says: foreign(&row.says),
        done: row.runs_done,
        runs: row.runs,
        is_over: is_over(story),
        may_act: visit.may_operate(),
        form_token: visit.form_token().to_owned(),
        by: foreign(&row.made_by),
        at: at.map(moments::exact).unwrap_or_default(),
        ago: at.map(|at| moments::ago(at, desk.now())).unwrap_or_default(),
        seeds: row.seeds,
        settings: row.settings.clone(),
    };
    let axes = Axes::of(&story.pictures);
    let pictures = Pictures {
        is_over: is_over(story),
        most: axes.most(),
        ticks: axes.ticks(),
        drawn: story.pictures.iter().map(|picture| axes.draw(picture)).collect(),
    };
    let outcomes = Outcomes {
        id: row.id,
        is_over: is_over(story),
        is_done: row.state == "done",
        seeds_done: story.outcomes.first().and_then(|one| one["seeds"].as_u64()).unwrap_or_default()
            as usize,
        outcomes: story.outcomes.iter().zip(&story.judgements).map(outcome).collect(),
    };
    let take = Take {
        id: row.id,
        config: story.config.clone().unwrap_or_default(),
        decisions: story.decisions.iter().map(|line| foreign(line)).collect(),
        decisions_more: story.decisions_more,
    };
    [
        Patch { part: "state".to_owned(), html: drawn(&state) },
        Patch { part: "pictures".to_owned(), html: drawn(&pictures) },
        Patch { part: "outcomes".to_owned(), html: drawn(&outcomes) },
        Patch { part: "take".to_owned(), html: drawn(&take) },
    ]
}

fn outcome((figures, judged): (&Value, &RehearsalJudgement)) -> Outcome {
    let of = |key: &str| figures[key].as_f64();
    let time = |key: &str| of(key).map(|s| span(s.round() as u64));
    let or = |text: Option<String>, otherwise: &str| text.unwrap_or_else(|| otherwise.to_owned());
    let against =
        |text: Option<String>| text.map(|text| format!("oracle {text}")).unwrap_or_default();
    let whole = |key: &str| of(key).map(|n| crate::numbers::count(n.round() as u64));
    let bad = judged.verdicts.iter().filter(|verdict| !verdict.holds);
    let mut why: Vec<String> = bad.map(|verdict| verdict.says.clone()).collect();
    if judged.pass {
        why = vec!["all that it is judged by holds".to_owned()];
    }
    let ratio = of("ratio").map(|ratio| format!("{ratio:.2}×"));
    Outcome {
        policy: judged.policy.clone(),
        says: judged.says.clone(),
        pass: judged.pass,
        figures: vec![
            (or(time("t99_s"), "never"), against(time("oracle_t99_s"))),
            (or(ratio, "–"), String::new()),
            (
                or(of("delivered_share").map(percent), "–"),
                against(of("oracle_delivered_share").map(percent)),
            ),
            (or(of("r4xx_per_delivered").map(percent), "no delivery"), "at most 1 %".to_owned()),
            (or(time("tx_p99_s"), "–"), against(time("oracle_tx_p99_s"))),
            (or(whole("expired"), "–"), against(whole("oracle_expired"))),
        ],
        why,
    }
}
