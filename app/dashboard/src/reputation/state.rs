//! What a list says of somebody, in a word, with a mark and a colour, and what that means.

/// A state, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// As the API has it.
    pub(super) id: &'static str,
    /// In a word or two.
    pub(super) word: &'static str,
    /// A mark, so that the colour says nothing alone.
    pub(super) mark: &'static str,
    /// The colour.
    pub(super) chip: &'static str,
    /// What it means.
    pub(super) means: &'static str,
    /// What one can do about it; empty where nothing.
    pub(super) cure: &'static str,
}

/// Every state, what needs somebody first.
pub(super) const STATES: [State; 9] = [
    State {
        id: "listed",
        word: "listed",
        mark: "✕",
        chip: "bad",
        means: "Two answers, some minutes apart, said that it is on the list.",
        cure: "",
    },
    State {
        id: "suspected",
        word: "suspected",
        mark: "?",
        chip: "warn",
        means: "One answer says that it is on the list. The next, two minutes later, decides.",
        cure: "Wait for the second answer, or have all lists asked again.",
    },
    State {
        id: "clearing",
        word: "clearing",
        mark: "↺",
        chip: "warn",
        means: "It is listed, and one answer says that it is over. A second, half an hour later, decides.",
        cure: "Wait: a list's name servers do not all change at once.",
    },
    State {
        id: "refused",
        word: "refused",
        mark: "⊘",
        chip: "still",
        means: "The list refuses whoever asks from here, so it says nothing: neither listed nor clear. \
                Lists refuse public resolvers, those that ask too much, and those that are not registered.",
        cure: "Ask by a resolver of your own (`delivery.resolvers`), register with the list, or give a \
               key of yours in `[[blocklist]]`.",
    },
    State {
        id: "broken",
        word: "fails test",
        mark: "!",
        chip: "still",
        means: "The list fails its own test: it does not list what it must, or lists what it must not \
                (RFC 5782 §5). So it says nothing about anybody.",
        cure: "Nothing is to be done for the mail. If it stays so, leave the list out: `ask = false` in \
               `[[blocklist]]`.",
    },
    State {
        id: "unreachable",
        word: "silent",
        mark: "…",
        chip: "still",
        means: "The list's name servers do not answer. What was known before stays.",
        cure: "If other lists answer, wait; if none does, look at the resolver (`delivery.resolvers`).",
    },
    State {
        id: "keyless",
        word: "no key",
        mark: "–",
        chip: "still",
        means: "The list is asked with a key only, and none is given.",
        cure: "Get a key from the list and name its file in `[[blocklist]]`, or leave the list out.",
    },
    State {
        id: "unasked",
        word: "not asked",
        mark: "·",
        chip: "still",
        means: "It was not asked yet. The first look comes a minute after the start.",
        cure: "",
    },
    State {
        id: "clear",
        word: "clear",
        mark: "✓",
        chip: "good",
        means: "The list passed its own test and does not have it.",
        cure: "",
    },
];

impl State {
    /// Of a cell, by its state and its colour: a listing that few heed is amber.
    pub(super) fn of(id: &str, colour: &str) -> Self {
        let known = STATES.iter().find(|state| state.id == id).copied();
        let state = known.unwrap_or(Self { id: "", word: "unknown", ..UNASKED });
        match (id, colour) {
            ("listed", "amber") => Self { chip: "warn", ..state },
            _ => state,
        }
    }

    /// Whether the list says anything.
    pub(super) fn is_silent(self) -> bool {
        matches!(self.id, "refused" | "broken" | "unreachable" | "keyless")
    }

    /// Whether it is listed, or may be.
    pub(super) fn is_listed(self) -> bool {
        matches!(self.id, "listed" | "suspected" | "clearing")
    }
}

const UNASKED: State = STATES[7];

#[cfg(test)]
mod tests {
    use postlane_checks::watch::Shown;

    use super::*;

    #[test]
    fn every_state_has_a_word_a_mark_and_a_meaning_of_its_own() {
        for (number, state) in STATES.iter().enumerate() {
            assert!(!state.means.is_empty());
            let others = &STATES[number + 1..];
            assert!(
                others.iter().all(|other| other.mark != state.mark && other.word != state.word)
            );
        }
        assert_eq!(UNASKED.id, Shown::Unasked.as_str());
        for shown in [Shown::Listed, Shown::Clear, Shown::Refused, Shown::Broken, Shown::Keyless] {
            assert_eq!(State::of(shown.as_str(), "").id, shown.as_str());
        }
        assert_eq!(State::of("listed", "amber").chip, "warn");
        assert_eq!(State::of("another", "").word, "unknown");
    }
}
