//! Which program wrote a log.

use std::fmt;

/// A program's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Postfix's, through syslog, `maillog_file` or the journal.
    Postfix,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Postfix];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postfix => "postfix",
        }
    }

    /// The format of a log by its first lines; `None` if they are of none that is known.
    pub fn detect(beginning: &[u8]) -> Option<Self> {
        beginning.split(|octet| *octet == b'\n').find_map(Self::of_line)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let program = crate::syslog::Line::read(line)?.program;
        let service = memchr::memrchr(b'/', program).and_then(|at| program.get(at + 1..))?;
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
        SERVICES.contains(&service).then_some(Self::Postfix)
    }
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
        let postfix = b"garbage\nNov 21 06:30:01 mx postfix-in/smtp[1]: connect to\n";
        assert_eq!(Format::detect(postfix), Some(Format::Postfix));
        assert_eq!(Format::detect(b"Nov 21 06:30:01 mx sshd[1]: hello\n"), None);
    }
}
