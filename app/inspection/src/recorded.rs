//! Questions with their answers, in a file: one look can be had again anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::tlsa::TlsaRecord;
use postlane_checks::{Answer, Failure as NoAnswer, Found, Kind, Known, Name, Question, Record};
use postlane_mail::Span;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::recorded_calls;

/// A question with its answer, as the file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// `found`, `no-data`, `no-name` or `failed`.
    answer: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    records: Vec<Written>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl_s: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    authentic: bool,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// How long it took to find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Dns(Line),
    Other(recorded_calls::Line),
}

/// A record; text that is no UTF-8 stands in base 64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Written {
    A(std::net::Ipv4Addr),
    Aaaa(std::net::Ipv6Addr),
    Mx {
        preference: u16,
        exchange: Option<String>,
    },
    Ptr(String),
    Txt(String),
    Octets(String),
    Cname(String),
    Ns(String),
    Soa {
        serial: u32,
        expire_s: u64,
        minimum_s: u64,
    },
    /// In base 64.
    Tlsa(String),
}

/// Why recorded answers cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is not their form.
    #[error("{0}: a file that --record has written is expected")]
    Form(#[from] serde_json::Error),
    /// An answer is none.
    #[error("the answer to {0} cannot be read")]
    Answer(String),
}

/// Takes as known what was recorded.
///
/// # Errors
///
/// If the text is not of [`write_answers`]: says where, and which answer.
pub fn read_answers(text: &str, known: &mut Known) -> Result<(), Unreadable> {
    let lines: Vec<Entry> = serde_json::from_str(text)?;
    for line in lines {
        let line = match line {
            Entry::Dns(line) => line,
            Entry::Other(line) => {
                let wrong = || Unreadable::Answer(line.whose().to_owned());
                line.learn(known).ok_or_else(wrong)?;
                continue;
            }
        };
        let took = line.took_ms;
        let whose = format!("{} of {}", line.kind, line.name);
        let (question, answer) = line.taken().ok_or(Unreadable::Answer(whose))?;
        if let Some(ms) = took {
            known.note_took(question.clone(), Span::from_ms(ms));
        }
        known.learn(question, answer);
    }
    Ok(())
}

/// Everything that is known, as JSON: one look can be had again anywhere.
pub fn write_answers(known: &Known) -> String {
    let dns = known.answers().map(|(question, answer)| {
        let took_ms = known.took(question).map(Span::as_ms);
        Entry::Dns(Line { took_ms, ..Line::of(question, answer) })
    });
    let others = recorded_calls::Line::all(known).into_iter().map(Entry::Other);
    let lines: Vec<Entry> = dns.chain(others).collect();
    serde_json::to_string_pretty(&lines).unwrap_or_default() + "\n"
}

impl Line {
    fn of(question: &Question, answer: &Answer) -> Self {
        let mut line = Self {
            name: question.name.to_string(),
            kind: question.kind.as_str().to_owned(),
            answer: String::new(),
            records: Vec::new(),
            ttl_s: None,
            authentic: false,
            why: None,
            took_ms: None,
        };
        match answer {
            Answer::Found(found) => {
                "found".clone_into(&mut line.answer);
                line.records = found.records.iter().filter_map(Written::of).collect();
                (line.ttl_s, line.authentic) = (Some(found.ttl.as_s()), found.authentic);
            }
            Answer::NoData => "no-data".clone_into(&mut line.answer),
            Answer::NoName => "no-name".clone_into(&mut line.answer),
            Answer::Failed(failure) => {
                "failed".clone_into(&mut line.answer);
                line.why = Some(failure.to_string());
            }
        }
        line
    }

    fn taken(self) -> Option<(Question, Answer)> {
        let name = Name::parse(&self.name).ok()?;
        let kind =
            Kind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&self.kind))?;
        let answer = match self.answer.as_str() {
            "found" => Answer::Found(Found {
                records: self.records.into_iter().map(Written::taken).collect::<Option<_>>()?,
                ttl: Span::from_s(self.ttl_s.unwrap_or_default()),
                authentic: self.authentic,
            }),
            "no-data" => Answer::NoData,
            "no-name" => Answer::NoName,
            "failed" => Answer::Failed(NoAnswer::read(&self.why.unwrap_or_default())),
            _ => return None,
        };
        Some((Question { name, kind }, answer))
    }
}

