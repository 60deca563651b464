//! Why rules cannot be used: all reasons, each with its file, line, cause and cure.

use std::fmt;

use crate::pattern::PatternError;

/// Why a book of rules cannot be made: everything that is wrong, not the first thing only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.0))]
pub struct RulesError(pub Vec<Fault>);

/// One thing that is wrong with a file of rules. Whoever wrote the file is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name as it was given.
    pub file: Box<str>,
    /// The line, from 1; 0 where it is the whole file's.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: Wrong,
}

/// What can be wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// It is no TOML, or has other keys than rules have.
    #[error("{0}")]
    Syntax(Box<str>),
    /// It is bound to a provider nobody knows: it would never fire.
    #[error(
        "there is no provider \"{0}\": write one of the ids that `postlane explain` shows, or leave providers out"
    )]
    Provider(Box<str>),
    /// Its label is none.
    #[error("there is no label \"{0}\": see docs/reference/replies for the list")]
    Label(Box<str>),
    /// Its id is taken, or has other characters than `a`–`z`, `0`–`9` and `-`.
    #[error(
        "the id \"{0}\" is taken in this file or has other characters than a-z, 0-9 and -: choose another"
    )]
    Id(Box<str>),
    /// A pattern cannot be read.
    #[error("the pattern \"{0}\" {1}")]
    Pattern(Box<str>, PatternError),
    /// A carrier has a gap, and what stands in it is not its own.
    #[error("the carrier \"{0}\" has a gap: write words in a row, one pattern for each")]
    Carrier(Box<str>),
    /// A code is none.
    #[error("\"{0}\" is no reply code: write three digits as in \"421\", or a class as in \"4xx\"")]
    Code(Box<str>),
    /// A status is none.
    #[error("\"{0}\" is no enhanced status: write \"4.7.28\", with x for any part")]
    Status(Box<str>),
    /// A stage is none.
    #[error(
        "there is no stage \"{0}\": write connect, ehlo, starttls, auth, mail, rcpt, data, dot or quit"
    )]
    Stage(Box<str>),
    /// A line is none.
    #[error("\"{0}\" names no line: write \"first\", \"last\" or \"joined\"")]
    Line(Box<str>),
    /// A rank is none.
    #[error(
        "there is no rank \"{0}\": write \"exact\", \"phrase\", \"hint\", \"concept\" or \"code\""
    )]
    Rank(Box<str>),
    /// A wait is none, or too long.
    #[error(
        "\"{0}\" is no time to wait: write one between \"1s\" and \"30d\", as in \"5m\" or \"4h\""
    )]
    Wait(Box<str>),
    /// It asks for nothing, so every reply would have it.
    #[error("the rule \"{0}\" asks for nothing: write at least one of says, status and code")]
    AsksNothing(Box<str>),
    /// Nobody says where it was read.
    #[error(
        "the rule \"{0}\" does not say where it was read and when: write source and seen (2026-02-17), here or in [about]"
    )]
    Origin(Box<str>),
    /// It has no example.
    #[error("the rule \"{0}\" has no example: write at least one reply it is for")]
    NoExample(Box<str>),
    /// An example is no reply.
    #[error("\"{0}\" is no reply: write it as it was said, with its code")]
    Example(Box<str>),
    /// An example is decided otherwise.
    #[error(
        "the rule \"{rule}\" does not decide its example \"{reply}\": {by} says {label}; make one of them narrower"
    )]
    Decided {
        /// Whose example it is.
        rule: Box<str>,
        /// The example.
        reply: Box<str>,
        /// The rule that decides it.
        by: Box<str>,
        /// What that rule says.
        label: &'static str,
    },
    /// A counter-example is decided by the rule that must not.
    #[error(
        "the rule \"{rule}\" decides \"{reply}\", which is one of its not_examples: make it narrower"
    )]
    DecidesTooMuch {
        /// Whose counter-example it is.
        rule: Box<str>,
        /// The counter-example.
        reply: Box<str>,
    },
    /// There are too many rules or patterns.
    #[error("there are more rules or patterns than the book can hold: remove some")]
    TooMany,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}
