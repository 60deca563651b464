//! The messages of a source: numbered, marked for the sink, of one size.

use super::arguments::Arguments;
use crate::mark::Mark;

/// One message and its envelope.
pub(super) struct Message<'a> {
    pub(super) from: &'a str,
    pub(super) recipients: Vec<String>,
    header: String,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Message number `seq`, with as much of `filler` as makes up its size.
    pub(super) fn new(arguments: &'a Arguments, filler: &'a [u8], seq: u64, begun_ns: u64) -> Self {
        let domain = format!("d{}.{}", seq % arguments.domains.max(1), arguments.suffix);
        let recipients: Vec<String> =
            (0..arguments.rcpts.max(1)).map(|i| format!("u{seq}-{i}@{domain}")).collect();
        let (from, run) = (arguments.from.as_str(), arguments.run.as_str());
        let header = format!(
            "From: <{from}>\r\nTo: <{}>\r\nSubject: mailbench {seq}\r\n\
             Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\
             Message-ID: <{run}.{seq}@source.mailbench.test>\r\n{}\r\n",
            recipients[0],
            Mark { run, seq, begun_ns }.line(),
        );
        let body = arguments.size.saturating_sub(header.len()).max(2).min(filler.len());
        Self { from, recipients, header, body: &filler[filler.len() - body..] }
    }

    /// Octets of header and body.
    pub(super) fn octets(&self) -> usize {
        self.header.len() + self.body.len()
    }

    /// Appends header and body; no line of them begins with a dot.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.header.as_bytes());
        out.extend_from_slice(self.body);
    }
}

/// At least `octets` of lines of 76 letters; none begins with a dot, each ends with CRLF.
pub(super) fn filler(octets: usize) -> Vec<u8> {
    let mut lines = Vec::with_capacity(octets + 80);
    let mut x: u32 = 12345;
    while lines.len() < octets {
        for _ in 0..76 {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            lines.push(b'A' + ((x >> 24) % 26) as u8);
        }
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        source: Arguments,
    }

    #[test]
    fn a_message_has_the_size_asked_for_and_ends_a_line() {
        let arguments = Cli::parse_from(["x", "--size", "4096", "--rcpts", "2"]).source;
        let filler = filler(arguments.size);
        let message = Message::new(&arguments, &filler, 7, 9);
        let mut out = Vec::new();
        message.write(&mut out);
        assert_eq!((out.len(), message.octets()), (4096, 4096));
        assert!(out.ends_with(b"\r\n"));
        assert_eq!(message.recipients, ["u7-0@d0.bench.test", "u7-1@d0.bench.test"]);
        assert_eq!(Mark::find(&out), Some(Mark { run: "r", seq: 7, begun_ns: 9 }));
    }
}
