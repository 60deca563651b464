//! Which TLS we speak to hosts: the versions that will do.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;

/// The oldest TLS that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Minimum {
    /// TLS 1.2.
    #[default]
    V12,
    /// TLS 1.3.
    V13,
}

/// A configuration of those versions that will do.
pub(super) fn builder(
    provider: &Arc<CryptoProvider>,
    minimum: Minimum,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let versions: &[&rustls::SupportedProtocolVersion] = match minimum {
        Minimum::V12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        Minimum::V13 => &[&rustls::version::TLS13],
    };
    ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("the provider knows TLS 1.2 and 1.3")
}
