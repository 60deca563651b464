//! What a message says to its reader: the text, the page, and where the links lead.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::format::words;
use crate::message::{Message, Part};

use super::page::{LINKS_MAX, Page};
use super::web_address::WebAddress;

/// What a message says, read once for all checks of its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// The subject, decoded.
    pub(crate) subject: String,
    /// The plain text that is shown; none if there is none.
    pub(crate) plain: Option<String>,
    /// The HTML that is shown; none if there is none.
    pub(crate) page: Option<Page>,
    /// Where the links of both lead, each place once.
    pub(crate) links: Vec<WebAddress>,
    /// There is more text than is read.
    pub(crate) is_cut: bool,
}

/// Octets of text that are read, of each sort. Chosen, not measured: Gmail shows 102 KB.
const OCTETS_MAX: usize = 2 << 20;

impl Content {
    /// Reads what is shown of a message.
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let mut content = Self {
            subject: message.text("Subject").map_or_else(String::new, |text| words::decoded(&text)),
            ..Self::default()
        };
        let structure = message.structure();
        let mut octets = 0;
        for part in structure.parts.iter().filter(|part| !part.is_attached()) {
            let is_plain = part.is("text", "plain");
            if !is_plain && !part.is("text", "html") {
                continue;
            }
            // What is encoded is at most as long decoded as before.
            let free = OCTETS_MAX.saturating_sub(octets);
            octets += part.body.len();
            if free == 0 {
                content.is_cut = true;
                continue;
            }
            let Some(text) = text_of(part) else { continue };
            let end = text.floor_char_boundary(free);
            content.is_cut |= end < text.len();
            let text = &text[..end];
            if is_plain {
                content.plain.get_or_insert_default().push_str(text);
            } else {
                content.page.get_or_insert_default().read(text);
            }
        }
        content.links = content.found_links();
        content
    }

    /// Everything that can be read of it: the page, or the text where there is none.
    pub(crate) fn text(&self) -> &str {
        match (&self.page, &self.plain) {
            (Some(page), _) => &page.text,
            (None, Some(plain)) => plain,
            (None, None) => "",
        }
    }

    /// The links as they are written, of the page and of the text.
    pub(crate) fn written_links(&self) -> impl Iterator<Item = &str> {
        let page = self.page.iter().flat_map(|page| &page.links).map(|link| &*link.to);
        page.chain(self.plain.iter().flat_map(|plain| links_in(plain)))
    }

    /// The hosts that links lead to, in order, each once.
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = Vec::new();
        for link in &self.links {
            if !hosts.contains(&&*link.host) && hosts.len() < HOSTS_MAX {
                hosts.push(&link.host);
            }
        }
        hosts
    }

    fn found_links(&self) -> Vec<WebAddress> {
        let mut links: Vec<WebAddress> = Vec::new();
        for link in self.written_links().take(LINKS_MAX).filter_map(WebAddress::parse) {
            if links.len() < HOSTS_MAX && !links.contains(&link) {
                links.push(link);
            }
        }
        links
    }
}

/// Places that links lead to, at most: real mail has a handful. Chosen, not measured.
const HOSTS_MAX: usize = 50;

/// The links that a plain text has, up to the blank or bracket behind each.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    let links = pieces.filter_map(|piece| {
        let at = piece.find("https://").or_else(|| piece.find("http://"))?;
        piece.get(at..).map(|link| link.trim_end_matches(['.', ',', ')', ']', ';', '!', '?']))
    });
    links.take(LINKS_MAX)
}

/// A part's text; none if it cannot be decoded at all.
fn text_of(part: &Part<'_>) -> Option<String> {
    let octets = part.decoded()?;
    let octets: Cow<'_, [u8]> = match octets {
        Cow::Borrowed(octets) => Cow::Borrowed(&octets[..octets.len().min(OCTETS_MAX)]),
        Cow::Owned(mut octets) => {
            octets.truncate(OCTETS_MAX);
            Cow::Owned(octets)
        }
    };
    let declared = part.content_type.as_ref().and_then(|content| content.parameter("charset"));
    let charset = declared.and_then(|name| Encoding::for_label(name.trim().as_bytes()));
    let charset = charset.unwrap_or_else(|| match std::str::from_utf8(&octets) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    });
    Some(charset.decode(&octets).0.into_owned())
}
