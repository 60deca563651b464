//! What a command says to the shell.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::print;

/// The exit status; the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: yes, done, found.
    Yes,
    /// 1: no, nothing found, not in order.
    No,
    /// 2: the command line is wrong, or what was given with it.
    Usage,
    /// 3: it cannot be told.
    Undetermined,
    /// 4: no server answers.
    Unreachable,
    /// 75 (`EX_TEMPFAIL` of sysexits.h): something is in the way that may pass by itself, a port in
    /// use or a disk that is full. The same command may do later.
    TryAgain,
    /// 78 (`EX_CONFIG`): the configuration is wrong, or what it names. The same command fails until
    /// somebody has changed something.
    Configuration,
}

impl Exit {
    /// Yes where something was found, printed for people or as JSON.
    pub(crate) fn found(is_any: bool) -> Self {
        if is_any { Self::Yes } else { Self::No }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Undetermined => Self::from(3),
            Exit::Unreachable => Self::from(4),
            Exit::TryAgain => Self::from(75),
            Exit::Configuration => Self::from(78),
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

    /// The command line is wrong, or what was given with it.
    pub(crate) fn usage(says: impl Into<String>) -> Self {
        Self::new(Exit::Usage, says)
    }

    /// A file that was given cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        Self::usage(match error.kind() {
            io::ErrorKind::InvalidData => format!("cannot read {path}: it is no text in UTF-8"),
            io::ErrorKind::IsADirectory => {
                format!("cannot read {path}: it is a folder, and a file is wanted")
            }
            _ => format!("cannot read {path}: {error}"),
        })
    }

    /// The same with what to do about it.
    pub(crate) fn cured_by(self, cure: &str) -> Self {
        Self { says: format!("{}: {cure}", self.says), ..self }
    }

    /// The same sentence with another exit status, where it was that one.
    pub(crate) fn rather(self, was: Exit, now: Exit) -> Self {
        Self { exit: if self.exit == was { now } else { self.exit }, ..self }
    }

    /// The sentence.
    pub(crate) fn says(&self) -> &str {
        &self.says
    }

    /// What it tells the shell.
    #[cfg(test)]
    pub(crate) fn exit(&self) -> Exit {
        self.exit
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
