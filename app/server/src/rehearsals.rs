//! Rehearsals in a running server: what a campaign would come to, in virtual time.

mod engine;

pub use engine::rehearsed_engine;
