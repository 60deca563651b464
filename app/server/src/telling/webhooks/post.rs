//! One message to one URL: resolved, looked at, connected, sent, and the answer's status read.
//!
//! Redirects are not followed and proxies not asked: the address that was looked at is the one that
//! is talked to.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use postlane_net::tls::Trust;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::reach::is_public;

/// Whoever sends messages to webhooks.
#[derive(Clone)]
pub(super) struct Sender(Result<TlsConnector, Arc<str>>);

/// What is sent.
pub(super) struct Letter<'a> {
    pub(super) target: &'a Target,
    /// Header fields beside the usual ones.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// For all of it, from the name's resolution to the answer.
    pub(super) patience: Duration,
    pub(super) inside: Inside,
}

/// Whether a webhook may lead into the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// It may not.
    Refused,
    /// The operator says that it may (`webhooks.private_addresses`).
    Allowed,
}

/// Where a webhook leads, read from its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    path: String,
    secure: Secure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secure {
    Tls,
    Clear,
}

/// A URL that no webhook can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it as https://shop.example/hooks/postlane")]
pub struct TargetError(&'static str);

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("{0}")]
    Unreached(String),
    #[error(
        "it leads to {0}, which is no address of the public Internet (webhooks.private_addresses)"
    )]
    Inside(IpAddr),
    #[error("it took longer than webhooks.timeout")]
    Late,
    #[error("it answered {status}{}", said(.says))]
    Refused { status: u16, says: String },
}

/// Octets of an answer that are read: enough to see what it says of itself.
const ANSWER_OCTETS_MAX: usize = 4096;

fn said(says: &str) -> String {
    let says: String =
        says.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if says.trim().is_empty() { String::new() } else { format!(": {}", says.trim()) }
}

impl Target {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError("it is no URL"))?;
        let (secure, usual) = match uri.scheme_str() {
            Some("https") => (Secure::Tls, 443),
            Some("http") => (Secure::Clear, 80),
            _ => return Err(TargetError("the URL begins with neither https:// nor http://")),
        };
        let authority = uri.authority().ok_or(TargetError("the URL names no host"))?;
        if authority.as_str().contains('@') {
            return Err(TargetError(
                "the URL has a user or password: messages are signed, there is no need for one",
            ));
        }
        if url.contains('#') {
            return Err(TargetError("the URL has a fragment, which is never sent"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.port().is_some_and(|port| port.as_str().is_empty()) {
            return Err(TargetError("the URL names no host or no port"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let port = uri.port_u16().unwrap_or(usual);
        Ok(Self { host: host.to_owned(), port, path: path.to_owned(), secure })
    }

    /// As `Host` has it (RFC 9110 §7.2).
    fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match (self.secure, self.port) {
            (Secure::Tls, 443) | (Secure::Clear, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl Sender {
    /// With the system's certificate authorities, and those of these files.
    pub(super) fn new(roots: &[PathBuf]) -> Self {
        let trust = Trust::with_roots(roots).map_err(|e| e.to_string().into());
        Self(trust.map(|trust| TlsConnector::from(trust.client())))
    }

    /// Sends it. The status, where it was taken: any 2xx.
    pub(super) async fn send(&self, letter: Letter<'_>) -> Result<u16, NotTaken> {
        let patience = letter.patience;
        let sent = tokio::time::timeout(patience, self.exchange(letter)).await;
        sent.unwrap_or(Err(NotTaken::Late))
    }

    async fn exchange(&self, letter: Letter<'_>) -> Result<u16, NotTaken> {
        let target = letter.target;
        let stream = connect(target, letter.inside).await?;
        let answer = match target.secure {
            Secure::Clear => ask(stream, &letter).await?,
            Secure::Tls => {
                let connector = self.0.as_ref();
                let connector = connector.map_err(|why| NotTaken::Unreached(why.to_string()))?;
                let name = ServerName::try_from(target.host.clone()).map_err(unreached)?;
                ask(connector.connect(name, stream).await.map_err(unreached)?, &letter).await?
            }
        };
        let status = answer.status();
        // What it says beyond the limit is not read; the connection is dropped with it.
        let says = Limited::new(answer.into_body(), ANSWER_OCTETS_MAX).collect().await;
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let says = says.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        Err(NotTaken::Refused { status: status.as_u16(), says: says.unwrap_or_default() })
    }
}

/// Connects to the first of its addresses that may be and can be reached. The addresses are looked
/// at here, and these very ones connected to: a name that leads elsewhere the next time is no way in.
async fn connect(target: &Target, inside: Inside) -> Result<TcpStream, NotTaken> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let found: Vec<SocketAddr> = found.map_err(unreached)?.collect();
    let mut why = NotTaken::Unreached("the name has no address".to_owned());
    for address in found {
        if inside == Inside::Refused && !is_public(address.ip()) {
            why = NotTaken::Inside(address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = NotTaken::Unreached(format!("{address}: {error}")),
        }
    }
    Err(why)
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    letter: &Letter<'_>,
) -> Result<Response<Incoming>, NotTaken> {
    let mut request = Request::post(&letter.target.path)
        .header(HOST, letter.target.authority())
        .header(USER_AGENT, concat!("Postlane/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in &letter.fields {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(letter.body.clone())).map_err(unreached)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(unreached)?;
    // It ends with the request, or when who waits for it has given up.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(unreached);
    if answer.is_err() {
        connection.abort();
    }
    answer
}

fn unreached(error: impl std::fmt::Display) -> NotTaken {
    NotTaken::Unreached(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_what_is_none_is_told_with_its_cure() {
        let target = Target::parse("https://shop.example/hooks?a=1").unwrap();
        assert_eq!(
            (target.authority(), target.path.as_str()),
            ("shop.example".into(), "/hooks?a=1")
        );
        let port = Target::parse("http://[2a00::1]:8080").unwrap();
        assert_eq!((port.authority(), port.path.as_str()), ("[2a00::1]:8080".into(), "/"));
        for wrong in [
            "",
            "shop.example",
            "ftp://shop.example/",
            "https://",
            "https://u:p@shop.example/",
            "https://shop.example/#a",
            "https:///a",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            let error = Target::parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains("write it as"), "{wrong}: {error}");
        }
    }

    #[tokio::test]
    async fn an_address_of_the_house_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let target = Target::parse(&format!("http://{host}:{port}/")).unwrap();
            let refused = connect(&target, Inside::Refused).await;
            assert!(matches!(refused, Err(NotTaken::Inside(_))), "{host}: {refused:?}");
        }
        let target = Target::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        assert!(connect(&target, Inside::Allowed).await.is_ok());
    }
}