impl Written {
    fn of(record: &Record) -> Option<Self> {
        Some(match record {
            Record::A(address) => Self::A(*address),
            Record::Aaaa(address) => Self::Aaaa(*address),
            Record::Mx { preference, exchange } => Self::Mx {
                preference: *preference,
                exchange: exchange.as_ref().map(ToString::to_string),
            },
            Record::Ptr(name) => Self::Ptr(name.to_string()),
            Record::Txt(text) => match std::str::from_utf8(text) {
                Ok(text) => Self::Txt(text.to_owned()),
                Err(_) => Self::Octets(STANDARD.encode(text)),
            },
            Record::Cname(name) => Self::Cname(name.to_string()),
            Record::Ns(name) => Self::Ns(name.to_string()),
            Record::Soa { serial, expire, minimum } => {
                Self::Soa { serial: *serial, expire_s: expire.as_s(), minimum_s: minimum.as_s() }
            }
            Record::Tlsa(record) => Self::Tlsa(STANDARD.encode(record.octets())),
            _ => return None,
        })
    }

    fn taken(self) -> Option<Record> {
        Some(match self {
            Self::A(address) => Record::A(address),
            Self::Aaaa(address) => Record::Aaaa(address),
            Self::Mx { preference, exchange } => {
                let exchange = exchange.map(|name| Name::parse(&name)).transpose().ok()?;
                Record::Mx { preference, exchange }
            }
            Self::Ptr(name) => Record::Ptr(Name::parse(&name).ok()?),
            Self::Txt(text) => Record::Txt(text.into_bytes().into()),
            Self::Octets(text) => Record::Txt(STANDARD.decode(text).ok()?.into()),
            Self::Cname(name) => Record::Cname(Name::parse(&name).ok()?),
            Self::Ns(name) => Record::Ns(Name::parse(&name).ok()?),
            Self::Soa { serial, expire_s, minimum_s } => Record::Soa {
                serial,
                expire: Span::from_s(expire_s),
                minimum: Span::from_s(minimum_s),
            },
            Self::Tlsa(text) => Record::Tlsa(TlsaRecord::parse(&STANDARD.decode(text).ok()?)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn what_was_recorded_is_known_again() {
        let mut known = Known::new();
        let records = vec![
            Record::Txt(b"v=spf1 -all".as_slice().into()),
            Record::Txt(b"\xff\xfe".as_slice().into()),
            Record::Mx { preference: 10, exchange: None },
            Record::Ptr(name("a.example")),
            Record::A([192, 0, 2, 1].into()),
        ];
        let found = Found { records, ttl: Span::from_s(300), authentic: true };
        let others = vec![
            Record::Cname(name("b.example")),
            Record::Ns(name("ns.example")),
            Record::Soa { serial: 1, expire: Span::from_s(2), minimum: Span::from_s(3) },
            Record::Tlsa(TlsaRecord::parse(&[3, 1, 1, 0xab]).unwrap()),
        ];
        let answers = [
            Answer::Found(Found { records: others, ..found.clone() }),
            Answer::Found(found),
            Answer::NoData,
            Answer::NoName,
            Answer::Failed(NoAnswer::TimedOut),
            Answer::Failed(NoAnswer::ServFail),
        ];
        for (n, answer) in answers.into_iter().enumerate() {
            known.learn(Question { name: name(&format!("n{n}.example")), kind: Kind::Txt }, answer);
        }
        recorded_calls::learn_one_of_each(&mut known);
        let mut again = Known::new();
        read_answers(&write_answers(&known), &mut again).unwrap();
        assert!(known.answers().eq(again.answers()));
        assert!(known.pages().eq(again.pages()));
        assert!(known.authorities().eq(again.authorities()));
        assert!(known.greetings().eq(again.greetings()));
    }

    #[test]
    fn what_was_not_recorded_says_what_is_expected() {
        let said = read_answers("{}", &mut Known::new()).unwrap_err().to_string();
        assert!(said.contains("a file that --record has written"), "{said}");
    }
}
