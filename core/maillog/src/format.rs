//! Which program wrote a log.

use std::fmt;

use crate::{exim, haraka, kumomta, own, pmta};

/// A program's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Postfix's, through syslog, `maillog_file` or the journal.
    Postfix,
    /// Exim's main log.
    Exim,
    /// Haraka's, in its default format.
    Haraka,
    /// KumoMTA's, JSON lines; by its documentation alone.
    KumoMta,
    /// PowerMTA's accounting files; by their documentation alone.
    Pmta,
    /// Our own, `key=value`.
    Postlane,
    /// Events of our own as JSON lines.
    JsonLines,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Postfix,
        Self::Exim,
        Self::Haraka,
        Self::KumoMta,
        Self::Pmta,
        Self::Postlane,
        Self::JsonLines,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postfix => "postfix",
            Self::Exim => "exim",
            Self::Haraka => "haraka",
            Self::KumoMta => "kumomta",
            Self::Pmta => "pmta",
            Self::Postlane => "postlane",
            Self::JsonLines => "jsonl",
        }
    }

    /// The format of a log by its first lines; `None` if they are of none that is known.
    pub fn detect(beginning: &[u8]) -> Option<Self> {
        beginning.split(|octet| *octet == b'\n').find_map(Self::of_line)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let first = |(is_line, format): (bool, Self)| is_line.then_some(format);
        first((is_postfix(line), Self::Postfix))
            .or_else(|| first((own::is_line(line), Self::Postlane)))
            .or_else(|| first((exim::is_line(line), Self::Exim)))
            .or_else(|| first((haraka::is_line(line), Self::Haraka)))
            .or_else(|| first((kumomta::is_line(line), Self::KumoMta)))
            .or_else(|| first((pmta::is_line(line), Self::Pmta)))
            .or_else(|| first((is_event(line), Self::JsonLines)))
    }
}

fn is_postfix(line: &[u8]) -> bool {
    const SERVICES: [&[u8]; 17] = [
        b"smtp",
        b"qmgr",
        b"smtpd",
        b"cleanup",
        b"pickup",
        b"error",
        b"retry",
        b"bounce",
        b"local",
        b"lmtp",
        b"anvil",
        b"master",
        b"scache",
        b"postfix-script",
        b"virtual",
        b"pipe",
        b"postscreen",
    ];
    let Some(line) = crate::syslog::Line::read(line) else { return false };
    let service = memchr::memrchr(b'/', line.program).and_then(|at| line.program.get(at + 1..));
    service.is_some_and(|service| SERVICES.contains(&service))
}

fn is_event(line: &[u8]) -> bool {
    line.first() == Some(&b'{') && memchr::memmem::find(line, b"\"event\"").is_some()
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_known_by_its_lines() {
        for (format, line) in [
            (Format::Postfix, "garbage\nNov 21 06:30:01 mx postfix-in/smtp[1]: connect to\n"),
            (
                Format::Exim,
                "2026-11-21 18:03:28 Start queue run: pid=1\n2026-11-21 18:03:28 1xUpQu-0006TX-0b <= a@b.example\n",
            ),
            (Format::Haraka, "2026-11-21T18:04:25.489Z [NOTICE] [A.1] [core] hello\n"),
            (Format::KumoMta, "{\"type\":\"Delivery\",\"egress_source\":\"a\"}\n"),
            (Format::Pmta, "type,timeLogged,timeQueued\n"),
            (Format::Postlane, "ts=2026-11-21T08:44:12.662Z event=accepted id=1\n"),
            (Format::JsonLines, "{\"event\":\"delivered\"}\n"),
        ] {
            assert_eq!(Format::detect(line.as_bytes()), Some(format), "{line}");
        }
        assert_eq!(Format::detect(b"Nov 21 06:30:01 mx sshd[1]: hello\n{}\n"), None);
    }
}
