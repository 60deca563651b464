//! Lanes: the overview, one lane, and what is ordered of them.

mod arrange;
mod belief;
mod chip;
mod detail;
mod drawing;
mod figures;
mod order;
mod overview;
mod past;
mod plot;
mod range;
mod row;
mod sample;
mod spark;
mod stretch;
mod window;

pub(crate) use detail::{live as live_lane, provider, show as show_lane};
pub(crate) use order::{ask, give};
pub(crate) use overview::{export, live, show};
pub(crate) use row::{age_p95, age_place, capital};
