//! Whether the author's domain stands behind a message (DMARC, RFC 9989), and what it asks of
//! receivers if it does not.

mod evaluate;
mod record;
mod walk;

pub use evaluate::{Aligned, Authenticated, Evaluated, Method, Report, Verdict, evaluate};
pub use record::{Alignment, DmarcRecord, Policy, Psd, RecordFault};
pub use walk::{Seen, public_suffix_parent, walk};
