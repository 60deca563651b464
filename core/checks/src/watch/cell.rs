//! One subject on one list: what is held of it, and what its answers turn that into.

use postlane_mail::{Instant, Span};

use super::rhythm::{Rhythm, later};
use crate::blocklist::{Reading, Unclear, Weight};
use crate::check::Outcome;
use crate::dns::Failure;

/// One subject on one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What is held of it.
    pub standing: Standing,
    /// Whether the list has answered the last time.
    pub hearing: Hearing,
    /// When it was asked last; none if never.
    pub asked: Option<Instant>,
    /// When it is to be asked next.
    pub next: Instant,
}

/// What is held of a subject. What a list that does not answer says changes none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No answer has said anything yet.
    Unknown,
    /// It is not on the list.
    Clear,
    /// One answer says that it is, and none has confirmed it.
    Suspected(ListedAs),
    /// It is on the list.
    Listed(ListedAs),
    /// It was, and one answer says that it is not any more, first at this moment.
    Clearing(ListedAs, Instant),
}

/// How somebody is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAs {
    /// When that was seen first.
    pub since: Instant,
    /// How bad it is: [`Outcome::Info`] to [`Outcome::Fail`].
    pub outcome: Outcome,
    /// The addresses that were answered, in order.
    pub answers: String,
    /// What they mean.
    pub means: String,
}

/// Whether a list answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearing {
    /// It does, or was not asked yet.
    Well,
    /// It refuses us, as said here.
    Refused(String),
    /// It is not healthy: what it answers counts for nothing.
    Broken(String),
    /// The DNS gave no answer.
    Unreachable(String),
    /// It is asked with a key only, and there is none.
    Keyless,
}

/// What an answer has turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It is listed.
    Listed(ListedAs),
    /// It is listed otherwise than before.
    Altered(ListedAs),
    /// It is off the list; as it was listed.
    Delisted(ListedAs),
}

/// A cell in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Never asked.
    Unasked,
    /// Not on the list.
    Clear,
    /// Perhaps on the list.
    Suspected,
    /// On the list.
    Listed,
    /// Perhaps off it.
    Clearing,
    /// The list refuses us.
    Refused,
    /// The list is not healthy.
    Broken,
    /// The list does not answer.
    Unreachable,
    /// It wants a key.
    Keyless,
}

/// A cell as a heat map has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// Nobody knows.
    Grey,
    /// Not listed.
    Green,
    /// Listed where few care, or not for sure.
    Amber,
    /// Listed.
    Red,
}

/// Octets of what is kept of an answer. A list has ten codes or so.
const WORDS_MAX: usize = 400;

impl Cell {
    /// One that was never asked, to be asked at once.
    pub const fn new(now: Instant) -> Self {
        Self { standing: Standing::Unknown, hearing: Hearing::Well, asked: None, next: now }
    }

    /// Hears what the list says, and when to ask it again.
    pub fn hear(
        &mut self,
        now: Instant,
        reading: &Reading,
        (rhythm, weight): (&Rhythm, Weight),
        chance: u64,
    ) -> Option<Turn> {
        self.asked = Some(now);
        let every = rhythm.every(weight);
        if let Reading::Unclear(why) = reading {
            self.hearing = Hearing::of(why);
            let wait = match self.hearing {
                Hearing::Keyless => Span(u64::MAX),
                Hearing::Unreachable(_) => every,
                _ => rhythm.refused.max(every),
            };
            self.next = later(now, wait, chance);
            return None;
        }
        self.hearing = Hearing::Well;
        let was = std::mem::replace(&mut self.standing, Standing::Unknown);
        let (standing, turn) = was.hears(now, ListedAs::of(reading, now), rhythm.delisting);
        let wait = match &standing {
            Standing::Suspected(_) => rhythm.listing,
            // The second answer counts when so much time has gone by since the first.
            Standing::Clearing(_, since) => {
                Span(rhythm.delisting.0.saturating_sub(now.since(*since).0))
            }
            _ => every,
        };
        self.standing = standing;
        self.next = later(now, wait.min(every), chance);
        turn
    }

    /// In one word: a list that does not answer says neither good nor bad.
    pub const fn shown(&self) -> Shown {
        match (&self.hearing, &self.standing) {
            (Hearing::Refused(_), _) => Shown::Refused,
            (Hearing::Broken(_), _) => Shown::Broken,
            (Hearing::Unreachable(_), _) => Shown::Unreachable,
            (Hearing::Keyless, _) => Shown::Keyless,
            (Hearing::Well, Standing::Unknown) => Shown::Unasked,
            (Hearing::Well, Standing::Clear) => Shown::Clear,
            (Hearing::Well, Standing::Suspected(_)) => Shown::Suspected,
            (Hearing::Well, Standing::Listed(_)) => Shown::Listed,
            (Hearing::Well, Standing::Clearing(..)) => Shown::Clearing,
        }
    }

