//! The HTTP API: hand in mail, look at the queue, act on it.
//!
//! A thin coat over the server's handle: it reads JSON, checks the token, asks, and writes
//! JSON. It knows no spool, no engine and no socket of mail.

mod access;
mod body;
mod feed;
mod inner;
pub mod log;
pub mod password;
mod patient;
mod problem;
mod query;
mod router;
mod routes;
mod serve;
pub mod triage;
mod weight;
pub mod wire;

pub use access::{Origin, Person, Token, TokenError};
pub use feed::LedgerFeed;
pub use inner::InnerApi;
pub use problem::{Pointed, Problem};
pub use router::{openapi, router};
pub use serve::{DoorError, Doors, serve};
