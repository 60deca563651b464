//! Lanes: the overview, one lane, and what is ordered of them.

mod belief;
mod chip;
mod detail;
mod order;
mod overview;
mod plot;
mod range;
mod recorder;
mod row;
mod spark;
mod stretch;

pub(crate) use detail::{live as live_lane, provider, show as show_lane};
pub(crate) use order::{ask, give};
pub(crate) use overview::{live, show};
pub(crate) use recorder::Recorder;
pub(crate) use row::{age_p95, capital};