    /// As a heat map has it.
    pub const fn colour(&self) -> Colour {
        match (self.shown(), &self.standing) {
            (Shown::Clear, _) => Colour::Green,
            (Shown::Listed, Standing::Listed(ListedAs { outcome: Outcome::Fail, .. })) => {
                Colour::Red
            }
            (Shown::Listed | Shown::Suspected | Shown::Clearing, _) => Colour::Amber,
            _ => Colour::Grey,
        }
    }

    /// How it is listed as far as is known, whether or not the list still answers. What one answer
    /// alone says is not known.
    pub const fn listed(&self) -> Option<&ListedAs> {
        match &self.standing {
            Standing::Listed(listed) | Standing::Clearing(listed, _) => Some(listed),
            _ => None,
        }
    }
}

impl Standing {
    fn hears(self, now: Instant, said: Option<ListedAs>, delisting: Span) -> (Self, Option<Turn>) {
        match (self, said) {
            (Self::Unknown | Self::Clear | Self::Suspected(_), None) => (Self::Clear, None),
            (Self::Unknown | Self::Clear, Some(said)) => (Self::Suspected(said), None),
            (Self::Suspected(first), Some(said)) => {
                let listed = ListedAs { since: first.since, ..said };
                (Self::Listed(listed.clone()), Some(Turn::Listed(listed)))
            }
            (Self::Listed(was) | Self::Clearing(was, _), Some(said)) => {
                let is_same = was.answers == said.answers && was.outcome == said.outcome;
                let listed = ListedAs { since: was.since, ..said };
                let turn = (!is_same).then(|| Turn::Altered(listed.clone()));
                (Self::Listed(listed), turn)
            }
            (Self::Listed(was), None) => (Self::Clearing(was, now), None),
            (Self::Clearing(was, first), None) if now > first && now.since(first) >= delisting => {
                (Self::Clear, Some(Turn::Delisted(was)))
            }
            (clearing @ Self::Clearing(..), None) => (clearing, None),
        }
    }
}

impl ListedAs {
    /// What an answer says; none where it has no entry, or none that speaks against anybody.
    fn of(reading: &Reading, now: Instant) -> Option<Self> {
        let Reading::Listed(entries) = reading else { return None };
        let against = || entries.iter().filter(|entry| entry.outcome >= Outcome::Info);
        let outcome = against().map(|entry| entry.outcome).max()?;
        let mut answers: Vec<String> = against().map(|entry| entry.answer.to_string()).collect();
        let mut means: Vec<&str> = against().map(|entry| &*entry.means).collect();
        answers.sort_unstable();
        answers.dedup();
        means.sort_unstable();
        means.dedup();
        Some(Self {
            since: now,
            outcome,
            answers: cut(answers.join(" ")),
            means: cut(means.join("; ")),
        })
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(WORDS_MAX));
    text
}

impl Hearing {
    fn of(why: &Unclear) -> Self {
        let says = cut(why.to_string());
        match why {
            Unclear::NoKey => Self::Keyless,
            Unclear::Mistyped(_)
            | Unclear::PublicResolver(_)
            | Unclear::TooOften(_)
            | Unclear::Refused(_)
            | Unclear::NoAnswer(Failure::Refused) => Self::Refused(says),
            Unclear::NoAnswer(_) | Unclear::TooLong => Self::Unreachable(says),
            Unclear::Foreign(_) | Unclear::Unknown(_) | Unclear::Unhealthy(_) => Self::Broken(says),
        }
    }

    /// Why the list does not answer; empty where it does.
    pub fn why(&self) -> &str {
        match self {
            Self::Well => "",
            Self::Refused(why) | Self::Broken(why) | Self::Unreachable(why) => why,
            Self::Keyless => "it is asked with a key of your own only",
        }
    }
}

impl Shown {
    /// As reports have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unasked => "unasked",
            Self::Clear => "clear",
            Self::Suspected => "suspected",
            Self::Listed => "listed",
            Self::Clearing => "clearing",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Unreachable => "unreachable",
            Self::Keyless => "keyless",
        }
    }
}

impl Colour {
    /// As reports have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

#[cfg(test)]
mod tests;
