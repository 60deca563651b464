//! What is held of a subject on a list, as the registry keeps it.
//!
//! Fields come and go with versions: what is missing is empty, and what is not known is passed over.

use postlane_checks::Outcome;
use postlane_checks::blocklist::Subject;
use postlane_checks::watch::{Cell, Hearing, ListDay, ListedAs, Standing};
use postlane_mail::Instant;
use postlane_registry::{KeptCell, KeptDay, ListingSpan};
use serde::{Deserialize, Serialize};

/// A cell. Moments are microseconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    standing: String,
    listed: Option<Listed>,
    clear_since: u64,
    hearing: String,
    why: String,
    asked: Option<u64>,
    next: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Listed {
    since: u64,
    outcome: String,
    answers: String,
    means: String,
}

/// A cell, to be kept.
pub(super) fn keep(list: &str, subject: &Subject, cell: &Cell) -> KeptCell {
    let (standing, listed, clear_since) = match &cell.standing {
        Standing::Unknown => ("unknown", None, 0),
        Standing::Clear => ("clear", None, 0),
        Standing::Suspected(listed) => ("suspected", Some(listed), 0),
        Standing::Listed(listed) => ("listed", Some(listed), 0),
        Standing::Clearing(listed, since) => ("clearing", Some(listed), since.0),
    };
    let hearing = match &cell.hearing {
        Hearing::Well => "well",
        Hearing::Refused(_) => "refused",
        Hearing::Broken(_) => "broken",
        Hearing::Unreachable(_) => "unreachable",
        Hearing::Keyless => "keyless",
    };
    let state = State {
        standing: standing.to_owned(),
        listed: listed.map(Listed::from),
        clear_since,
        hearing: hearing.to_owned(),
        why: cell.hearing.why().to_owned(),
        asked: cell.asked.map(|at| at.0),
        next: cell.next.0,
    };
    KeptCell {
        list: list.to_owned(),
        subject: subject.to_string(),
        // Strings and numbers: nothing that JSON does not have.
        state: serde_json::to_string(&state).unwrap_or_default(),
    }
}

/// A cell that was kept; none for one that a later version wrote, which begins anew.
pub(super) fn read(kept: &KeptCell) -> Option<(Box<str>, Subject, Cell)> {
    let state: State = serde_json::from_str(&kept.state).ok()?;
    let listed = || state.listed.as_ref().and_then(Listed::read);
    let standing = match state.standing.as_str() {
        "unknown" => Standing::Unknown,
        "clear" => Standing::Clear,
        "suspected" => Standing::Suspected(listed()?),
        "listed" => Standing::Listed(listed()?),
        "clearing" => Standing::Clearing(listed()?, Instant(state.clear_since)),
        _ => return None,
    };
    let why = state.why.clone();
    let hearing = match state.hearing.as_str() {
        "well" => Hearing::Well,
        "refused" => Hearing::Refused(why),
        "broken" => Hearing::Broken(why),
        "unreachable" => Hearing::Unreachable(why),
        "keyless" => Hearing::Keyless,
        _ => return None,
    };
    let asked = state.asked.map(Instant);
    let cell = Cell { standing, hearing, asked, next: Instant(state.next) };
    Some((kept.list.as_str().into(), Subject::read(&kept.subject)?, cell))
}

/// What a list was asked in a day, to be kept.
pub(super) fn keep_day(of: ListDay) -> KeptDay {
    KeptDay { list: of.list.into(), day: of.day, questions: of.questions }
}

/// The same as it was kept.
pub(super) fn read_day(kept: KeptDay) -> ListDay {
    ListDay { list: kept.list.into(), day: kept.day, questions: kept.questions }
}

/// A listing, for the history.
pub(super) fn span(list: &str, subject: &Subject, listed: &ListedAs) -> ListingSpan {
    ListingSpan {
        list: list.to_owned(),
        subject: subject.to_string(),
        since: listed.since,
        until: None,
        outcome: listed.outcome.as_str().to_owned(),
        answers: listed.answers.clone(),
        means: listed.means.clone(),
        ended: String::new(),
    }
}

impl From<&ListedAs> for Listed {
    fn from(of: &ListedAs) -> Self {
        Self {
            since: of.since.0,
            outcome: of.outcome.as_str().to_owned(),
            answers: of.answers.clone(),
            means: of.means.clone(),
        }
    }
}

impl Listed {
    fn read(&self) -> Option<ListedAs> {
        let known = [Outcome::Info, Outcome::Warn, Outcome::Fail];
        Some(ListedAs {
            since: Instant(self.since),
            outcome: known.into_iter().find(|known| known.as_str() == self.outcome)?,
            answers: self.answers.clone(),
            means: self.means.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_of_a_subject_comes_back_as_it_was_kept() {
        let listed = ListedAs {
            since: Instant(5),
            outcome: Outcome::Fail,
            answers: "127.0.0.2".to_owned(),
            means: "it \"sends\" spam".to_owned(),
        };
        let standings = [
            Standing::Unknown,
            Standing::Clear,
            Standing::Suspected(listed.clone()),
            Standing::Listed(listed.clone()),
            Standing::Clearing(listed, Instant(9)),
        ];
        let subject = Subject::read("203.0.113.7").unwrap();
        for standing in standings {
            for hearing in [Hearing::Well, Hearing::Refused("query refused".to_owned())] {
                let cell = Cell {
                    standing: standing.clone(),
                    hearing,
                    asked: Some(Instant(7)),
                    next: Instant(8),
                };
                let kept = keep("spamhaus-zen", &subject, &cell);
                assert_eq!(read(&kept), Some(("spamhaus-zen".into(), subject.clone(), cell)));
            }
        }
        let later = KeptCell {
            list: "x".to_owned(),
            subject: "203.0.113.7".to_owned(),
            state: "{\"standing\":\"eclipsed\"}".to_owned(),
        };
        assert_eq!(read(&later), None);
    }
}
