//! The way out of a list, for those who read mail: `List-Unsubscribe` (RFC 2369 §3.2), and by one
//! click (RFC 8058).
//!
//! Where it leads is written once, with names in braces for what is not the same in every
//! message. What stands for a name is percent-encoded (RFC 3986 §2.1), so nothing that a sender
//! or a recipient is called can begin a field of its own.

use std::fmt;

use postlane_mail::{Label, Mailbox, QueueId};

/// Where a way out leads, as an operator writes it: `https://example.com/u/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    written: Box<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Named(Named),
}

/// What a name in braces stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Id,
    Recipient,
    Tenant,
    Campaign,
}

const NAMES: [(&str, Named); 4] = [
    ("id", Named::Id),
    ("recipient", Named::Recipient),
    ("tenant", Named::Tenant),
    ("campaign", Named::Campaign),
];

/// Why a text leads nowhere. Whoever wrote it is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WayOutError {
    /// Another scheme, or none.
    #[error("it does not begin with https:// or mailto:")]
    Scheme,
    /// Something that no address on the Web or of mail has.
    #[error("it has a blank, a comma, a quote, an angle bracket or a character beyond ASCII")]
    Character,
    /// A name that stands for nothing.
    #[error("a name in braces is none of {{id}}, {{recipient}}, {{tenant}} and {{campaign}}")]
    Name,
    /// Over 500 octets. Chosen, not measured.
    #[error("it has more than {WRITTEN_OCTETS_MAX} octets")]
    TooLong,
}

/// Octets of what is written. Chosen, not measured.
const WRITTEN_OCTETS_MAX: usize = 500;

/// Octets of a line without its CRLF (RFC 5322 §2.1.1).
const LINE_OCTETS_MAX: usize = 998;

/// What names stand for in one message.
#[derive(Debug, Clone, Copy)]
pub struct ListMessage<'a> {
    /// The message.
    pub id: QueueId,
    /// Its recipient, if there is only one.
    pub recipient: Option<&'a Mailbox>,
    /// Whose it is.
    pub tenant: &'a Label,
    /// What it belongs to.
    pub campaign: &'a Label,
}

/// The ways out of one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsubscribe {
    /// Ways out, the best first.
    pub ways: Vec<WayOut>,
    /// Whether a POST to the first one on the Web is enough (RFC 8058).
    pub one_click: bool,
}

impl WayOut {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, WayOutError> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_known = match scheme.as_deref() {
            Some("https") => text.get(5..8) == Some("://"),
            Some("mailto") => text.contains('@') || text.contains("{recipient}"),
            _ => false,
        };
        if !is_known {
            return Err(WayOutError::Scheme);
        }
        if text.len() > WRITTEN_OCTETS_MAX {
            return Err(WayOutError::TooLong);
        }
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b',' | b'"');
        if !text.bytes().all(is_plain) {
            return Err(WayOutError::Character);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').ok_or(WayOutError::Name)?;
            let known = NAMES.iter().find(|(known, _)| *known == name);
            let (_, named) = known.ok_or(WayOutError::Name)?;
            pieces.push(Piece::Text(before.into()));
            pieces.push(Piece::Named(*named));
            rest = after;
        }
        if rest.contains('}') {
            return Err(WayOutError::Name);
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self { written: text.into(), pieces })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it is on the Web.
    pub fn is_web(&self) -> bool {
        self.written.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// With names filled in; none where a name stands for nothing in that message.
    fn of(&self, message: &ListMessage<'_>) -> Option<String> {
        let mut text = String::with_capacity(self.written.len() + 64);
        for piece in &self.pieces {
            match piece {
                Piece::Text(written) => text.push_str(written),
                Piece::Named(Named::Id) => encode(&message.id.to_string(), &mut text),
                Piece::Named(Named::Recipient) => encode(message.recipient?.as_str(), &mut text),
                Piece::Named(Named::Tenant) => encode(message.tenant.as_str(), &mut text),
                Piece::Named(Named::Campaign) => encode(message.campaign.as_str(), &mut text),
            }
        }
        Some(text)
    }
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// What is unreserved stays, all else becomes a percent sign and two digits (RFC 3986 §2.3).
fn encode(text: &str, to: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(b));
        } else {
            to.push('%');
            to.push(char::from(DIGITS[usize::from(b >> 4)]));
            to.push(char::from(DIGITS[usize::from(b & 15)]));
        }
    }
}

