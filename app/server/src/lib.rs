//! The real world around the engine: intake, delivery, reports, and those who may ask.
//!
//! The engine decides on a thread of its own and waits for nobody; sockets and the DNS live
//! on an asynchronous ring, the disk has its committer, reports their writer. Everybody
//! tells the engine's mailbox what happened.
//!
//! A message's way leads through `intake`, `engine`, `outbound` and `outcome`; `lanes` are what the
//! engine decides by. `identity` and `trouble` look on beside it and are never in its way,
//! `telling` says what happened to whoever listens, and `server` puts all of it together as
//! `setup` says. Whoever asks comes by `handle`.

pub mod config;
pub mod handle;
pub mod rehearsals;
pub mod setup;

mod engine;
mod ground;
mod identity;
mod intake;
mod lanes;
mod outbound;
mod outcome;
mod server;
mod telling;
mod trouble;

pub use ground::clock::Clock;
pub use ground::clock_mark::ClockMark;
pub use ground::registry::registry_path;
pub use identity::inspector::Inspector;
pub use identity::tester;
pub use identity::turnstile::NotInspected;
pub use outcome::meaning::Meanings;
pub use server::{Ended, Server, claim, token_path};
pub use telling::alarm::{finish_alarms, tell_of_faults};
pub use telling::webhooks;
pub use trouble::triage;
