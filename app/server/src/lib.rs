//! The real world around the engine: intake, delivery, reports, and those who may ask.
//!
//! The engine decides on a thread of its own and waits for nobody; sockets and the DNS live
//! on an asynchronous ring, the disk has its committer, reports their writer. Everybody
//! tells the engine's mailbox what happened.

pub mod config;
pub mod handle;
pub mod rehearsals;
pub mod setup;
pub mod tester;
pub mod triage;
pub mod webhooks;

mod cache;
mod clock;
mod counters;
mod diagnosing;
mod events;
mod evidence;
mod facts;
mod happened;
mod history;
mod incidents;
mod inspector;
mod intake;
mod journal;
mod lanes;
mod mailbox;
mod meaning;
mod metrics;
mod names;
mod outbound;
mod preflight;
mod registry;
mod reports;
mod rights;
mod routing;
mod secret;
mod sections;
mod server;
mod settling;
mod signing;
mod submitting;
mod suppression;
mod tls_policy;
mod turnstile;
mod unreached;
mod veil;
mod watch;
mod world;

pub use clock::Clock;
pub use inspector::Inspector;
pub use meaning::Meanings;
pub use registry::registry_path;
pub use server::{Server, token_path};
pub use turnstile::NotInspected;
