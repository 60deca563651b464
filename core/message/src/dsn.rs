//! Delivery status notifications: reports on what became of a message (RFC 3464).
//!
//! [`write_report`] makes them for senders; [`read_bounces`](crate::read_bounces) understands those
//! of others. A
//! report is for a [`Mailbox`](postlane_mail::Mailbox), so there is none for the null
//! reverse-path: that mail is never answered with a bounce cannot be forgotten. The envelope a
//! report travels in has the null reverse-path itself (RFC 3461 §6.1), and is the caller's.

mod foreign;
mod human;
mod machine;
mod report;
mod write;

pub(crate) use foreign::{decoded_unicode, decoded_xtext};
pub use report::{Action, Original, RecipientReport, Report};
pub use write::{WrittenReport, write_report};

#[cfg(test)]
mod tests;
