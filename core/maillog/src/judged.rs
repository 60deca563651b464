//! What was said, classified: each text once, as long as it is remembered.
//!
//! Refusals come in waves of the same words. A text, the provider that said it and the stage are
//! remembered together, in a table of fixed size where a newer text takes an older one's place.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Reply, Span, Stage};
use postlane_replies::{Heard, Label, RuleBook, Scratch, Signal, cluster_of, read_reply};

use crate::attempt::Said;
use crate::hash::hash;

/// Texts that are remembered. Chosen, not measured: some hundred megabytes of replies have a few
/// thousand texts, unless they carry ids.
const PLACES: usize = 1 << 13;
/// Octets of a text that are looked at; replies are far shorter.
const TEXT_MAX: usize = 2_000;
/// Kinds of texts that are told apart; further ones are counted together.
const KINDS_MAX: usize = 20_000;
/// The kind of all texts beyond.
const OTHER_KIND: u32 = 0;

/// What was said means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) label: Label,
    pub(crate) signal: Signal,
    /// The number of the kind of text.
    pub(crate) kind: u32,
    /// The window and quota that the words tell, if they do.
    pub(crate) window: Option<Span>,
    pub(crate) quota: Option<u32>,
}

/// Texts that differ in numbers and names alone.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// One of them.
    pub(crate) example: Box<str>,
    pub(crate) code: Option<u16>,
    pub(crate) label: Label,
    pub(crate) rule: Option<Box<str>>,
}

/// Classifies, and remembers.
#[derive(Debug)]
pub(crate) struct Judge {
    book: Arc<RuleBook>,
    scratch: Scratch,
    lately: Vec<Option<Met>>,
    kinds: Vec<Kind>,
    numbers: BTreeMap<String, u32>,
}

#[derive(Debug)]
struct Met {
    key: u64,
    provider: u32,
    stage: Option<Stage>,
    text: Box<[u8]>,
    meaning: Meaning,
}

/// Who said something, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker<'s> {
    pub(crate) number: u32,
    pub(crate) provider: Option<&'s str>,
    pub(crate) host: &'s [u8],
    pub(crate) stage: Option<Stage>,
}

impl Judge {
    pub(crate) fn new(book: Arc<RuleBook>) -> Self {
        let other = Kind { example: "".into(), code: None, label: Label::Unknown, rule: None };
        let mut lately = Vec::new();
        lately.resize_with(PLACES, || None);
        Self {
            book,
            scratch: Scratch::default(),
            lately,
            kinds: vec![other],
            numbers: BTreeMap::new(),
        }
    }

    /// The kinds of texts, by number.
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What was said means.
    pub(crate) fn meaning(&mut self, said: Said<'_>, speaker: Speaker<'_>) -> Meaning {
        let (text, seed) = match said {
            Said::Reply(text) => (text, 1),
            Said::Own(text) => (text, 2),
        };
        let text = text.get(..TEXT_MAX).unwrap_or(text);
        let stage = speaker.stage.map_or(0, |stage| stage as u64 + 1);
        let key = hash(seed ^ (u64::from(speaker.number) << 8) ^ (stage << 56), text);
        let place = key as usize % PLACES;
        if let Some(Some(met)) = self.lately.get(place)
            && met.key == key
            && met.provider == speaker.number
            && met.stage == speaker.stage
            && *met.text == *text
        {
            return met.meaning;
        }
        let meaning = match said {
            Said::Reply(_) => self.of_reply(text, speaker),
            Said::Own(_) => self.of_own_words(text),
        };
        if let Some(met) = self.lately.get_mut(place) {
            let (provider, stage) = (speaker.number, speaker.stage);
            *met = Some(Met { key, provider, stage, text: text.into(), meaning });
        }
        meaning
    }

    fn of_reply(&mut self, text: &[u8], speaker: Speaker<'_>) -> Meaning {
        let words = String::from_utf8_lossy(text);
        let Some(reply) = read_reply(&words) else { return self.of_own_words(text) };
        let heard = Heard {
            reply: &reply,
            stage: speaker.stage,
            provider: speaker.provider,
            mx: std::str::from_utf8(speaker.host).ok().filter(|host| !host.is_empty()),
        };
        let diagnosis = self.book.diagnose(&mut self.scratch, heard);
        let rule = diagnosis.rule.as_ref().map(|rule| rule.as_str().into());
        let kind = self.kind(
            cluster_of(&reply),
            |example| Kind {
                example,
                code: Some(reply.code().number()),
                label: diagnosis.label,
                rule,
            },
            &reply,
        );
        Meaning {
            label: diagnosis.label,
            signal: diagnosis.signal,
            kind,
            window: diagnosis.hint.window,
            quota: diagnosis.hint.quota.map(|quota| quota.count),
        }
    }

