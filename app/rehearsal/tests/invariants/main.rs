//! Laws of the lanes, held against seeded runs of the real engine with model receivers. What is
//! looked at is the trace: what the receiver saw, and what the lanes said of themselves.

#![expect(clippy::unwrap_used, reason = "tests")]

mod canaries;
mod ceilings;
mod pauses;
mod restarts;
mod runs;
mod said;
mod same;
mod scenarios;
mod trace;
mod turns;
mod windows;
