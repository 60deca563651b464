//! TLS with the relay, as a client that knows its certificate has it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::relay::{Dialogue, Home, connect};

/// The name in the certificate.
const NAME: &str = "relay.example";

/// Makes a certificate and its key: `cert.pem` and `key.pem`.
pub(crate) fn make_certificate(home: &Home) {
    let made = rcgen::generate_simple_self_signed([NAME, "127.0.0.1"].map(str::to_owned)).unwrap();
    home.write("cert.pem", &made.cert.pem());
    home.write("key.pem", &made.signing_key.serialize_pem());
}

/// A session that has been encrypted by STARTTLS.
pub(crate) fn dial_with_starttls(home: &Home, address: SocketAddr) -> Dialogue {
    let mut tcp = connect(address);
    for said in ["", "EHLO app.example\r\n", "STARTTLS\r\n"] {
        let mut plain = Dialogue::over(tcp.try_clone().unwrap());
        plain.send(said.as_bytes());
        let reply = plain.hear();
        assert!(reply.starts_with("22") || reply.contains("STARTTLS"), "{reply}");
    }
    let mut roots = RootCertStore::empty();
    let pem = fs::read(home.path().join("cert.pem")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    tls.complete_io(&mut tcp).unwrap();
    Dialogue::over(StreamOwned::new(tls, tcp))
}