    /// The sending program's own words, when it got no reply.
    fn of_own_words(&mut self, text: &[u8]) -> Meaning {
        let words = String::from_utf8_lossy(text);
        let (label, signal) = own_words(&words);
        // The cluster of a reply with these words; its code goes.
        let reply = Reply::new(postlane_mail::Code::new(450).expect("450 is a code"), words);
        let name = format!("own {}", cluster_of(&reply).get(4..).unwrap_or_default());
        let make = |example| Kind { example, code: None, label, rule: None };
        let kind = self.kind(name, make, &reply);
        Meaning { label, signal, kind, window: None, quota: None }
    }

    fn kind(&mut self, name: String, make: impl FnOnce(Box<str>) -> Kind, reply: &Reply) -> u32 {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        if self.kinds.len() >= KINDS_MAX {
            return OTHER_KIND;
        }
        let number = u32::try_from(self.kinds.len()).unwrap_or(OTHER_KIND);
        let kind = make("".into());
        let example = match kind.code {
            Some(_) => reply.to_string(),
            None => reply.text().to_owned(),
        };
        self.kinds.push(Kind { example: example.into(), ..kind });
        self.numbers.insert(name, number);
        number
    }
}

/// What a sending program's own words mean.
fn own_words(words: &str) -> (Label, Signal) {
    const KNOWN: [(&[&str], Label, Signal); 6] = [
        (
            &[
                "Host or domain name not found",
                "Name service error",
                "no MX",
                "NXDOMAIN",
                "Unrouteable",
                "all relevant MX records point to non-existent",
                "lookup failed",
                "ENOTFOUND",
                "DNS",
            ],
            Label::DomainNotFound,
            Signal::Temp,
        ),
        (&["TLS", "certificate", "SSL"], Label::TlsFailed, Signal::Temp),
        (&["timed out", "timeout", "Timeout"], Label::Timeout, Signal::Outage),
        (
            &[
                "lost connection",
                "refused",
                "unreachable",
                "No route",
                "reset by peer",
                "closed connection",
                "Connection",
                "connection",
                "ECONN",
            ],
            Label::NetworkError,
            Signal::Outage,
        ),
        (&["loops back", "too many hops", "mail for "], Label::Loop, Signal::Perm),
        (
            &["retry time not reached", "retry timeout exceeded", "expired"],
            Label::Expired,
            Signal::Perm,
        ),
    ];
    let has = |marks: &&[&str]| marks.iter().any(|mark| words.contains(mark));
    let found = KNOWN.iter().find(|(marks, ..)| has(marks));
    found.map_or((Label::Unknown, Signal::Ambiguous), |(_, label, signal)| (*label, *signal))
}

#[cfg(test)]
mod tests {
    use postlane_replies::Providers;

    use super::*;

    fn judge() -> Judge {
        Judge::new(Arc::new(RuleBook::built_in(&Providers::built_in())))
    }

    fn speaker(stage: Option<Stage>) -> Speaker<'static> {
        Speaker { number: 3, provider: Some("united-internet"), host: b"mx00.emig.gmx.net", stage }
    }

    #[test]
    fn a_text_means_the_same_the_second_time() {
        let mut judge = judge();
        let text =
            Said::Reply(b"421 Too many messages have been received in a short period of time");
        let first = judge.meaning(text, speaker(Some(Stage::Connect)));
        assert_eq!((first.label, first.signal), (Label::RateLimited, Signal::Rate));
        assert_eq!(judge.meaning(text, speaker(Some(Stage::Connect))), first);
        assert_eq!(judge.kinds().len(), 2);
    }

    #[test]
    fn the_stage_is_part_of_what_was_said() {
        let mut judge = judge();
        let text = Said::Reply(b"421 Service not available");
        let at_connect = judge.meaning(text, speaker(Some(Stage::Connect)));
        let at_rcpt = judge.meaning(text, speaker(Some(Stage::Rcpt)));
        assert_eq!(at_connect.signal, Signal::Outage);
        assert_eq!(at_connect.kind, at_rcpt.kind);
    }

    #[test]
    fn own_words_are_no_reply() {
        let mut judge = judge();
        for (words, label) in [
            ("connect to mx[192.0.2.1]:25: Connection timed out", Label::Timeout),
            ("connect to mx[192.0.2.1]:25: Connection refused", Label::NetworkError),
            ("Host or domain name not found. Name service error for name=x", Label::DomainNotFound),
            ("Cannot start TLS: handshake failure", Label::TlsFailed),
            ("what is this", Label::Unknown),
        ] {
            let meaning = judge.meaning(Said::Own(words.as_bytes()), speaker(None));
            assert_eq!(meaning.label, label, "{words}");
        }
    }
}
