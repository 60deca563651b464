//! Questions of checks, answered by name servers.

use std::time::Instant;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use postlane_checks as checks;
use postlane_checks::tlsa::TlsaRecord;
use postlane_checks::{Failure, Found, Known, Question, Record};
use postlane_mail::Span;

use super::answer::{Answer, DnsError};
use super::reading::{Kind, seconds};
use super::resolver::Resolver;

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// What was heard a moment ago: for what is asked again and again, as mail goes.
    Heard,
    /// What name servers say now: for whoever has changed something and wants to see it.
    Now,
}

/// Octets of an answer that is kept: a larger one is asked for again. With this and the number of
/// records memory is a few MB of what is usual, and 80 MB of the worst.
const OCTETS_MAX: usize = 8 << 10;

impl Resolver {
    /// Answers all that is missing, at once. False if nothing was.
    pub async fn complete(&self, known: &mut Known, freshness: Freshness) -> bool {
        let missing = known.take_missing();
        let answers = join_all(missing.iter().map(|question| async {
            let asked = Instant::now();
            let answer = self.answer_as(question, freshness).await;
            (answer, Span::from_ms(u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX)))
        }));
        let answers = answers.await;
        let any = !answers.is_empty();
        for (question, (answer, took)) in missing.into_iter().zip(answers) {
            known.note_took(question.clone(), took);
            known.learn(question, answer);
        }
        any
    }

    /// Answers one question by what name servers say now. What they fail with is an answer, too:
    /// that nothing is known.
    pub async fn answer(&self, question: &Question) -> checks::Answer {
        self.answer_as(question, Freshness::Now).await
    }

    /// The same by what may have been heard before. Whatever name servers say is heard by
    /// everybody; that they fail is not.
    pub async fn answer_as(&self, question: &Question, freshness: Freshness) -> checks::Answer {
        let Ok(name) = name(&question.name) else { return checks::Answer::NoName };
        let heard = match freshness {
            Freshness::Heard => self.0.answers.lock().get(Instant::now(), question),
            Freshness::Now => None,
        };
        let outcome = match heard {
            Some(heard) => heard,
            None => {
                let outcome = self.ask_for(name, Asked(question.kind)).await;
                if is_kept(&outcome) {
                    let mut heard = self.0.answers.lock();
                    // Whoever asked hears the time to live as it was said.
                    drop(heard.insert(Instant::now(), question.clone(), outcome.clone()));
                }
                outcome
            }
        };
        match outcome {
            Ok(answer) => checks::Answer::Found(Found {
                records: answer.records.to_vec(),
                ttl: answer.ttl,
                authentic: answer.authentic,
            }),
            Err(DnsError::NxDomain { .. }) => checks::Answer::NoName,
            Err(DnsError::NoData { .. }) => checks::Answer::NoData,
            Err(error) => checks::Answer::Failed(failure(&error)),
        }
    }
}

fn is_kept(outcome: &Result<Answer<Record>, DnsError>) -> bool {
    let octets = |record: &Record| match record {
        Record::Txt(text) => text.len(),
        _ => 64,
    };
    match outcome {
        Ok(answer) => answer.records.iter().map(octets).sum::<usize>() <= OCTETS_MAX,
        Err(error) => error.is_negative(),
    }
}

fn failure(error: &DnsError) -> Failure {
    match error {
        DnsError::ServFail => Failure::ServFail,
        DnsError::Refused => Failure::Refused,
        DnsError::TimedOut => Failure::TimedOut,
        other => Failure::Malformed(other.to_string().into()),
    }
}

/// A name as it is sent: its labels may hold any printable character.
fn name(name: &checks::Name) -> Result<Name, DnsError> {
    let mut sent = Name::from_labels(name.as_str().split('.').map(str::as_bytes))
        .map_err(|error| DnsError::Malformed(error.to_string().into()))?;
    sent.set_fqdn(true);
    Ok(sent)
}

/// A type of record that checks ask for.
#[derive(Clone, Copy)]
struct Asked(checks::Kind);

impl Kind for Asked {
    type Record = Record;

    fn record_type(self) -> RecordType {
        match self.0 {
            checks::Kind::A => RecordType::A,
            checks::Kind::Aaaa => RecordType::AAAA,
            checks::Kind::Mx => RecordType::MX,
            checks::Kind::Ptr => RecordType::PTR,
            checks::Kind::Cname => RecordType::CNAME,
            checks::Kind::Ns => RecordType::NS,
            checks::Kind::Soa | checks::Kind::UncheckedSoa => RecordType::SOA,
            checks::Kind::Tlsa => RecordType::TLSA,
            checks::Kind::Spf => RecordType::from(99),
            _ => RecordType::TXT,
        }
    }

    fn wants_signatures_checked(self) -> bool {
        self.0 != checks::Kind::UncheckedSoa
    }

    fn read(self, record: &RData) -> Option<Record> {
        match (self.0, record) {
            (checks::Kind::A, RData::A(a)) => Some(Record::A(a.0)),
            (checks::Kind::Aaaa, RData::AAAA(aaaa)) => Some(Record::Aaaa(aaaa.0)),
            (checks::Kind::Mx, RData::MX(mx)) => {
                let exchange = read_name(&mx.exchange);
                Some(Record::Mx { preference: mx.preference, exchange })
            }
            (checks::Kind::Ptr, RData::PTR(ptr)) => read_name(&ptr.0).map(Record::Ptr),
            (checks::Kind::Txt, RData::TXT(txt)) => Some(Record::Txt(txt.txt_data.concat().into())),
            (checks::Kind::Cname, RData::CNAME(target)) => read_name(&target.0).map(Record::Cname),
            (checks::Kind::Ns, RData::NS(server)) => read_name(&server.0).map(Record::Ns),
            (checks::Kind::Soa | checks::Kind::UncheckedSoa, RData::SOA(soa)) => {
                Some(Record::Soa {
                    serial: soa.serial,
                    expire: Span::from_s(u64::try_from(soa.expire).unwrap_or_default()),
                    minimum: seconds(soa.minimum),
                })
            }
            (checks::Kind::Tlsa, RData::TLSA(tlsa)) => Some(Record::Tlsa(TlsaRecord {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                association: tlsa.cert_data.clone().into(),
            })),
            (checks::Kind::Spf, RData::Unknown { rdata, .. }) => {
                Some(Record::Txt(rdata.anything.clone().into()))
            }
            _ => None,
        }
    }
}

/// A name as it came; none for the root and for what cannot be asked for.
fn read_name(name: &Name) -> Option<checks::Name> {
    checks::Name::parse(&name.to_ascii()).ok()
}
