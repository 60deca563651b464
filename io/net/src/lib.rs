//! Sockets, TLS and the resolver: runs the SMTP machines over them.
//!
//! It decides nothing: what to say is the machines' business, whom to call and when is the
//! engine's.

pub mod dns;
pub mod enquiry;
pub mod listener;
pub mod outbound;
pub mod route;
pub mod tls;
pub mod unbroken;

mod stream;
