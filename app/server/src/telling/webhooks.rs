//! Webhooks: other programs are told what happens, in order, and nothing is left out.
//!
//! Each webhook has its place in what happened, kept in the registry, and moved only when the other
//! side has taken what lies behind it (2xx). So after any failure, of either side, it is told again
//! what it may have heard already, and never less. One message is under way to each at a time.

mod backoff;
mod deliver;
mod feed;
mod post;
mod reach;
mod signature;

pub use deliver::Tested;
pub(crate) use deliver::{Around, Deliverer};
pub use feed::{Feed, FeedError, Heard, Place, Wanted};
pub use post::{Target, TargetError};
pub use signature::{SIGNATURE_FIELD, signature};
