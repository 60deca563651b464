//! The message on the wire: dots in, dots out, and nothing else changed.

mod stuff;
mod unstuff;

pub use stuff::{Lines, stuff};
pub use unstuff::{BareNewlines, Collected, Collector, DataError};
