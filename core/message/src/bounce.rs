//! Bounces that come back as mail: read whoever wrote them, in whatever form.
//!
//! A report for programs (RFC 3464) is believed first, wherever in the message it stands. Where
//! there is none, or it is silent, the text for people is read: its dialects differ in words, but
//! nearly all name a recipient on a line of its own and quote a reply below it. Complaints
//! (RFC 5965) and automatic answers (RFC 3834) reach a bounce address, too; they are told apart,
//! since they say nothing against a recipient.
//!
//! Not here: what a reply means, and whether to believe the writer.

mod address;
mod bounced;
mod evidence;
mod feedback;
mod free_form;
mod notification;
mod original;
mod parts;
mod read;
mod recipient_line;
mod reply;
mod section;
mod status_part;
mod transfer;

pub use bounced::{BounceKind, Bounced};
pub use original::Trace;
pub use read::read_bounces;

#[cfg(test)]
mod tests;
