//! Who may ask for what: tokens, scopes, tenants, limits, and the audit of changes.
//!
//! Every request under `/v1` but the description passes through here, and every address has a line
//! in [`rules::RULES`]: one that has none is answered 403, whoever asks.

mod asker;
mod audit;
mod bucket;
mod check;
mod etag;
mod failures;
mod file_token;
mod origin;
mod person;
mod rules;

pub(crate) use asker::Asker;
pub(crate) use audit::write_down;
pub(crate) use check::{Gate, check, known};
pub(crate) use etag::tagged;
pub use file_token::{Token, TokenError};
pub use origin::Origin;
pub use person::Person;
