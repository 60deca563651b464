//! Why a signature is not good.

use crate::dns::Failure;

use super::key::KeyFault;
use super::signature::SignatureFault;

/// Why a signature is not good: the first step that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// The field cannot be read.
    #[error("the signature cannot be read: {0}")]
    Signature(#[from] SignatureFault),
    /// Domain and selector make no name.
    #[error("d= and s= make no name that could be asked for")]
    KeyName,
    /// The key could not be had.
    #[error("the key could not be looked up: {0}")]
    Lookup(Failure),
    /// There is none.
    #[error("there is no key at that name")]
    NoKey,
    /// It cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyFault),
    /// Another kind of key, or one for the very domain only.
    #[error("the key is not for such a signature (k= or t=s)")]
    Unfit,
    /// `x=` is past.
    #[error("the signature has expired (x=)")]
    Expired,
    /// SHA-1, or a key below 1024 bits.
    #[error("the signature is of a sort that no longer counts (RFC 8301): SHA-1 or a short key")]
    Weak,
    /// `l=` is more than there is.
    #[error("the body is shorter than what was signed (l=)")]
    BodyShort,
    /// The body is another.
    #[error("the body is not the one that was signed (bh=)")]
    Body,
    /// The header is another, or the key is.
    #[error("the signed header fields are not what was signed, or the key is another (b=)")]
    Header,
}
