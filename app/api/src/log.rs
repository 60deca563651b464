//! Asking the ledger what the API and the command line are asked.
//!
//! All of it reads files: not for a thread that must not wait.

mod asking;
mod escaped;
mod export;
mod stats;
mod tracing;

pub use asking::{Asked, facets, page, tallies};
pub use escaped::{escaped_json, shown};
pub use export::{Form, Rows, cell};
pub use stats::stats;
pub use tracing::{NoTrace, trace};
