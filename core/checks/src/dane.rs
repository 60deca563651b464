//! What a host's signed records ask of a session with it (DANE for SMTP, RFC 7672).
//!
//! Asked only of hosts whose names and addresses the resolver vouches for: who can forge those can
//! name any host, and unsigned zones have name servers that choke on TLSA (§2.2.2).

use crate::dns::{Answer, Record};
use crate::tlsa::TlsaSet;

/// What a host's records ask of a session with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DanePolicy {
    /// Nothing: there are none, or nobody vouches for them (§2.2: the host is as any other).
    Nothing,
    /// TLS. A certificate that is named, where the set has records to go by; any, where it has none
    /// (§2.2).
    Records(TlsaSet),
    /// It cannot be found out, for this reason, or what was found is forged: nothing goes to the
    /// host, since whoever suppresses an answer could take the mail (§2.2).
    Undetermined(Box<str>),
}

impl DanePolicy {
    /// By the answer to the question for the TLSA records of a host, from a resolver that can be
    /// trusted to check signatures.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Failed(failure) => Self::Undetermined(failure.to_string().into()),
            Answer::Found(found) if found.authentic => {
                let set = TlsaSet::of(found.records.iter().filter_map(|record| match record {
                    Record::Tlsa(record) => Some(record.clone()),
                    _ => None,
                }));
                if set.is_empty() { Self::Nothing } else { Self::Records(set) }
            }
            Answer::Found(_) | Answer::NoData | Answer::NoName => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;
    use proptest::prelude::*;

    use super::*;
    use crate::dns::{Failure, Found};
    use crate::tlsa::TlsaRecord;

    fn record(usage: u8) -> TlsaRecord {
        TlsaRecord { usage, selector: 1, matching: 1, association: [7; 32].into() }
    }

    fn found(authentic: bool, records: Vec<TlsaRecord>) -> Answer {
        let records = records.into_iter().map(Record::Tlsa).collect();
        Answer::Found(Found { records, ttl: Span::from_s(60), authentic })
    }

    #[test]
    fn only_signed_records_ask_for_anything() {
        assert_eq!(DanePolicy::of(&found(false, vec![record(3)])), DanePolicy::Nothing);
        assert_eq!(DanePolicy::of(&Answer::NoData), DanePolicy::Nothing);
        assert_eq!(DanePolicy::of(&Answer::NoName), DanePolicy::Nothing);
        let DanePolicy::Records(set) = DanePolicy::of(&found(true, vec![record(3), record(1)]))
        else {
            panic!("signed records count")
        };
        assert_eq!((set.usable.len(), set.unusable.len()), (1, 1));
    }

    #[test]
    fn records_that_mail_does_not_go_by_still_ask_for_tls() {
        let DanePolicy::Records(set) = DanePolicy::of(&found(true, vec![record(0), record(1)]))
        else {
            panic!("they are there")
        };
        assert!(set.usable.is_empty() && set.unusable.len() == 2);
    }

    proptest! {
        #[test]
        fn an_answer_that_failed_never_lets_mail_go_unguarded(which in 0_usize..4, why in "\\PC{0,20}") {
            let failures =
                [Failure::ServFail, Failure::Refused, Failure::TimedOut, Failure::Malformed(why.into())];
            let policy = DanePolicy::of(&Answer::Failed(failures[which].clone()));
            prop_assert!(matches!(policy, DanePolicy::Undetermined(_)));
        }
    }
}
