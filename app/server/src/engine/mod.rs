//! The engine's neighbours: what its numbers stand for, what it hears, and who does what it asks.

pub(crate) mod names;
pub(crate) mod sections;
pub(crate) mod submitting;
pub(crate) mod world;
