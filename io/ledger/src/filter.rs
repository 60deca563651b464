//! Which entries are meant.

use std::net::IpAddr;

use compact_str::CompactString;
use postlane_mail::{Code, Instant, QueueId, Stream};

use crate::entry::Entry;
use crate::kind::{Kind, Try};
use crate::words::Words;

/// Which entries are meant: all that fit every field. An empty list asks for nothing in particular,
/// a list of several asks for any of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before this moment.
    pub from: Option<Instant>,
    /// Before this moment.
    pub to: Option<Instant>,
    /// What happened.
    pub kinds: Vec<Kind>,
    /// First attempts or later ones; entries without an attempt are neither.
    pub tries: Option<Try>,
    /// Provider ids.
    pub providers: Vec<CompactString>,
    /// Reply codes or classes of them.
    pub codes: Vec<Codes>,
    /// Labels of the reply rules.
    pub labels: Vec<CompactString>,
    /// Names of sources.
    pub sources: Vec<CompactString>,
    /// Addresses of sources.
    pub source_ips: Vec<IpAddr>,
    /// Streams.
    pub streams: Vec<Stream>,
    /// Tenants. A token that may see some tenants only is kept to them here.
    pub tenants: Vec<CompactString>,
    /// Campaigns.
    pub campaigns: Vec<CompactString>,
    /// Recipients' domains, as A-labels in lower case.
    pub domains: Vec<CompactString>,
    /// Recipients' addresses, exactly as they were given by the client.
    pub recipients: Vec<CompactString>,
    /// Queue ids.
    pub ids: Vec<QueueId>,
    /// `Message-ID` fields, with their angle brackets.
    pub message_ids: Vec<CompactString>,
    /// MX hosts' names, in lower case.
    pub mx_hosts: Vec<CompactString>,
    /// Words somewhere in the reply, the addresses, the Message-ID, the MX host, the rule or the
    /// particulars; ASCII letters in any case.
    pub text: Option<CompactString>,
}

/// One code, or all of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codes {
    /// Exactly this one.
    Exactly(Code),
    /// All that begin with this digit, 2 to 5.
    Class(u8),
}

impl Codes {
    /// Reads `421`, or `4xx`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [class @ b'2'..=b'5', b'x' | b'X', b'x' | b'X'] => Some(Self::Class(class - b'0')),
            &[a, b, c] => Code::parse([a, b, c]).map(Self::Exactly),
            _ => None,
        }
    }

    /// Whether `code` is meant.
    pub const fn has(self, code: Code) -> bool {
        match self {
            Self::Exactly(exactly) => exactly.number() == code.number(),
            Self::Class(class) => code.number() / 100 == class as u16,
        }
    }
}

impl Filter {
    /// Whether `entry` is meant.
    pub fn has(&self, entry: &Entry) -> bool {
        self.has_time(entry.at)
            && any(&self.kinds, &entry.kind)
            && (self.tries.is_none() || self.tries == entry.tried())
            && any(&self.providers, &entry.provider)
            && (self.codes.is_empty()
                || entry.code.is_some_and(|code| self.codes.iter().any(|codes| codes.has(code))))
            && any(&self.labels, &entry.label)
            && any(&self.sources, &entry.source)
            && some(&self.source_ips, entry.source_ip.as_ref())
            && some(&self.streams, entry.stream.as_ref())
            && any(&self.tenants, &entry.tenant)
            && any(&self.campaigns, &entry.campaign)
            && any(&self.domains, &entry.domain)
            && any(&self.recipients, &entry.recipient)
            && some(&self.ids, entry.id.as_ref())
            && any(&self.message_ids, &entry.message_id)
            && any(&self.mx_hosts, &entry.mx_host)
            && self.text.as_ref().is_none_or(|text| has_words(entry, text))
    }

    /// Whether `at` is in the filter's time.
    pub fn has_time(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

fn any<T: PartialEq>(wanted: &[T], is: &T) -> bool {
    wanted.is_empty() || wanted.contains(is)
}

fn some<T: PartialEq>(wanted: &[T], is: Option<&T>) -> bool {
    wanted.is_empty() || is.is_some_and(|is| wanted.contains(is))
}

fn has_words(entry: &Entry, words: &str) -> bool {
    let words = Words::new(words);
    texts(entry).into_iter().any(|text| words.stand_in(text.as_bytes()))
}

/// The columns that words are looked for in.
pub(crate) const TEXT_COLUMNS: [&str; 7] =
    ["reply", "recipient", "sender", "message_id", "mx_host", "rule", "detail"];

/// What an entry has in each of [`TEXT_COLUMNS`].
pub(crate) fn texts(entry: &Entry) -> [&CompactString; TEXT_COLUMNS.len()] {
    [
        &entry.reply,
        &entry.recipient,
        &entry.sender,
        &entry.message_id,
        &entry.mx_host,
        &entry.rule,
        &entry.detail,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_filter_has_everything() {
        let entry = Entry::new(Kind::Accepted, Instant(5));
        assert!(Filter::default().has(&entry));
    }

    #[test]
    fn the_end_of_a_filters_time_is_outside_of_it() {
        let filter = Filter { from: Some(Instant(5)), to: Some(Instant(7)), ..Filter::default() };
        let has = |at| filter.has(&Entry::new(Kind::Accepted, Instant(at)));
        assert_eq!([4, 5, 6, 7].map(has), [false, true, true, false]);
    }

    #[test]
    fn a_class_of_codes_has_all_that_begin_with_its_digit() {
        let class = Codes::parse("4xx").unwrap();
        assert!(class.has(Code::new(421).unwrap()) && !class.has(Code::new(550).unwrap()));
        assert_eq!(Codes::parse("421"), Code::new(421).map(Codes::Exactly));
        assert_eq!(Codes::parse("6xx"), None);
        assert_eq!(Codes::parse("4x"), None);
    }

    #[test]
    fn what_is_not_known_is_not_what_was_asked_for() {
        let filter = Filter { streams: vec![Stream::Cold], ..Filter::default() };
        assert!(!filter.has(&Entry::new(Kind::Lane, Instant(1))));
    }
}
