//! A mail exchanger asked about a mailbox: MAIL from nobody, RCPT, and no message.

use std::time::Duration;

use postlane_checks::{Mailbox, Taken};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time;

use super::Enquiry;
use super::greeting::{encrypted, reply};
use rustls_pki_types::ServerName;

/// How long all of it may take. Chosen, not measured: some hosts wait ten seconds before they
/// greet, and again before they say no.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session with an exchanger, in the clear or not.
trait Line: AsyncBufRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line for BufReader<S> {}

impl Enquiry {
    /// Asks an exchanger about a mailbox. That it says nothing is an answer, too.
    pub(super) async fn try_mailbox(&self, mailbox: &Mailbox) -> Taken {
        let open = |why: &dyn std::fmt::Display| Taken::Open(why.to_string().into());
        let host = &mailbox.exchanger;
        let addresses = match self.mapped.host(&self.resolver, host, 25).await {
            Ok(addresses) => addresses,
            Err(why) => return open(&why),
        };
        let mut last = Taken::Open("no address".into());
        for address in addresses {
            let talked = time::timeout(PATIENCE, async {
                let stream = TcpStream::connect(address).await?;
                self.ask(mailbox, stream).await
            });
            match talked.await {
                Ok(Ok(taken)) => return taken,
                Ok(Err(error)) => last = open(&format!("{address}: {error}")),
                Err(_) => last = open(&format!("{address}: it takes too long")),
            }
        }
        last
    }

    async fn ask(&self, mailbox: &Mailbox, stream: TcpStream) -> std::io::Result<Taken> {
        let mut line: Box<dyn Line> = Box::new(BufReader::new(stream));
        let (code, text) = reply(&mut line).await?;
        if code != 220 {
            return Ok(Taken::Open(format!("it greets with {code} {text}").into()));
        }
        let ehlo = format!("EHLO {}\r\n", self.helo);
        let (code, text) = say(&mut line, &ehlo).await?;
        if code != 250 {
            return Ok(Taken::Open(format!("it answers EHLO with {code}").into()));
        }
        let offers = text.split('\n').any(|word| word.trim().eq_ignore_ascii_case("STARTTLS"));
        if offers && say(&mut line, "STARTTLS\r\n").await?.0 == 220 {
            let name = ServerName::try_from(mailbox.exchanger.to_string())
                .map_err(std::io::Error::other)?;
            line = Box::new(BufReader::new(encrypted(name, line).await?));
            say(&mut line, &ehlo).await?;
        }
        let (code, text) = say(&mut line, "MAIL FROM:<>\r\n").await?;
        if code != 250 {
            return Ok(Taken::Open(format!("it answers MAIL FROM:<> with {code} {text}").into()));
        }
        let (code, text) = say(&mut line, &format!("RCPT TO:<{}>\r\n", mailbox.address)).await?;
        let says = format!("{code} {}", text.replace('\n', " ")).into();
        // It need not let us say goodbye.
        let _ = line.write_all(b"RSET\r\nQUIT\r\n").await;
        Ok(match code {
            250..=259 => Taken::Yes(says),
            500..=599 => Taken::No(says),
            _ => Taken::Open(says),
        })
    }
}

async fn say(line: &mut Box<dyn Line>, command: &str) -> std::io::Result<(u16, String)> {
    line.write_all(command.as_bytes()).await?;
    line.flush().await?;
    reply(line).await
}
