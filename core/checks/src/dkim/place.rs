//! What the DNS has where a key should be: read in one way by whoever verifies a signature, looks at
//! a domain, or asks whether a key of ours is there.

use crate::dns::{Answer, Failure, Record};

use super::key::{KeyFault, KeyRecord};

/// What there is at a selector's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AtSelector {
    /// One text, and the key that can be read of it.
    One(Box<[u8]>, Result<KeyRecord, KeyFault>),
    /// Several, of which receivers take any (RFC 6376 §3.6.2.2).
    Several(Vec<Result<KeyRecord, KeyFault>>),
    /// No text.
    Nothing,
    /// The DNS did not say.
    Open(Failure),
}

impl AtSelector {
    /// What an answer says.
    pub(crate) fn read(answer: &Answer) -> Self {
        if let Answer::Failed(failure) = answer {
            return Self::Open(failure.clone());
        }
        let texts = answer.records().iter().filter_map(|record| match record {
            Record::Txt(text) => Some(&**text),
            _ => None,
        });
        match texts.collect::<Vec<&[u8]>>().as_slice() {
            [] => Self::Nothing,
            [text] => Self::One((*text).into(), KeyRecord::parse(text)),
            many => Self::Several(many.iter().map(|text| KeyRecord::parse(text)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;
    use crate::dns::Found;

    fn read(texts: &[&str]) -> AtSelector {
        let records = texts.iter().map(|text| Record::Txt(text.as_bytes().into())).collect();
        let ttl = Span::from_s(300);
        AtSelector::read(&Answer::Found(Found { records, ttl, authentic: false }))
    }

    #[test]
    fn one_text_is_read_several_are_told_apart_and_silence_is_not_absence() {
        let revoked = || Err(KeyFault::Revoked);
        assert_eq!(read(&["v=DKIM1; p="]), AtSelector::One(b"v=DKIM1; p="[..].into(), revoked()));
        assert_eq!(read(&["p=", "p="]), AtSelector::Several(vec![revoked(), revoked()]));
        assert_eq!(read(&[]), AtSelector::Nothing);
        assert_eq!(AtSelector::read(&Answer::NoName), AtSelector::Nothing);
        let failed = Answer::Failed(Failure::TimedOut);
        assert_eq!(AtSelector::read(&failed), AtSelector::Open(Failure::TimedOut));
    }
}
