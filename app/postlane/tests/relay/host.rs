//! A host that takes mail and keeps books of it: who got what, how often, and when.
//!
//! A recipient `gone-…` is refused for good, a recipient `later-…` once for now; amid a
//! message to `cut-…` the host hangs up.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use crate::relay::PATIENCE;

/// A host. Its threads end with the tests.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    books: Arc<Books>,
}

struct Books {
    pages: Mutex<Pages>,
    changed: Condvar,
}

/// What is in the books.
#[derive(Default)]
pub(crate) struct Pages {
    /// Whoever got something, and when, once for each time.
    pub(crate) deliveries: BTreeMap<String, Vec<Instant>>,
    /// What each session took last, since this was last emptied: the relay may not have heard
    /// that it was taken.
    pub(crate) last: BTreeMap<u64, Vec<String>>,
    /// Whom a client was told 250 for, and who is to hear of it in the end.
    pub(crate) promised: BTreeSet<String>,
    /// Messages taken by us, and 250s told to clients.
    pub(crate) events: u64,
    /// Sessions that have not ended.
    pub(crate) sessions: u64,
    /// What came in another shape than it was sent in.
    pub(crate) damaged: Vec<String>,
    sessions_ever: u64,
    put_off: BTreeSet<String>,
}

impl Host {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Books { pages: Mutex::default(), changed: Condvar::new() });
        let kept = books.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let books = kept.clone();
                let number = books.write(|pages| {
                    pages.sessions += 1;
                    pages.sessions_ever += 1;
                    pages.sessions_ever
                });
                thread::spawn(move || {
                    // A relay that is killed does not say goodbye; one that lives is not silent.
                    let ended = stream.and_then(|stream| session(stream, number, &books));
                    let silent = ended.err().filter(|e| e.kind() == io::ErrorKind::WouldBlock);
                    books.write(|pages| {
                        pages.sessions -= 1;
                        let says = |silent| format!("session {number} fell silent: {silent}");
                        pages.damaged.extend(silent.map(says));
                    });
                });
            }
        });
        Self { address, books }
    }

    /// Changes the books.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Pages) -> T) -> T {
        self.books.write(change)
    }

    /// Waits until the books agree; gives up when nothing has happened for a long time.
    pub(crate) fn wait(&self, what: &str, mut agree: impl FnMut(&Pages) -> bool) {
        let mut pages = self.books.open();
        while !agree(&pages) {
            let before = (pages.events, pages.sessions);
            let (after, waited) = self.books.changed.wait_timeout(pages, PATIENCE).unwrap();
            pages = after;
            let idle = waited.timed_out() && before == (pages.events, pages.sessions);
            assert!(!idle || agree(&pages), "waited for {what} in vain: {}", pages.lacks());
        }
    }
}

impl Books {
    fn open(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Pages) -> T) -> T {
        let result = change(&mut self.open());
        self.changed.notify_all();
        result
    }
}

impl Pages {
    /// Whoever was promised something and has not got it.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &String> {
        self.promised.iter().filter(|recipient| !self.deliveries.contains_key(*recipient))
    }

    fn lacks(&self) -> String {
        let missing: Vec<&String> = self.missing().collect();
        let some = missing.iter().take(10).collect::<Vec<_>>();
        format!("{} sessions, {} got nothing: {some:?}", self.sessions, missing.len())
    }

    fn taken(&mut self, session: u64, recipients: Vec<String>, message: &str) {
        let now = Instant::now();
        for recipient in &recipients {
            if !is_whole(recipient, message) {
                self.damaged.push(format!("{recipient} got {message}"));
            }
            self.deliveries.entry(recipient.clone()).or_default().push(now);
        }
        self.last.insert(session, recipients);
        self.events += 1;
    }
}

/// Whether a message is the one for this recipient, from its first line to its last. A report
/// goes to the sender `app-N` and names the recipient who was refused.
fn is_whole(recipient: &str, message: &str) -> bool {
    let number = recipient.split(['-', '@']).nth(1).unwrap_or_default();
    if recipient.starts_with("app-") {
        return message.contains(&format!("Final-Recipient: rfc822; gone-{number}-"));
    }
    message.contains(&format!("Message-ID: <{number}@"))
        && message.ends_with(&format!("\r\nthe end of {number}\r\n"))
}

fn session(stream: TcpStream, number: u64, books: &Books) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    reader.get_mut().write_all(b"220 host.example ESMTP\r\n")?;
    let mut recipients = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let reply = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-host.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n",
            "MAIL" | "RSET" => {
                recipients.clear();
                "250 2.0.0 Ok\r\n"
            }
            "RCPT" => {
                let recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                if recipient.starts_with("gone-") {
                    "550 5.1.1 Nobody of that name\r\n"
                } else if is_put_off(&recipient, books) {
                    "451 4.2.1 Come back later\r\n"
                } else {
                    recipients.push(recipient);
                    "250 2.1.5 Ok\r\n"
                }
            }
            "DATA" if recipients.is_empty() => "554 5.5.1 Nobody to get it\r\n",
            "DATA" => {
                reader.get_mut().write_all(b"354 Go on\r\n")?;
                if recipients.iter().any(|recipient| recipient.starts_with("cut-")) {
                    return Ok(());
                }
                let message = message(&mut reader)?;
                let taken = std::mem::take(&mut recipients);
                books.write(|pages| pages.taken(number, taken, &message));
                "250 2.0.0 Ok\r\n"
            }
            "QUIT" => return reader.get_mut().write_all(b"221 2.0.0 Bye\r\n"),
            _ => "502 5.5.1 What?\r\n",
        };
        reader.get_mut().write_all(reply.as_bytes())?;
    }
}

fn is_put_off(recipient: &str, books: &Books) -> bool {
    let comes_later = recipient.starts_with("later-");
    comes_later && books.write(|pages| pages.put_off.insert(recipient.to_owned()))
}

fn message(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut message = String::new();
    loop {
        let from = message.len();
        if reader.read_line(&mut message)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if &message[from..] == ".\r\n" {
            message.truncate(from);
            return Ok(message);
        }
    }
}
