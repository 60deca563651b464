//! What a relay tells of its attempts, as it makes them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::relay::{PATIENCE, Relay};

/// The events of a relay from now on.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
}

impl Events {
    /// Listens from now on.
    pub(crate) fn of(relay: &Relay) -> Self {
        let mut stream = TcpStream::connect(relay.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = relay.token();
        write!(
            stream,
            "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            assert_ne!(reader.read_line(&mut line).unwrap(), 0);
        }
        Self { reader }
    }

    /// Waits for the next event of this kind about this recipient, and gives it.
    pub(crate) fn next(&mut self, kind: &str, recipient: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.reader.read_line(&mut line).unwrap(), 0, "the relay has hung up");
            // The other lines are the lengths of chunks.
            if line.starts_with('{') {
                let event: Value = serde_json::from_str(&line).unwrap();
                if event["event"] == kind && event["recipient"] == recipient {
                    return event;
                }
            }
        }
    }
}
