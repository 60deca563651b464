//! Block lists over time, as JSON.

use postlane_checks::blocklist::{List, Subject};
use postlane_checks::watch::{Cell, Shown};
use postlane_registry::ListingSpan;
use postlane_server::handle::ListsSeen;
use postlane_server::setup::Asking;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, timestamp};

/// Which cells are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct BlocklistQuery {
    /// On this list, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// This address or domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// In this state: `listed`, `refused` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// Who is on which block list, as of the last look.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BlocklistPage {
    /// Whether lists are asked: `on`, `off`, or `public-resolver`, which most lists refuse.
    pub asking: String,
    /// Why not, if not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// When lists were asked last since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// The lists that are watched.
    pub lists: Vec<WatchedList>,
    /// Who is watched: the rows of a heat map.
    pub subjects: Vec<WatchedSubjectRow>,
    /// Each subject on each list: its fields.
    pub cells: Vec<BlocklistCell>,
}

/// A list that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedList {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `critical`, `high`, `medium`, `low` or `info`.
    pub weight: String,
    /// How often it is asked, in seconds.
    pub every_s: u64,
    /// Questions that it was asked today (UTC); left out for who sees one tenant's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_today: Option<u32>,
    /// Where one asks to be taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delist: Option<String>,
}

/// Who is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedSubjectRow {
    /// An address or a domain.
    pub subject: String,
    /// Why: `source a`, `ehlo of a`, `dkim`, `bounces of acme`, `watch`.
    pub because: Vec<String>,
    /// Whose it is; none for the operator's.
    pub tenants: Vec<String>,
    /// The worst colour of its cells.
    pub colour: String,
}

/// One subject on one list. A key without a value is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlocklistCell {
    /// The list, by its id.
    pub list: String,
    /// An address or a domain.
    pub subject: String,
    /// `unasked`, `clear`, `suspected` (one answer says that it is listed), `listed`, `clearing` (one
    /// says that it is not any more), `refused` (the list refuses us), `broken` (it fails its own
    /// test), `unreachable`, or `keyless`.
    pub state: String,
    /// `green` clear, `red` listed, `amber` listed where few care or not for sure, `grey` nobody knows.
    pub colour: String,
    /// The list does not answer: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Since when it is listed, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How bad that is: `info`, `warn` or `fail`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// What the list answers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answers: String,
    /// What that means.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub means: String,
    /// When it was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// When it is asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// Which listings are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListingQuery {
    /// On this list, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Of this address or domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Not ended before: a moment, or how long ago (`24h`, `30m`, `7d`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Listings at most: 1 to 1,000, 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Who was on which list, the youngest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ListingPage {
    /// The listings.
    pub listings: Vec<ListingRow>,
}

/// Somebody on a list, from when to when. A key without a value is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListingRow {
    /// The list, by its id.
    pub list: String,
    /// Who.
    pub subject: String,
    /// When it was seen first.
    pub since: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How bad it was: `info`, `warn` or `fail`.
    pub outcome: String,
    /// What the list answered.
    pub answers: String,
    /// What that means.
    pub means: String,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ended: String,
}

impl BlocklistCell {
    /// One cell.
    pub fn of(list: &str, subject: &Subject, cell: &Cell) -> Self {
        let listed = cell.listed();
        let text = |of: fn(&postlane_checks::watch::ListedAs) -> String| {
            listed.map(of).unwrap_or_default()
        };
        let is_asked = cell.shown() != Shown::Keyless;
        Self {
            list: list.to_owned(),
            subject: subject.to_string(),
            state: cell.shown().as_str().to_owned(),
            colour: cell.colour().as_str().to_owned(),
            why: cell.hearing.why().to_owned(),
            since: listed.map(|listed| timestamp(listed.since)),
            outcome: text(|listed| listed.outcome.as_str().to_owned()),
            answers: text(|listed| listed.answers.clone()),
            means: text(|listed| listed.means.clone()),
            asked_at: cell.asked.map(timestamp),
            next_at: is_asked.then(|| timestamp(cell.next)),
        }
    }
}

impl BlocklistPage {
    /// What may be seen by whoever `sees` it.
    pub(crate) fn of(
        seen: &ListsSeen,
        query: &BlocklistQuery,
        sees: impl Fn(&Subject) -> bool,
        (lists, asked_today): (&[&List], impl Fn(&str) -> Option<u32>),
    ) -> Self {
        let setup = &seen.setup;
        let asked = |of: &Option<String>, is: &str| of.as_deref().is_none_or(|of| of == is);
        let is_meant = |list: &str, subject: &Subject| {
            sees(subject)
                && asked(&query.list, list)
                && query
                    .subject
                    .as_deref()
                    .is_none_or(|of| Subject::read(of).is_some_and(|of| of == *subject))
        };
        let cells = seen.board.cells().filter(|(list, subject, _)| is_meant(list, subject));
        let cells: Vec<(&Subject, &Cell, BlocklistCell)> = cells
            .map(|(list, subject, cell)| (subject, cell, BlocklistCell::of(list, subject, cell)))
            .filter(|(_, _, row)| asked(&query.state, &row.state))
            .collect();
        let worst = |subject: &Subject| {
            let own = cells.iter().filter(|(of, ..)| *of == subject);
            own.map(|(_, cell, _)| cell.colour()).max()
        };
        let subjects = setup.subjects.iter().filter(|(subject, _)| sees(subject));
        let subjects = subjects.filter_map(|(subject, of)| {
            Some(WatchedSubjectRow {
                subject: subject.to_string(),
                because: of.because.iter().cloned().collect(),
                tenants: of.owners.iter().map(ToString::to_string).collect(),
                colour: worst(subject)?.as_str().to_owned(),
            })
        });
        let (asking, why) = match setup.asking {
            Asking::On => ("on", String::new()),
            Asking::Off => ("off", "watch.blocklists is off".to_owned()),
            Asking::PublicResolver(server) => (
                "public-resolver",
                format!(
                    "{server} is a public resolver, which most lists refuse: name one of your own \
                     in delivery.resolvers, or set watch.blocklists to \"on\""
                ),
            ),
        };
        Self {
            asking: asking.to_owned(),
            why,
            looked_at: seen.at.map(timestamp),
            lists: lists
                .iter()
                .map(|list| WatchedList {
                    id: list.id.clone(),
                    name: list.name.clone(),
                    weight: list.weight.as_str().to_owned(),
                    every_s: setup.rhythm.every(list.weight).as_s(),
                    asked_today: asked_today(&list.id),
                    delist: list.delist.clone(),
                })
                .collect(),
            subjects: subjects.collect(),
            cells: cells.into_iter().map(|(_, _, row)| row).collect(),
        }
    }
}

impl From<ListingSpan> for ListingRow {
    fn from(span: ListingSpan) -> Self {
        Self {
            list: span.list,
            subject: span.subject,
            since: timestamp(span.since),
            until: span.until.map(timestamp),
            outcome: span.outcome,
            answers: span.answers,
            means: span.means,
            ended: span.ended,
        }
    }
}
