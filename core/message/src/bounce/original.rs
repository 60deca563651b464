//! What came back with a bounce: which message it is about.

use postlane_mail::QueueId;

use super::address::of_field;

/// The message that a bounce is about, as far as it came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReturnedMail {
    /// Its `Message-ID`, angle brackets included.
    pub(super) message_id: Option<String>,
    /// Its only shown recipient; none if there are several.
    pub(super) to: Option<String>,
    /// Which Postlanes it came through.
    pub(super) traces: Vec<Trace>,
    /// Who sent it: addresses that are no recipients that failed.
    pub(super) senders: Vec<String>,
}

/// That a message went through a Postlane: what its `Received` field says there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The host's name, as it called itself.
    pub host: String,
    /// The message's name there.
    pub id: QueueId,
}

/// Octets of a field's value that are looked at. Chosen, not measured.
const VALUE_OCTETS_MAX: usize = 4_096;

/// Traces that are kept. Chosen, not measured: few messages go through two of us.
const TRACES_MAX: usize = 8;

/// Lines of a returned message that are looked at. Chosen, not measured.
const LINES_MAX: usize = 500;

/// Octets of a `Message-ID`.
const MESSAGE_ID_OCTETS_MAX: usize = 998;

impl Trace {
    /// Reads `by relay.example (Postlane) … id 028t5cy4tqkff`.
    fn of(received: &str) -> Option<Self> {
        let mut words = received.split_ascii_whitespace();
        words.find(|word| *word == "by")?;
        let host = words.next()?.to_owned();
        if words.next()? != "(Postlane)" {
            return None;
        }
        words.find(|word| *word == "id")?;
        let id = QueueId::parse(words.next()?.trim_end_matches(';')).ok()?;
        Some(Self { host, id })
    }
}

impl ReturnedMail {
    /// Reads a header section as it stands in a text: quoted, indented, and perhaps not the first
    /// thing there.
    pub(super) fn of(text: &str) -> Self {
        let mut mail = Self::default();
        let mut begun = false;
        let mut lines = text.lines().take(LINES_MAX).map(unquoted).peekable();
        while let Some(line) = lines.next() {
            let Some((name, value)) = line.split_once(':') else {
                // The header has ended where it had begun.
                if begun && line.trim().is_empty() {
                    break;
                }
                continue;
            };
            if name.is_empty() || name.contains([' ', '<']) {
                continue;
            }
            let mut value = value.trim().to_owned();
            while let Some(folded) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
                if value.len() < VALUE_OCTETS_MAX {
                    value.push(' ');
                    value.push_str(folded.trim());
                }
            }
            begun |= mail.see(name, &value);
        }
        mail
    }

    /// Whether it is a field that a message begins with.
    fn see(&mut self, name: &str, value: &str) -> bool {
        match name.trim().to_ascii_lowercase().as_str() {
            "message-id" => {
                if self.message_id.is_none() {
                    self.message_id = message_id(value);
                }
            }
            "to" => {
                let to = of_field(value).filter(|_| !value.contains(','));
                // Two fields with different recipients are several.
                let known = self.to.take();
                self.to = to.filter(|to| known.as_ref().is_none_or(|known| known == to));
            }
            "from" | "return-path" | "sender" | "reply-to" | "errors-to" => {
                self.senders.extend(of_field(value));
            }
            "received" => {
                if self.traces.len() < TRACES_MAX {
                    self.traces.extend(Trace::of(value));
                }
            }
            "subject" | "dkim-signature" | "mime-version" => {}
            _ => return false,
        }
        true
    }
}

/// A line without the marks of a quotation.
fn unquoted(line: &str) -> &str {
    let mut rest = line;
    while let Some(behind) = rest.strip_prefix('>') {
        rest = behind.strip_prefix(' ').unwrap_or(behind);
    }
    rest
}

fn message_id(value: &str) -> Option<String> {
    let (start, end) = (value.find('<')?, value.find('>')?);
    let id = value.get(start..=end)?;
    (id.len() > 2 && id.len() <= MESSAGE_ID_OCTETS_MAX).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_known_from_what_came_back_of_it() {
        let mail = ReturnedMail::of(
            "Return-Path: <a@b.example>\nMessage-Id:\n <1@b.example>\nTo: Jo <jo@c.example>\n\n\
             Message-ID: <2@x>\n",
        );
        assert_eq!(mail.message_id.as_deref(), Some("<1@b.example>"));
        assert_eq!(mail.to.as_deref(), Some("jo@c.example"));
        assert_eq!(mail.senders, ["a@b.example"]);
    }

    #[test]
    fn a_message_of_ours_is_known_by_its_trace() {
        let mail = ReturnedMail::of(
            "Received: from mx.b.example by other.example with SMTP id 028t5cy4tqkfz\n\
             Received: from app (unknown [192.0.2.1])\n\tby relay.example (Postlane)\n\t\
             with ESMTP id 028t5cy4tqkff;\n\tSat, 21 Nov 2026 05:39:05 +0000\nSubject: x\n",
        );
        let id = QueueId::parse("028t5cy4tqkff").unwrap();
        assert_eq!(mail.traces, [Trace { host: "relay.example".to_owned(), id }]);
    }

    #[test]
    fn a_quoted_header_is_one() {
        let mail = ReturnedMail::of("> Subject: hi\n> Message-ID: <1@b>\n> To: a@b.c, d@e.f\n");
        assert_eq!(mail.message_id.as_deref(), Some("<1@b>"));
        assert_eq!(mail.to, None);
    }
}
