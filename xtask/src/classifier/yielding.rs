//! Which rules yield to the classifier: those for everybody whose wordings were too often wrong on replies that nobody had
//! read who wrote them.

use std::collections::BTreeMap;

use postlane_replies::{Label, Rank, RuleBook};

use super::lessons::Lesson;

/// How many replies a rule must have decided, of those it had not seen, before it is judged.
const DECIDED_MIN: usize = 8;
/// A rule yields that was right in less of 100.
const RIGHT_MIN: usize = 80;

/// A rule, how many replies it decided, and how many rightly.
pub(super) struct Record {
    pub(super) rule: String,
    pub(super) right: usize,
    pub(super) decided: usize,
}

/// The rules that yield, in the order of their names. What ends a recipient or holds a domain does not: the classifier never
/// acts, and by its confidence alone it would take such an end back.
pub(super) fn of(book: &RuleBook, lessons: &[Lesson]) -> Vec<Record> {
    let may_yield = |rule: &&postlane_replies::Rule| {
        let ends = |label: Label| label.suppresses() || label.holds_recipient_domain();
        rule.rank() <= Rank::Phrase
            && book.providers_of(rule).next().is_none()
            && !ends(rule.label())
    };
    let mut records: BTreeMap<&str, (Label, usize, usize)> = book
        .rules()
        .iter()
        .filter(may_yield)
        .map(|rule| (rule.name().as_str(), (rule.label(), 0, 0)))
        .collect();
    for lesson in lessons {
        let rule = lesson.decided_by.as_deref();
        if let Some((label, right, decided)) = rule.and_then(|rule| records.get_mut(rule)) {
            *decided += 1;
            *right += usize::from(lesson.label == *label);
        }
    }
    let all = records.into_iter().map(|(rule, (_, right, decided))| Record {
        rule: rule.to_owned(),
        right,
        decided,
    });
    all.filter(|of| of.decided >= DECIDED_MIN && of.right * 100 < of.decided * RIGHT_MIN).collect()
}
