//! Who may send for a domain (SPF, RFC 7208).

mod check;
mod findings;
mod flatten;
mod macros;
mod published;
mod record;
mod sources;
mod survey;
mod tree;

pub(crate) use findings::CHECKS;
pub(crate) use published::DOMAIN_CHECKS;
pub(crate) use sources::covers;

pub use check::{Envelope, Explained, Verdict, check_host};
pub use flatten::{FlattenError, Flattened, Network, flatten};
pub use macros::{MacroError, MacroString};
pub use record::{Fault, Mechanism, Qualifier, SpfRecord, Term, Why};
pub use survey::{Branch, Published, Survey, survey};
pub use tree::{Match, Seen, Step};
