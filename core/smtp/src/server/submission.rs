//! A message that a client has handed over and that is not ours yet.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Code, Envelope, QueueId, Status};

use super::standing::Standing;
use super::tls::TlsFacts;
use super::transcript::Transcript;

/// A message, complete, with everything about how it came.
#[derive(Debug)]
pub struct Submission {
    /// Who it is from and for, and how it wants to travel. The body type is what the octets
    /// are, whatever was declared; SMTPUTF8 is what was declared, and the header section has
    /// not been looked at. The tenant is the user's, else the listener's; stream and campaign
    /// are as the defaults have them.
    pub envelope: Envelope,
    /// The message as it came, dots taken away.
    pub message: Vec<u8>,
    /// The name the client gave itself.
    pub helo: Arc<str>,
    /// How it came, as a Received field has it: `ESMTP`, `ESMTPS`, `ESMTPSA`… (RFC 3848,
    /// RFC 6531 §4.3).
    pub protocol: &'static str,
    /// The client's address.
    pub ip: IpAddr,
    /// The TLS it came by.
    pub tls: Option<TlsFacts>,
    /// What the client has shown of itself.
    pub standing: Standing,
    /// What was said up to the end of the message, where that is written down.
    pub transcript: Option<Transcript>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable and ours: 250 may be said.
    Accepted(QueueId),
    /// It is durable and was taken for this, and will never be sent on: 250 may be said.
    Kept(Box<str>),
    /// It is not ours.
    Refused(Refusal),
}

/// What a client is told whose mail is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 4yz or 5yz.
    pub code: Code,
    /// The enhanced status, of the same class.
    pub status: Status,
    /// One line, with the cure at its end.
    pub text: Box<str>,
}

/// Octets of a refusal's text, at most: RFC 5321 §4.5.3.1.5 has 512 for a line of a reply.
const TEXT_OCTETS_MAX: usize = 480;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(id) => write!(f, "250 2.0.0 Ok: queued as {id}"),
            Self::Kept(what) => {
                f.write_str("250 2.0.0 Ok: ")?;
                one_line(what, f)
            }
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl fmt::Display for Refusal {
    /// The line of the reply. Whatever the text holds, it is one line of ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.code, self.status)?;
        one_line(&self.text, f)
    }
}

fn one_line(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    text.chars().take(TEXT_OCTETS_MAX).try_for_each(|c| write!(f, "{}", printable(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_whatever_it_says() {
        let text = format!("no\r\n250 yes\u{e4}{}", "x".repeat(1000));
        let code = Code::new(554).unwrap();
        let refusal = Refusal { code, status: Status::new(5, 6, 0), text: text.into() };
        let line = Verdict::Refused(refusal).to_string();
        assert!(line.starts_with("554 5.6.0 no??250 yes?xxx"), "{line}");
        assert_eq!(line.len(), 490);
        let kept = Verdict::Kept("a\r\nb".into()).to_string();
        assert_eq!(kept, "250 2.0.0 Ok: a??b");
    }
}
