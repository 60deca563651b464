//! What came back with a bounce: which message it is about.

use super::address::of_field;

/// The message that a bounce is about, as far as it came back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReturnedMail {
    /// Its `Message-ID`, angle brackets included.
    pub(super) message_id: Option<String>,
    /// Its only shown recipient; none if there are several.
    pub(super) to: Option<String>,
    /// Who sent it: addresses that are no recipients that failed.
    pub(super) senders: Vec<String>,
}

/// Lines of a returned message that are looked at. Chosen, not measured.
const LINES_MAX: usize = 500;

/// Octets of a `Message-ID`.
const MESSAGE_ID_OCTETS_MAX: usize = 998;

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
            let folded = lines.peek().filter(|next| next.starts_with([' ', '\t']));
            let value = match folded {
                Some(folded) => format!("{} {}", value.trim(), folded.trim()),
                None => value.trim().to_owned(),
            };
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
                let only = !value.contains(',');
                self.to = of_field(value).filter(|_| only && self.to.is_none());
            }
            "from" | "return-path" | "sender" | "reply-to" | "errors-to" => {
                self.senders.extend(of_field(value));
            }
            "received" | "subject" | "dkim-signature" | "mime-version" => {}
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
    fn a_quoted_header_is_one() {
        let mail = ReturnedMail::of("> Subject: hi\n> Message-ID: <1@b>\n> To: a@b.c, d@e.f\n");
        assert_eq!(mail.message_id.as_deref(), Some("<1@b>"));
        assert_eq!(mail.to, None);
    }
}
