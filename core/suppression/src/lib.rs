//! The suppression list: to whom no mail goes, why, and until when.
//!
//! Pure: time is an argument, and what is durable is kept elsewhere. A [`Policy`] says which
//! refusals put somebody on the list, the [`List`] answers for each recipient, and an [`Entry`]
//! is all that is known of one, as it is written to disk.

mod entry;
mod list;
mod octets;
mod policy;
mod reason;
mod standing;
mod subject;

pub use entry::{Bounded, Entry, Said};
pub use list::{Asked, Found, Full, List, Page};
pub use octets::Unread;
pub use policy::{Confidence, Policy, Refusal, Verdict};
pub use reason::Reason;
pub use standing::{Counts, Effect, Heard, Standing};
pub use subject::{Subject, SubjectError, Whom};
