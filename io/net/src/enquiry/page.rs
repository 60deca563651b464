//! A page asked for over HTTPS: once, no redirections, a certificate that is believed.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use postlane_checks::{FetchFailure, Fetched, Page, Verb};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::TlsConnector;

use super::Enquiry;

/// How long all of it may take, addresses included: RFC 8461 §3.3 suggests a minute.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one connection may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(8);

/// What is posted to be taken off a list, and its type (RFC 8058 §3.2).
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";
const FORM: &str = "application/x-www-form-urlencoded";

/// Octets of an answer's header, at most. Chosen, not measured.
const HEADER_OCTETS_MAX: usize = 16 << 10;

impl Enquiry {
    /// Fetches a page. What fails is an answer, too.
    pub(super) async fn fetch(&self, page: &Page) -> Fetched {
        let fetched = time::timeout(self.patience(), self.try_fetch(page)).await;
        fetched.unwrap_or(Err(FetchFailure::TimedOut)).unwrap_or_else(Fetched::Failed)
    }

    async fn try_fetch(&self, page: &Page) -> Result<Fetched, FetchFailure> {
        let addresses = self.mapped.host(&self.resolver, &page.host, 443).await?;
        let stream = connect(&addresses).await?;
        let name = ServerName::try_from(page.host.to_string())
            .map_err(|_| FetchFailure::Malformed("the host's name cannot be proved".into()))?;
        let stream = TlsConnector::from(Arc::clone(&self.trust.client()))
            .connect(name, stream)
            .await
            .map_err(|e| FetchFailure::Certificate(e.to_string().into()))?;
        let malformed = |e: &dyn std::fmt::Display| FetchFailure::Malformed(e.to_string().into());
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEADER_OCTETS_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| malformed(&e))?;
        let request = match page.verb {
            Verb::Get => Request::get(&*page.path),
            Verb::OneClick => Request::post(&*page.path).header(CONTENT_TYPE, FORM),
        };
        let body = match page.verb {
            Verb::Get => Bytes::new(),
            Verb::OneClick => Bytes::from_static(ONE_CLICK),
        };
        let request = request
            .header(HOST, page.host.as_str())
            .header(USER_AGENT, "postlane")
            .body(Full::new(body))
            .map_err(|e| malformed(&e))?;
        let asked = async {
            let answer = sender.send_request(request).await.map_err(|e| malformed(&e))?;
            read(answer, page.octets_max).await
        };
        let mut asked = pin!(asked);
        tokio::select! {
            biased;
            answer = &mut asked => answer,
            // The answer may be whole though the connection did not end as it should: many servers
            // hang up without saying so.
            _ = connection => asked.await,
        }
    }

    fn patience(&self) -> Duration {
        self.page_patience.unwrap_or(PATIENCE)
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, FetchFailure> {
    let mut failed = FetchFailure::NoAddress;
    for address in addresses {
        match time::timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = FetchFailure::Connect(error.to_string().into()),
            Err(_) => failed = FetchFailure::TimedOut,
        }
    }
    Err(failed)
}

async fn read(
    answer: Response<hyper::body::Incoming>,
    octets_max: usize,
) -> Result<Fetched, FetchFailure> {
    let status = answer.status().as_u16();
    let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase().into();
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.unwrap_or_default().into();
    // What stands beside a redirection is of no interest.
    if status != 200 {
        return Ok(Fetched::Page { status, media_type, location, body: Box::default() });
    }
    let body = Limited::new(answer.into_body(), octets_max).collect().await;
    let body = body.map_err(|e| match e.downcast_ref::<LengthLimitError>() {
        Some(_) => FetchFailure::TooLarge,
        None => FetchFailure::Malformed(e.to_string().into()),
    })?;
    Ok(Fetched::Page { status, media_type, location, body: body.to_bytes().to_vec().into() })
}
