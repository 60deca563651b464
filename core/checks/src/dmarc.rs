//! Whether the author's domain stands behind a message (DMARC, RFC 9989), and what it asks of
//! receivers if it does not.

mod evaluate;
mod findings;
mod published;
mod record;
mod walk;

pub(crate) use findings::CHECKS;
pub(crate) use published::DOMAIN_CHECKS;

pub use evaluate::{Aligned, Authenticated, Evaluated, Method, Report, Verdict, evaluate};
pub use record::{Alignment, DmarcRecord, Policy, Psd, RecordFault};
pub use walk::{Seen, public_suffix_parent, walk};
