//! The client's half of one SMTP session of the source.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::arguments::Arguments;
use super::message::Message;
use crate::clock::monotonic_ns;

/// Longest wait for the answer to QUIT.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a message could not be sent on this session.
pub(super) enum Failure {
    Io(io::Error),
    /// The reply that was not the one hoped for.
    Refused(String),
}

impl Failure {
    /// The failure in so few words that equal ones can be counted.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Io(e) => format!("io {:?}", e.kind()),
            Self::Refused(reply) => reply.lines().next().unwrap_or("").chars().take(64).collect(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// An open session.
pub(super) struct Client {
    stream: TcpStream,
    /// Octets received; those before `read` are done with.
    received: Vec<u8>,
    read: usize,
    may_pipeline: bool,
    bdat: bool,
}

impl Client {
    /// Connects and greets.
    pub(super) async fn open(target: &str, arguments: &Arguments) -> Result<Self, Failure> {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            received: Vec::with_capacity(4096),
            read: 0,
            may_pipeline: false,
            bdat: arguments.bdat,
        };
        client.expect("220").await?;
        client.stream.write_all(b"EHLO source.mailbench.test\r\n").await?;
        let keywords = client.expect("250").await?.to_ascii_uppercase();
        client.may_pipeline = !arguments.no_pipelining && keywords.contains("PIPELINING");
        Ok(client)
    }

    /// Sends one message: microseconds from the end of its data to the final reply.
    pub(super) async fn send(&mut self, message: &Message<'_>) -> Result<u64, Failure> {
        let mut out = Vec::with_capacity(256);
        let octets = message.octets();
        out.extend_from_slice(format!("MAIL FROM:<{}> SIZE={octets}\r\n", message.from).as_bytes());
        self.unless_pipelining(&mut out).await?;
        for recipient in &message.recipients {
            out.extend_from_slice(format!("RCPT TO:<{recipient}>\r\n").as_bytes());
            self.unless_pipelining(&mut out).await?;
        }
        if self.bdat {
            out.extend_from_slice(format!("BDAT {octets} LAST\r\n").as_bytes());
            message.write(&mut out);
        } else {
            out.extend_from_slice(b"DATA\r\n");
            self.stream.write_all(&out).await?;
            self.envelope_replies(message).await?;
            self.expect("354").await?;
            out.clear();
            message.write(&mut out);
            out.extend_from_slice(b".\r\n");
        }
        self.stream.write_all(&out).await?;
        let ended_ns = monotonic_ns();
        if self.bdat {
            self.envelope_replies(message).await?;
        }
        self.expect("250").await?;
        Ok((monotonic_ns() - ended_ns) / 1000)
    }

    /// Says goodbye and waits a moment for the answer.
    pub(super) async fn quit(mut self) {
        if self.stream.write_all(b"QUIT\r\n").await.is_ok() {
            let _ = tokio::time::timeout(GOODBYE, self.reply()).await;
        }
    }

    /// Without PIPELINING: sends what is in `out` and waits for its 250.
    async fn unless_pipelining(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        if !self.may_pipeline {
            self.stream.write_all(out).await?;
            out.clear();
            self.expect("250").await?;
        }
        Ok(())
    }

    /// With PIPELINING: the replies to MAIL and RCPT, all of them before judging.
    async fn envelope_replies(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        if !self.may_pipeline {
            return Ok(());
        }
        let mut refused = None;
        for _ in 0..=message.recipients.len() {
            let reply = self.reply().await?;
            if !reply.starts_with('2') && refused.is_none() {
                refused = Some(reply);
            }
        }
        match refused {
            None => Ok(()),
            Some(reply) => {
                // DATA or BDAT was refused with it.
                self.reply().await?;
                Err(Failure::Refused(reply))
            }
        }
    }

    async fn expect(&mut self, code: &str) -> Result<String, Failure> {
        let reply = self.reply().await?;
        if reply.starts_with(code) { Ok(reply) } else { Err(Failure::Refused(reply)) }
    }

    /// One reply, all its lines.
    async fn reply(&mut self) -> Result<String, Failure> {
        let mut from = self.read;
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.received[from..]) {
                let line = &self.received[from..from + end];
                let is_last = line.len() >= 3 && line.get(3) != Some(&b'-');
                from += end + 1;
                if is_last {
                    let reply = String::from_utf8_lossy(&self.received[self.read..from]);
                    let reply = reply.trim_end().to_owned();
                    self.read = from;
                    if self.read == self.received.len() {
                        self.received.clear();
                        self.read = 0;
                    }
                    return Ok(reply);
                }
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}
