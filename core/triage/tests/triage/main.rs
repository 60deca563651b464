//! Verdicts held against stories, laws and simulated pictures whose true cause is known.
#![expect(clippy::unwrap_used, reason = "a test may unwrap")]

mod calibration;
mod dice;
mod golden;
mod laws;
mod stories;
mod story;
mod world;
