//! SMTP, both sides, without a socket (RFC 5321 and its extensions).
//!
//! A machine is fed bytes and the time and says what to send, what it learned and how
//! long it will wait. It opens nothing, looks nothing up and reads no clock, so a
//! dialogue is a test, a fuzz target and a replay alike.

pub mod auth;
pub mod client;
pub mod data;
pub mod server;

mod capability;
mod command;
mod reply;
mod xtext;

pub use capability::Capabilities;
pub use command::{Command, CommandError, MailParameters, RcptParameters};
pub use reply::{ReplyError, ReplyParser};
