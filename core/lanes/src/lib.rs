//! How fast, how many at once, whether at all: one lane between a source and a provider.
//!
//! A lane hears signals and gives permits. It knows no reply text and no message, so pacing
//! can be proved without either. In this stage it keeps its ceilings; what it learns joins
//! behind the same [`Lane::observe`].

mod budget;
mod ceilings;
mod lane;
mod signal;
mod waiting;

pub use budget::Budget;
pub use ceilings::Ceilings;
pub use lane::{Ask, Lane, Permit};
pub use signal::Signal;
pub use waiting::Waiting;
