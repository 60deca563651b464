//! Pictures of a run over virtual time: for the terminal, and as SVG.

mod bins;
mod pareto;
mod svg;
mod terminal;

pub(crate) use bins::{Bins, State};
pub use pareto::pareto;
pub use svg::svg;
pub use terminal::{Glyphs, terminal};
