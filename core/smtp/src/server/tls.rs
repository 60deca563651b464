//! The TLS that a client's session goes by.

use std::sync::Arc;

/// What was agreed in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite's name, as in `TLS13_AES_256_GCM_SHA384`.
    pub cipher: Arc<str>,
}
