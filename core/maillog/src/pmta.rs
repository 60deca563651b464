//! PowerMTA's accounting files: CSV with a header, by their documented columns. Not yet held
//! against a file that PowerMTA wrote.

use crate::attempt::Outcome;
use crate::record::{Record, Recorded};
use crate::stamp::Clock;

/// Columns of a file, by the place they have in its header. Without a header, those of the
/// documentation's default hold.
#[derive(Debug, Clone)]
pub(crate) struct Pmta {
    columns: [Option<usize>; NAMES.len()],
}

/// The columns that are looked at.
const NAMES: [&str; 8] =
    ["type", "timeLogged", "timeQueued", "rcpt", "dsnDiag", "dsnMta", "dlvSourceIp", "vmta"];
/// Columns of a line that are looked at; there are some thirty.
const COLUMNS_MAX: usize = 100;

impl Pmta {
    pub(crate) fn new() -> Self {
        let default = "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,\
                       bounceCat,srcType,srcMta,dlvType,dlvSourceIp,dlvDestinationIp,\
                       dlvEsmtpAvailable,dlvSize,vmta,jobId,envId";
        Self { columns: columns(&fields(default)) }
    }

    /// What a line tells.
    pub(crate) fn read(&mut self, clock: &mut Clock, line: &[u8]) -> Recorded {
        let text = String::from_utf8_lossy(line);
        let fields = fields(&text);
        if fields.first().is_some_and(|first| first == "type") {
            self.columns = columns(&fields);
            return Recorded::Nothing;
        }
        let [kind, logged, queued, rcpt, diag, mta, ip, vmta] = self
            .columns
            .map(|column| column.and_then(|at| fields.get(at)).map_or("", String::as_str));
        let outcome = match kind {
            "d" => Outcome::Accepted,
            "t" => Outcome::Deferred,
            "b" => Outcome::Bounced,
            "r" | "rb" | "rs" | "tq" | "f" => return Recorded::Nothing,
            _ => return Recorded::Bad,
        };
        let mut moment = |text: &str| clock.read(format!("{text} ").as_bytes()).map(|(at, _)| at);
        let Some(at) = moment(logged) else { return Recorded::Bad };
        let diag = diag.strip_prefix("smtp;").unwrap_or(diag).trim_start();
        let expired = outcome == Outcome::Bounced && diag.contains("expired");
        let mut record = Record::new(at, if expired { Outcome::Expired } else { outcome });
        record.arrived = moment(queued);
        // Accounting files name no queue id: a message is known by recipient and arrival.
        record.id = queued.to_owned();
        record.recipient = rcpt.to_owned();
        record.host = mta.split([' ', '(']).next().unwrap_or_default().to_owned();
        record.instance = if vmta.is_empty() { ip } else { vmta }.to_owned();
        record.said = diag.to_owned();
        Recorded::Try(Box::new(record))
    }
}

/// Whether a line is the header of an accounting file.
pub(crate) fn is_line(line: &[u8]) -> bool {
    line.starts_with(b"type,timeLogged")
}

fn columns(header: &[String]) -> [Option<usize>; NAMES.len()] {
    NAMES.map(|name| header.iter().position(|column| column.trim() == name))
}

/// The fields of a line of CSV (RFC 4180 §2), quotes taken off.
fn fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted && fields.len() < COLUMNS_MAX => {
                fields.push(std::mem::take(&mut field));
            }
            plain => field.push(plain),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] =
        b"type,timeLogged,timeQueued,orig,rcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,vmta";

    #[test]
    fn a_line_is_read_by_its_files_header() {
        let (mut pmta, mut clock) = (Pmta::new(), Clock::new(2026));
        assert_eq!(pmta.read(&mut clock, HEADER), Recorded::Nothing);
        let line = b"t,2026-11-21 18:03:28+0100,2026-11-21 18:00:00+0100,a@b.example,jo@web.de,delayed,4.7.0,\"smtp;421 too many, \"\"slow\"\" down\",mx-ha03.web.de (192.0.2.11),vm1";
        let Recorded::Try(one) = pmta.read(&mut clock, line) else { panic!("it is a try") };
        assert_eq!((one.outcome, &*one.recipient), (Outcome::Deferred, "jo@web.de"));
        assert_eq!(&*one.said, "421 too many, \"slow\" down");
        assert_eq!((&*one.host, &*one.instance), ("mx-ha03.web.de", "vm1"));
        assert_eq!(one.at.since(one.arrived.unwrap()).as_s(), 208);
    }

    #[test]
    fn rubbish_is_bad() {
        for line in ["", "x,y", "d,yesterday,,,jo@web.de", "\"\"\"", "d"] {
            assert_eq!(Pmta::new().read(&mut Clock::new(2026), line.as_bytes()), Recorded::Bad);
        }
    }
}