impl Unsubscribe {
    /// Writes the fields for a message. A way that has no name to be filled in for it, or that is
    /// longer than a line may be, is left out; nothing is written where none remains.
    pub fn write(&self, message: &ListMessage<'_>, out: &mut Vec<u8>) {
        let fits = |(_, text): &(bool, String)| text.len() + 21 <= LINE_OCTETS_MAX;
        let ways = self.ways.iter().filter_map(|way| Some((way.is_web(), way.of(message)?)));
        let ways: Vec<(bool, String)> = ways.filter(fits).collect();
        if ways.is_empty() {
            return;
        }
        out.extend_from_slice(b"List-Unsubscribe:");
        for (number, (_, way)) in ways.iter().enumerate() {
            let before: &[u8] = if number == 0 { b" <" } else { b",\r\n <" };
            out.extend_from_slice(before);
            out.extend_from_slice(way.as_bytes());
            out.push(b'>');
        }
        out.extend_from_slice(b"\r\n");
        if self.one_click && ways.iter().any(|(is_web, _)| *is_web) {
            out.extend_from_slice(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::header::Fields;

    fn written(ways: &[&str], recipient: Option<&str>) -> String {
        let ways = ways.iter().map(|way| WayOut::parse(way).unwrap()).collect();
        let recipient = recipient.map(|to| Mailbox::parse(to).unwrap());
        let (tenant, campaign) = (Label::parse("shop").unwrap(), Label::parse("may").unwrap());
        let message = ListMessage {
            id: QueueId::from_bits(1),
            recipient: recipient.as_ref(),
            tenant: &tenant,
            campaign: &campaign,
        };
        let mut out = Vec::new();
        Unsubscribe { ways, one_click: true }.write(&message, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn both_fields_are_written_with_names_filled_in() {
        let web = "https://shop.example/u/{campaign}?to={recipient}&id={id}";
        let id = QueueId::from_bits(1);
        assert_eq!(
            written(&[web, "mailto:out+{tenant}@shop.example"], Some("jo+x@example.net")),
            format!(
                "List-Unsubscribe: <https://shop.example/u/may?to=jo%2Bx%40example.net&id={id}>,\
                 \r\n <mailto:out+shop@shop.example>\r\n\
                 List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            )
        );
    }

    #[test]
    fn a_way_for_one_recipient_is_not_shown_to_several() {
        let ways = ["https://shop.example/{recipient}", "mailto:out@shop.example"];
        assert_eq!(written(&ways, None), "List-Unsubscribe: <mailto:out@shop.example>\r\n");
        assert_eq!(written(&ways[..1], None), "");
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        for (text, why) in [
            ("http://shop.example/", WayOutError::Scheme),
            ("https:shop.example", WayOutError::Scheme),
            ("https://shop.example/{name}", WayOutError::Name),
            ("https://shop.example/{id", WayOutError::Name),
            ("https://shop.example/id}", WayOutError::Name),
            ("https://shop.example/a b", WayOutError::Character),
            ("https://shop.example/\r\nX:y", WayOutError::Character),
            ("https://shop.example/>", WayOutError::Character),
        ] {
            assert_eq!(WayOut::parse(text), Err(why), "{text}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(500));
        assert_eq!(WayOut::parse(&long), Err(WayOutError::TooLong));
    }

    proptest! {
        #[test]
        fn no_text_and_no_recipient_begins_a_field_of_its_own(
            text in "https://[ -~\r\n\u{e4}{}]{0,40}",
            local in "[a-z!#$%&'*+/=?^_`{|}~.-]{1,60}",
        ) {
            if let (Ok(way), Ok(to)) = (WayOut::parse(&text), Mailbox::parse(&format!("{local}@example.net"))) {
                let message = ListMessage {
                    id: QueueId::from_bits(1),
                    recipient: Some(&to),
                    tenant: &Label::NONE,
                    campaign: &Label::NONE,
                };
                let mut out = Vec::new();
                Unsubscribe { ways: vec![way], one_click: true }.write(&message, &mut out);
                let mut fields = Fields::new(&out);
                prop_assert_eq!(fields.by_ref().count(), 2);
                prop_assert_eq!(fields.at(), out.len());
            }
        }
    }
}
