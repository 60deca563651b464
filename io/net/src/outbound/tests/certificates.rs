//! Certificates of an authority that nobody else believes.

use std::path::Path;
use std::sync::Arc;

use crate::tls::server_config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// A certificate authority, with its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    home: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("authority.pem"), issuer.pem()).unwrap();
        Self { issuer, home }
    }

    /// Where its certificate is.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.home.path().join("authority.pem")
    }

    /// A host with a certificate of these names.
    pub(crate) fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate =
            CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (chain, private) =
            (self.home.path().join("chain.pem"), self.home.path().join("key.pem"));
        std::fs::write(&chain, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        acceptor(&chain, &private)
    }
}

fn acceptor(chain: &Path, private: &Path) -> TlsAcceptor {
    TlsAcceptor::from(Arc::clone(&server_config(chain, private).unwrap()))
}
