//! A mail exchanger called without mail: whether it offers STARTTLS, and what it shows then.

use std::sync::Arc;
use std::time::Duration;

use postlane_checks::{Greeting, Name};
use rustls::ProtocolVersion;
use rustls_pki_types::ServerName;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite,
    AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::time;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Enquiry;
use crate::tls::{ClientTls, Minimum, words};

/// How long all of it may take. Chosen, not measured: some hosts wait ten seconds before they
/// greet.
const PATIENCE: Duration = Duration::from_secs(40);

/// Octets that are read before the handshake, at most: a reply has few lines.
const OCTETS_MAX: u64 = 32 << 10;

impl Enquiry {
    /// Calls an exchanger. That it cannot be called is an answer, too.
    pub(super) async fn greet(&self, host: &Name) -> Greeting {
        let failed = |why: &dyn std::fmt::Display| Greeting::Failed(why.to_string().into());
        let addresses = match self.mapped.host(&self.resolver, host, 25).await {
            Ok(addresses) => addresses,
            Err(why) => return failed(&why),
        };
        let mut last = Greeting::Failed("no address".into());
        for address in addresses {
            let talked = time::timeout(PATIENCE, async {
                let stream = TcpStream::connect(address).await?;
                self.talk(host, stream).await
            });
            match talked.await {
                Ok(Ok(greeting)) => return greeting,
                Ok(Err(error)) => last = failed(&format!("{address}: {error}")),
                Err(_) => last = failed(&format!("{address}: it takes too long")),
            }
        }
        last
    }

    async fn talk(&self, host: &Name, stream: TcpStream) -> std::io::Result<Greeting> {
        let mut stream = BufReader::new(stream);
        let (code, text) = reply(&mut stream).await?;
        if code != 220 {
            return Ok(Greeting::Failed(format!("it greets with {code} {text}").into()));
        }
        stream.write_all(format!("EHLO {}\r\n", self.helo).as_bytes()).await?;
        let (code, text) = reply(&mut stream).await?;
        let offers = text.split('\n').any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
        if code != 250 || !offers {
            stream.write_all(b"QUIT\r\n").await?;
            return Ok(if code == 250 {
                Greeting::Plain
            } else {
                Greeting::Failed(format!("it answers EHLO with {code}").into())
            });
        }
        stream.write_all(b"STARTTLS\r\n").await?;
        let (code, text) = reply(&mut stream).await?;
        if code != 220 {
            return Ok(Greeting::Broken(format!("it answers STARTTLS with {code} {text}").into()));
        }
        // What came in the clear behind the reply is not part of the session (RFC 3207 §6).
        if !stream.buffer().is_empty() {
            return Ok(Greeting::Broken("it says more than was asked before the handshake".into()));
        }
        Ok(self.encrypt(host, stream.into_inner()).await)
    }

    async fn encrypt(&self, host: &Name, stream: TcpStream) -> Greeting {
        let Ok(name) = ServerName::try_from(host.to_string()) else {
            return Greeting::Broken("the host's name cannot be proved".into());
        };
        let mut stream = match encrypted(name.clone(), stream).await {
            Ok(stream) => stream,
            Err(error) => return Greeting::Broken(format!("the handshake failed: {error}").into()),
        };
        let session = stream.get_ref().1;
        let chain = session.peer_certificates().unwrap_or_default();
        let distrust = self.trust.distrust(chain, &name).map(|why| words(&why).into());
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        };
        let chain = chain.iter().map(|certificate| certificate.to_vec().into()).collect();
        let greeting = Greeting::Encrypted { chain, distrust, version: version.into() };
        // It need not let us say goodbye.
        let _ = stream.write_all(b"QUIT\r\n").await;
        let _ = stream.shutdown().await;
        greeting
    }
}

/// Encrypts whoever it is: nothing is told that must stay secret.
pub(super) async fn encrypted<S: AsyncRead + AsyncWrite + Unpin>(
    name: ServerName<'static>,
    stream: S,
) -> std::io::Result<TlsStream<S>> {
    let any = ClientTls::opportunistic(Minimum::V12);
    TlsConnector::from(Arc::clone(&any.config)).connect(name, stream).await
}

/// A reply's code, and its lines without codes.
pub(super) async fn reply(
    stream: &mut (impl AsyncBufRead + Unpin),
) -> std::io::Result<(u16, String)> {
    let mut text = String::new();
    let mut limited = stream.take(OCTETS_MAX);
    loop {
        let mut line = Vec::new();
        limited.read_until(b'\n', &mut line).await?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
        let Some(code) = code.filter(|_| line.ends_with('\n')) else {
            return Err(std::io::Error::other("it does not speak SMTP"));
        };
        text.push_str(line.get(4..).unwrap_or_default().trim());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok((code, text));
        }
        text.push('\n');
    }
}
