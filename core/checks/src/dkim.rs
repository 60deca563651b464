//! Signatures of messages (DKIM, RFC 6376; Ed25519, RFC 8463): verified, and made.

pub(crate) mod body;
mod canon;
mod findings;
pub(crate) mod header_hash;
mod key;
mod place;
pub(crate) mod proof;
mod published;
mod sign;
pub(crate) mod signature;
pub(crate) mod tags;
mod verify;
mod visible;
mod why;

pub(crate) use findings::CHECKS;
pub(crate) use published::{DOMAIN_CHECKS, Published, published};

pub use canon::{BodyCanon, Canon};
pub use key::{KeyFault, KeyKind, KeyRecord};
pub use sign::{BodyHash, Plan, SignError, Signer};
pub use signature::{Algorithm, Signature, SignatureFault};
pub use tags::TagFault;
pub use verify::{Checked, Outcome, SIGNATURES_MAX, verify};
pub use visible::Visible;
pub use why::Why;
