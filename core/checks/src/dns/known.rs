//! What is known of the DNS, and what would have to be.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Kind, Name};

/// A question for the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Of which name.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
}

/// The answers so far, and the questions that came up without one.
#[derive(Debug, Clone, Default)]
pub struct Known {
    answers: BTreeMap<Question, Answer>,
    missing: BTreeSet<Question>,
}

impl Known {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The answer; without one the question is noted as missing.
    pub fn ask(&mut self, question: &Question) -> Option<&Answer> {
        let answer = self.answers.get(question);
        if answer.is_none() {
            self.missing.insert(question.clone());
        }
        answer
    }

    /// Keeps an answer.
    pub fn learn(&mut self, question: Question, answer: Answer) {
        self.missing.remove(&question);
        self.answers.insert(question, answer);
    }

    /// What came up since the last time, in order. Empty: whatever was run has come to its end.
    pub fn take_missing(&mut self) -> BTreeSet<Question> {
        std::mem::take(&mut self.missing)
    }

    /// Everything that is known, in order.
    pub fn answers(&self) -> impl Iterator<Item = (&Question, &Answer)> {
        self.answers.iter()
    }
}
