//! The web dashboard: what lanes do and why, what became of mail, and what is wrong, for people.
//!
//! Pages are made here and arrive whole; small modules of our own keep them up to date. It asks the
//! API from inside as whoever is signed in, so that nobody sees or does here what a token of the
//! same scopes and tenant could not. It knows no spool, no engine and no socket of mail.

mod account;
mod answer;
mod assets;
mod audit;
mod desk;
mod domains;
mod evidence;
mod export;
mod frame;
mod incidents;
mod lanes;
mod live;
mod log;
mod moments;
mod numbers;
mod patch;
mod people;
mod preflight;
mod queue;
mod rehearsal;
mod replies;
mod report;
mod reputation;
mod router;
mod session;
mod setup;
mod sign_in;
mod table;
mod tester;
mod together;
mod trace;

pub use router::{Dashboard, router};
pub use setup::{SetupError, SetupToken};
