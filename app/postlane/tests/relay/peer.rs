//! A host that takes mail, or does not, and remembers who was tried.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::relay::PATIENCE;

/// A host. A recipient `later-…` is deferred each time, `gone-…` refused, `fickle-…` refused and
/// taken by turns. Its threads end with the tests.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    memory: Arc<Memory>,
}

struct Memory {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What it has seen, and how it greets.
#[derive(Default)]
pub(crate) struct Seen {
    greeting: String,
    /// How often each recipient was tried.
    pub(crate) tries: BTreeMap<String, u32>,
    /// Messages taken: the reverse-path, and everything up to the final dot.
    pub(crate) taken: Vec<(String, String)>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Memory { seen: Mutex::default(), changed: Condvar::new() });
        let peer = Self { address, memory: memory.clone() };
        peer.greet("220 sink.example");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let memory = memory.clone();
                // A relay that is killed does not say goodbye.
                thread::spawn(move || stream.and_then(|stream| session(stream, &memory)).ok());
            }
        });
        peer
    }

    /// How sessions are greeted from now on; all but 220 turns them away.
    pub(crate) fn greet(&self, greeting: &str) {
        self.memory.seen.lock().unwrap().greeting = greeting.to_owned();
    }

    /// `PATTERN=HOST:PORT` for everything.
    pub(crate) fn route(&self) -> String {
        format!("*={}", self.address)
    }

    /// The same, where it stands for all receivers: each provider has a lane of its own.
    pub(crate) fn route_to_providers(&self) -> String {
        format!("*={},lane=provider", self.address)
    }

    /// Waits until it has seen enough, and gives what is asked for.
    pub(crate) fn wait<T>(&self, mut enough: impl FnMut(&Seen) -> Option<T>) -> T {
        let mut seen = self.memory.seen.lock().unwrap();
        loop {
            if let Some(value) = enough(&seen) {
                return value;
            }
            let (next, waited) = self.memory.changed.wait_timeout(seen, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "waited in vain: {:?}", next.tries);
            seen = next;
        }
    }
}

fn session(stream: TcpStream, memory: &Memory) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    // Replies to commands that came together go one by one.
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let greeting = memory.seen.lock().unwrap().greeting.clone();
    write!(reader.get_mut(), "{greeting}\r\n")?;
    if !greeting.starts_with("220") {
        return Ok(());
    }
    let (mut envelope, mut message) = (Envelope::default(), String::new());
    let mut in_data = false;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if in_data && line != ".\r\n" {
            message.push_str(&line);
            continue;
        }
        let reply = if std::mem::take(&mut in_data) {
            let taken = (std::mem::take(&mut envelope).from, std::mem::take(&mut message));
            memory.seen.lock().unwrap().taken.push(taken);
            "250 2.0.0 taken".to_owned()
        } else {
            let reply = answer(&line, &mut envelope, memory);
            in_data = reply.starts_with("354");
            reply
        };
        memory.changed.notify_all();
        write!(reader.get_mut(), "{reply}\r\n")?;
    }
}

/// What was said of the message that is not there yet.
#[derive(Default)]
struct Envelope {
    from: String,
    /// Recipients that were taken.
    recipients: u32,
}

fn answer(line: &str, envelope: &mut Envelope, memory: &Memory) -> String {
    let path = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    let word = line.split([' ', '\r']).next().unwrap_or_default();
    match word {
        "EHLO" => "250-sink.example\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING"
            .to_owned(),
        "MAIL" => {
            *envelope = Envelope { from: path(), recipients: 0 };
            "250 2.1.0 ok".to_owned()
        }
        "RCPT" => {
            let to = path();
            let mut seen = memory.seen.lock().unwrap();
            let tries = seen.tries.entry(to.clone()).or_default();
            *tries += 1;
            match to.split('-').next() {
                Some("later") => {
                    "451-4.7.1 We do not know you yet.\r\n451 4.7.1 Try again later.".to_owned()
                }
                Some("gone") => "550 5.1.1 nobody of that name".to_owned(),
                Some("fickle") if *tries % 2 == 1 => "550 5.1.1 User unknown".to_owned(),
                _ => {
                    envelope.recipients += 1;
                    "250 2.1.5 ok".to_owned()
                }
            }
        }
        "DATA" if envelope.recipients == 0 => "554 5.5.1 no valid recipients".to_owned(),
        "DATA" => "354 go on".to_owned(),
        "QUIT" => "221 2.0.0 bye".to_owned(),
        _ => "250 2.0.0 ok".to_owned(),
    }
}
