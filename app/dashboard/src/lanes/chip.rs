//! What a lane does, in one word with a colour, and how worried one has to be.

/// What a lane does, in one word. Its colour comes with the word, never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chip {
    Healthy,
    Restart(u16),
    Steady,
    Held,
    Quarantined,
    Resting,
}

impl Chip {
    /// As the API says it.
    pub(crate) fn of(state: &str, restart_day: Option<u16>, is_quarantined: bool) -> Self {
        match state {
            "held" => Self::Held,
            _ if is_quarantined => Self::Quarantined,
            "resting" => Self::Resting,
            "steady" => Self::Steady,
            "restart" => Self::Restart(restart_day.unwrap_or(1)),
            _ => Self::Healthy,
        }
    }

    /// The word.
    pub(crate) fn says(self) -> String {
        match self {
            Self::Restart(day) => format!("Restart day {day}"),
            other => other.name().to_owned(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Restart(_) => "Restart",
            Self::Steady => "Steady",
            Self::Held => "Held",
            Self::Quarantined => "Quarantined",
            Self::Resting => "Resting",
        }
    }

    /// As addresses have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            other => other.class(),
        }
    }

    /// How worried one has to be, the least 0.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Restart(_) => 1,
            Self::Steady => 2,
            Self::Held => 3,
            Self::Quarantined => 4,
            Self::Resting => 5,
        }
    }

    /// What it means, for who points at it.
    pub(crate) fn means(self) -> &'static str {
        match self {
            Self::Healthy => "It sends, and grows or looks for its rate",
            Self::Restart(_) => "A restart plan caps what it sends a day",
            Self::Steady => "It keeps its rate: some fresh mail is deferred",
            Self::Held => "An operator's order stops some or all of it",
            Self::Quarantined => "Its source alone is refused; its mail goes by the others",
            Self::Resting => "The provider refused; it waits until one message may ask again",
        }
    }

    /// Its class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Restart(_) => "restart",
            Self::Steady => "steady",
            Self::Held => "held",
            Self::Quarantined => "resting",
            Self::Resting => "resting",
        }
    }
}

/// How much fresh mail is deferred: at most 2 %, less than 10 %, or more (SCREENS, screen 1).
pub(crate) fn band(share: f64) -> &'static str {
    if share <= 0.02 {
        "good"
    } else if share < 0.10 {
        "warn"
    } else {
        "bad"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts_of_several_and_an_order_beats_a_quarantine() {
        assert_eq!(
            [Chip::Healthy, Chip::Resting, Chip::Steady].into_iter().max(),
            Some(Chip::Resting)
        );
        assert_eq!(Chip::of("held", None, true), Chip::Held);
        assert_eq!(Chip::of("healthy", None, true), Chip::Quarantined);
        assert_eq!(Chip::of("restart", Some(3), false).says(), "Restart day 3");
        assert_eq!([0.02, 0.021, 0.1].map(band), ["good", "warn", "bad"]);
    }
}
