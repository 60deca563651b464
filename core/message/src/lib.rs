//! What is inside a message: found where it lies, and never written anew.
//!
//! A relay adds a `Received` field, a missing `Date` or `Message-ID`, and takes out what must
//! not travel; everything else leaves byte for byte as it came. Messages of our own (reports
//! and what the HTTP interface composes) are written here, too.
//!
//! Not here: MIME structures of relayed mail, signatures, and what a receiver would think of it.

mod bounce;
mod boundary;
mod date;
mod dsn;
mod header;
mod intake;
mod mime;
mod received;
mod unsubscribe;
mod verp;

pub use bounce::{BounceKind, Bounced, Trace, read_bounces};
pub use date::{LogDate, MailDate};
pub use dsn::{Action, Original, RecipientReport, Report, WrittenReport, write_report};
pub use header::{Field, Fields, SectionEnd, domain_of, message_id_of, unfolded};
pub use intake::{
    ClientTrace, Edits, Facts, Finding, HeaderLimits, HeaderRefused, InnerReceived, Lines,
    Prepared, prepare,
};
pub use mime::{Draft, DraftRefused, compose};
pub use received::{Arrival, Client, TlsWords};
pub use unsubscribe::{ListMessage, Unsubscribe, WayOut, WayOutError};
pub use verp::{Returned, Verp, VerpError};
