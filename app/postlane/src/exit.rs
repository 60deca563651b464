//! What a command says to the shell.

use std::process::ExitCode;

use crate::print;

/// The exit status; the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: yes, done, found.
    Yes,
    /// 1: no, nothing found, not in order.
    No,
    /// 2: the command line or the configuration is wrong.
    Usage,
    /// 3: it cannot be told.
    Undetermined,
    /// 4: no server answers.
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Undetermined => Self::from(3),
            Exit::Unreachable => Self::from(4),
        }
    }
}

/// Why a command could not be done: the exit status, and a sentence for people.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    says: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, says: impl Into<String>) -> Self {
        Self { exit, says: says.into() }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(says: impl Into<String>) -> Self {
        Self::new(Exit::Usage, says)
    }

    /// The sentence.
    pub(crate) fn says(&self) -> &str {
        &self.says
    }

    /// Whether the answer was no, and nothing went wrong.
    pub(crate) fn is_no(&self) -> bool {
        self.exit == Exit::No
    }

    /// Whether no server answers.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.exit == Exit::Unreachable
    }

    /// Says it on stderr.
    pub(crate) fn report(self) -> Exit {
        print::error(&self.says);
        self.exit
    }
}
