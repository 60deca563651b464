//! A report of checks, as every page shows one: what each provider would say, then the score, then
//! what was found, group by group, with what to do and what it rests on.
//!
//! It is made of what `/v1/checks/…` answers, and of the `report` of `/v1/tests/{id}`, which has the
//! same parts: `{{ report|safe }}` puts it into a page.

mod catalogue;
mod finding;
mod gate;
mod proof;
mod remedy;
mod told;
mod view;

pub(crate) use finding::{Finding, chip_of, word_of};
pub(crate) use gate::{chip_of_verdict, gate_name};
pub(crate) use view::ReportView;
