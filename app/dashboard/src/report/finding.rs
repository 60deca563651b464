//! What one check found, as a person reads it.

use super::catalogue;
use super::remedy::Remedy;
use super::told::CheckTold;
use crate::numbers::foreign;

/// What one check found.
pub(crate) struct Finding {
    /// The check: `SPF-04`.
    pub(crate) id: String,
    /// `pass`, `info`, `warn`, `fail`, `skip` or `error`.
    pub(crate) result: String,
    /// The colour that goes with it.
    pub(crate) chip: &'static str,
    /// The result in a word.
    pub(crate) word: &'static str,
    /// What it looks at.
    pub(crate) title: String,
    /// What was seen.
    pub(crate) evidence: String,
    /// What to do.
    pub(crate) remedy: Option<Remedy>,
    /// Where that is written.
    pub(crate) reference: String,
    /// Why it matters; empty where nobody says it.
    pub(crate) why: String,
    /// Who lets nobody pass without it.
    pub(crate) asked_by: String,
}

/// Results, the worst first: as JSON has them, the colour, and the word.
pub(super) const RESULTS: [(&str, &str, &str); 6] = [
    ("fail", "bad", "Fault"),
    ("error", "still", "Undetermined"),
    ("warn", "warn", "Warning"),
    ("info", "calm", "To know"),
    ("pass", "good", "Pass"),
    ("skip", "still", "Not applicable"),
];

/// The colour that goes with a result.
pub(crate) fn chip_of(result: &str) -> &'static str {
    RESULTS.iter().find(|(name, ..)| *name == result).map_or("still", |(_, chip, _)| chip)
}

/// A result in a word.
pub(crate) fn word_of(result: &str) -> &'static str {
    RESULTS.iter().find(|(name, ..)| *name == result).map_or("Undetermined", |(.., word)| word)
}

impl Finding {
    /// What a check found, by the check's name, the result, what was seen, what to do and where that
    /// is written.
    pub(crate) fn new(
        (id, result): (&str, &str),
        evidence: &str,
        (remedy, reference): (Option<&str>, &str),
    ) -> Self {
        Self {
            id: foreign(id),
            chip: chip_of(result),
            word: word_of(result),
            result: foreign(result),
            title: catalogue::title_of(id),
            evidence: foreign(evidence),
            remedy: remedy.filter(|text| !text.is_empty()).map(Remedy::of),
            reference: foreign(reference),
            why: String::new(),
            asked_by: catalogue::asked_by(id).join(", "),
        }
    }

    pub(super) fn of(told: &CheckTold) -> Self {
        let what = (told.id.as_str(), told.result.as_str());
        let cure = (told.remedy.as_deref(), told.reference.as_str());
        let mut finding = Self { why: foreign(&told.why), ..Self::new(what, &told.evidence, cure) };
        if !told.title.is_empty() {
            finding.title = foreign(&told.title);
        }
        finding
    }

    /// Whether somebody has to do something about it, or could not find out.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.result.as_str(), "fail" | "warn" | "error")
    }

    /// Whether it was found not to be as its title says.
    pub(crate) fn is_missed(&self) -> bool {
        matches!(self.result.as_str(), "fail" | "warn")
    }

    /// How bad it is: 0 for the worst.
    pub(super) fn rank(&self) -> usize {
        let place = RESULTS.iter().position(|(name, ..)| *name == self.result);
        place.unwrap_or(RESULTS.len())
    }
}
