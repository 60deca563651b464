//! What name servers said a moment ago: many domains send from the same addresses, and one domain
//! in several streams.

use std::collections::BTreeMap;

use postlane_checks::{Answer, Question};
use postlane_mail::{Instant, Span};

/// Answers are believed for as long as they say, and for so long at most. Chosen, not measured: who
/// publishes a record sees it here soon.
const KEPT_MAX: Span = Span::from_min(5);

/// What name servers do not have is believed for so long. Chosen, not measured: it is what somebody
/// is about to publish.
const NOTHING_KEPT: Span = Span::from_s(30);

/// Answers that are kept, at most. Chosen, not measured: a few MB.
const ANSWERS_MAX: usize = 10_000;

/// Octets of an answer that is kept: a larger one is asked for again.
const OCTETS_MAX: usize = 8 << 10;

/// Answers with their ends.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<Question, (Answer, Instant)>);

impl Answers {
    /// An answer that is still believed.
    pub(super) fn find(&self, now: Instant, question: &Question) -> Option<Answer> {
        let (answer, until) = self.0.get(question)?;
        (now < *until).then(|| answer.clone())
    }

    /// Keeps what was said; that nobody answered is not kept.
    pub(super) fn keep(&mut self, now: Instant, question: Question, answer: &Answer) {
        let kept = match answer {
            Answer::Found(found) => found.ttl.min(KEPT_MAX),
            Answer::NoName | Answer::NoData => NOTHING_KEPT,
            Answer::Failed(_) => return,
        };
        if self.0.len() >= ANSWERS_MAX {
            self.0.retain(|_, (_, until)| now < *until);
        }
        let has_room = self.0.len() < ANSWERS_MAX;
        if has_room && octets_of(answer) <= OCTETS_MAX {
            self.0.insert(question, (answer.clone(), now + kept));
        }
    }
}

fn octets_of(answer: &Answer) -> usize {
    let octets = |record: &postlane_checks::Record| match record {
        postlane_checks::Record::Txt(text) => text.len(),
        _ => 64,
    };
    answer.records().iter().map(octets).sum()
}

#[cfg(test)]
mod tests {
    use postlane_checks::{Failure, Found, Kind, Name};

    use super::*;

    #[test]
    fn an_answer_is_believed_as_long_as_it_says_and_a_failure_not_at_all() {
        let question = |name| Question { name: Name::parse(name).unwrap(), kind: Kind::Txt };
        let found = |ttl_s| {
            Answer::Found(Found { records: vec![], ttl: Span::from_s(ttl_s), authentic: false })
        };
        let mut answers = Answers::default();
        let at = |s| Instant(0) + Span::from_s(s);
        answers.keep(at(0), question("short.example"), &found(10));
        answers.keep(at(0), question("long.example"), &found(86_400));
        answers.keep(at(0), question("nothing.example"), &Answer::NoName);
        answers.keep(at(0), question("down.example"), &Answer::Failed(Failure::TimedOut));
        let is_kept = |name, s| answers.find(at(s), &question(name)).is_some();
        assert!(is_kept("short.example", 9) && !is_kept("short.example", 10));
        assert!(is_kept("long.example", 299) && !is_kept("long.example", 300));
        assert!(is_kept("nothing.example", 29) && !is_kept("nothing.example", 30));
        assert!(!is_kept("down.example", 0));
    }
}
