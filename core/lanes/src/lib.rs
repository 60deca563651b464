//! How fast, how many at once, whether at all: one lane between a source and a provider.
//!
//! A lane hears signals and gives permits. It knows no reply text and no message, so pacing
//! can be proved without either. Below its ceilings it learns what the provider takes.

mod budget;
mod caps;
mod ceilings;
mod chance;
mod controller;
mod credits;
mod decision;
mod history;
mod lane;
mod latency;
mod outcomes;
mod pace;
mod quota;
mod rest;
mod signal;
mod waiting;
mod windows;

pub use budget::Budget;
pub use caps::Caps;
pub use ceilings::Ceilings;
pub use controller::{Heard, State};
pub use decision::{Decision, PerTime};
pub use lane::{Ask, Lane, Learning, Permit};
pub use quota::{Quota, Reset};
pub use signal::{Hint, Hinted, Signal};
pub use waiting::Waiting;
