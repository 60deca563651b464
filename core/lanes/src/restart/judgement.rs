//! What a day of a restart plan was like, sign by sign, and what followed.

use std::fmt;

use postlane_mail::Instant;

use super::ladder::Day;

/// What is known of one of the things that must be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Nobody can see it. Not clean.
    #[default]
    Unknown,
    /// It is as it should be.
    Clean,
    /// It is not.
    Bad,
}

/// A sign that only people or other programs can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Complaints stay under control.
    Complaints,
    /// Unsubscriptions stay under control.
    Unsubscribes,
    /// Samples of headers at the provider show mail in the inbox, signed and aligned.
    Headers,
}

/// All signs of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// Most mail was accepted at its first attempt.
    pub first_attempts: Sign,
    /// Fresh deferrals were rare.
    pub deferrals: Sign,
    /// The queue of what was deferred did not grow over night.
    pub queue: Sign,
    /// [`Told::Complaints`].
    pub complaints: Sign,
    /// [`Told::Unsubscribes`].
    pub unsubscribes: Sign,
    /// [`Told::Headers`].
    pub headers: Sign,
}

/// A day, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The day.
    pub day: Day,
    /// When it was judged.
    pub at: Instant,
    /// What was seen.
    pub signs: Signs,
    /// Messages that were sent of the day's cap.
    pub used: u32,
    /// The cap.
    pub cap: u32,
    /// What followed.
    pub verdict: Verdict,
}

/// What follows from a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The next cap holds from now on.
    Raised {
        /// The cap until now.
        from: u32,
        /// The cap from now on.
        to: u32,
    },
    /// The ladder is climbed: there is no day cap any more.
    Finished,
    /// The cap stays.
    Stayed(Hindrance),
    /// A wave of fresh deferrals, or an operator: the last stable cap holds again.
    RolledBack {
        /// The cap until now.
        from: u32,
        /// The cap from now on.
        to: u32,
    },
}

/// Why a cap was not raised: the first thing that stood against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// There was a wave on this day.
    Wave,
    /// Too little was sent to know what the provider thinks of it.
    Untried,
    /// Most mail was not accepted at its first attempt.
    FirstAttempts,
    /// Fresh deferrals were not rare.
    Deferrals,
    /// The queue of what was deferred grew.
    Queue,
    /// Somebody has told that this is bad.
    Told(Told),
    /// Nobody knows whether this is clean, and the plan does not go on without.
    Unseen,
    /// Not enough sends in a row have been stable yet.
    Sends {
        /// As many have.
        stable: u8,
        /// As many must have.
        wanted: u8,
    },
}

impl Sign {
    /// Its name: `unknown`, `clean` or `bad`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Clean => "clean",
            Self::Bad => "bad",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Unknown, Self::Clean, Self::Bad].into_iter().find(|sign| sign.as_str() == name)
    }

    pub(super) fn of(is_clean: bool) -> Self {
        if is_clean { Self::Clean } else { Self::Bad }
    }
}

impl Told {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Complaints, Self::Unsubscribes, Self::Headers];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaints => "complaints",
            Self::Unsubscribes => "unsubscribes",
            Self::Headers => "headers",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|told| told.as_str() == name)
    }
}

impl Signs {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, Sign); 6] {
        [
            ("first_attempts", self.first_attempts),
            ("deferrals", self.deferrals),
            ("queue", self.queue),
            ("complaints", self.complaints),
            ("unsubscribes", self.unsubscribes),
            ("headers", self.headers),
        ]
    }

    /// What somebody has told.
    pub fn told(&self, told: Told) -> Sign {
        match told {
            Told::Complaints => self.complaints,
            Told::Unsubscribes => self.unsubscribes,
            Told::Headers => self.headers,
        }
    }

    pub(super) fn tell(&mut self, told: Told, sign: Sign) {
        match told {
            Told::Complaints => self.complaints = sign,
            Told::Unsubscribes => self.unsubscribes = sign,
            Told::Headers => self.headers = sign,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised { from, to } => write!(f, "raised from {from} to {to} a day"),
            Self::Finished => f.write_str("the ladder is climbed; there is no day cap any more"),
            Self::Stayed(why) => write!(f, "the cap stays: {why}"),
            Self::RolledBack { from, to } => write!(f, "rolled back from {from} to {to} a day"),
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wave => f.write_str("there was a wave of deferrals"),
            Self::Untried => f.write_str("less than half of it was used"),
            Self::FirstAttempts => f.write_str("most mail was not accepted at its first attempt"),
            Self::Deferrals => f.write_str("fresh deferrals were not rare"),
            Self::Queue => f.write_str("the queue of deferred mail grew"),
            Self::Told(told) => write!(f, "{} are said to be bad", told.as_str()),
            Self::Unseen => f.write_str("not every sign is known to be clean"),
            Self::Sends { stable, wanted } => {
                write!(f, "{stable} of {wanted} sends in a row were stable")
            }
        }
    }
}
