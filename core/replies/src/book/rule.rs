//! One rule: what must be said, where and by whom, and what it then means.

use std::fmt;
use std::sync::Arc;

use postlane_mail::{Code, Span, Stage, Status};

use crate::automaton::Proviso;
use crate::label::Label;

/// A rule of the book.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) name: RuleName,
    pub(crate) label: Label,
    pub(crate) rank: Rank,
    /// Places in the book's list of providers; none: everybody. The rules of a file share it.
    pub(crate) providers: Arc<[u16]>,
    pub(crate) conditions: Conditions,
    pub(crate) wait: Option<Span>,
    pub(crate) origin: Origin,
    pub(crate) advice: Advice,
    pub(crate) examples: Box<[Example]>,
    pub(crate) not_examples: Box<[Example]>,
    /// Whether it is worth no more than a hint, for the classifier was more often right where they differ.
    pub(crate) yields: bool,
}

/// A rule's name: the file's, a slash, and its own, as in `google/unusual-rate`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(Arc<str>);

/// How sure a rule is of itself, which is the order in which rules that match speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A code or a wording that means this and nothing else.
    Exact,
    /// Words that say it.
    Phrase,
    /// Words or a code that mostly mean it.
    Hint,
    /// Words of the classes that belong together in it, in whatever wording.
    Concept,
    /// A code that is used for this more than for other things.
    Code,
}

/// What must hold beside the words. An empty list asks nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    pub(crate) codes: Box<[CodeTest]>,
    pub(crate) statuses: Box<[StatusTest]>,
    pub(crate) stages: Box<[Stage]>,
    /// Whether the stage must be known to be one of those.
    pub(crate) only_there: bool,
    pub(crate) mx: Box<[Box<str>]>,
    pub(crate) words: Words,
}

/// The words a rule asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// How many patterns it says, any of which must be met; none: words do not matter to it.
    pub(crate) says: usize,
    /// What it asks beside them.
    pub(crate) proviso: Option<Proviso>,
}

/// A reply code, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeTest {
    Is(u16),
    Class(u16),
}

/// An enhanced status with parts left open (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusTest {
    pub(crate) class: Option<u8>,
    pub(crate) subject: Option<u16>,
    pub(crate) detail: Option<u16>,
}

/// Where a rule was read, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A page, a program's file, or who saw it.
    pub source: Arc<str>,
    /// The date, as `2026`, `2026-02` or `2026-02-17`.
    pub seen: Arc<str>,
}

/// What people are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// What it means, in one sentence; empty where nothing better than the label's is known.
    pub means: Box<str>,
    /// What who runs the sending server does about it, step by step.
    pub operator: Box<[Box<str>]>,
    /// What a sender does who does not run the server.
    pub sender: Box<[Box<str>]>,
}

/// A reply a rule was made for, or must not decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// As it was said: each line with its code.
    pub reply: Box<str>,
    /// Where it was said, if that is known.
    pub stage: Option<Stage>,
    /// The host that said it, if that is known.
    pub mx: Option<Box<str>>,
}

impl Rule {
    /// Its name.
    pub fn name(&self) -> &RuleName {
        &self.name
    }

    /// What a reply means that it matches.
    pub fn label(&self) -> Label {
        self.label
    }

    /// How sure it is of itself.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// Where it was read, and when.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How long to wait where the reply does not say.
    pub fn wait(&self) -> Option<Span> {
        self.wait
    }

    /// What people are told; parts may be empty.
    pub fn advice(&self) -> &Advice {
        &self.advice
    }

    /// The replies it was made for.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// The replies it must not decide.
    pub fn not_examples(&self) -> &[Example] {
        &self.not_examples
    }

    /// Whether it asks for words, and not for codes alone.
    pub fn asks_for_words(&self) -> bool {
        self.conditions.words.says != 0
    }
}

impl Rank {
    /// Its name in rules and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Phrase => "phrase",
            Self::Hint => "hint",
            Self::Concept => "concept",
            Self::Code => "code",
        }
    }
}

impl CodeTest {
    pub(crate) fn holds(self, code: Code) -> bool {
        match self {
            Self::Is(number) => code.number() == number,
            Self::Class(class) => code.number() / 100 == class,
        }
    }
}

impl StatusTest {
    pub(crate) fn holds(self, status: Status) -> bool {
        self.class.is_none_or(|class| class == status.class)
            && self.subject.is_none_or(|subject| subject == status.subject)
            && self.detail.is_none_or(|detail| detail == status.detail)
    }
}

impl RuleName {
    /// The name with these two parts.
    pub(crate) fn new(file: &str, id: &str) -> Self {
        Self(format!("{file}/{id}").into())
    }

    /// The name in full.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
