//! A change of what a domain publishes: what was there, and what is.

use postlane_api::wire::{RecordChangeRow, Timestamp};

use super::sort::Sort;
use crate::moments;
use crate::numbers::{foreign, query};

/// A change, as it is shown.
pub(super) struct Change {
    pub(super) what: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// `added`, `removed` or `changed`, and the colour that goes with it.
    pub(super) how: String,
    pub(super) chip: &'static str,
    pub(super) at: String,
    pub(super) exact: String,
    pub(super) before: String,
    pub(super) removed: Vec<Text>,
    pub(super) added: Vec<Text>,
    /// What became of mail around that time.
    pub(super) log: String,
}

/// A record's text, in pieces: those that the other side does not have are marked.
pub(super) struct Text(pub(super) Vec<(String, bool)>);

impl Change {
    pub(super) fn of(row: &RecordChangeRow) -> Self {
        let at = moments::read(&row.at);
        let since = at.map(|at| moments::exact(at - postlane_mail::Span::from_h(2)));
        let until = at.map(|at| moments::exact(at + postlane_mail::Span::from_h(2)));
        let around = [
            ("kind", "deferred,bounced"),
            ("since", since.as_deref().unwrap_or_default()),
            ("until", until.as_deref().unwrap_or_default()),
        ];
        let sides = |own: &[String], other: &[String]| -> Vec<Text> {
            own.iter().map(|text| Text::beside(text, other)).collect()
        };
        Self {
            what: Sort::of(&row.name, &row.kind).says().to_owned(),
            name: foreign(&row.name),
            kind: foreign(&row.kind),
            chip: match row.what.as_str() {
                "added" => "good",
                "removed" => "bad",
                _ => "calm",
            },
            how: foreign(&row.what),
            at: moment(&row.at),
            exact: foreign(&row.at.0),
            before: moment(&row.before),
            removed: sides(&row.removed, &row.added),
            added: sides(&row.added, &row.removed),
            log: format!("/log?{}", query(&around)),
        }
    }

    /// `SPF changed`.
    pub(super) fn in_short(row: &RecordChangeRow) -> String {
        format!("{} {}", Sort::of(&row.name, &row.kind).says(), foreign(&row.what))
    }
}

impl Text {
    /// A text beside those of the other side: words that none of them has are marked. A text that
    /// has no counterpart is marked nowhere: all of it is new, or gone.
    fn beside(text: &str, others: &[String]) -> Self {
        if others.is_empty() {
            return Self(vec![(foreign(text), false)]);
        }
        let theirs: Vec<&str> = others.iter().flat_map(|other| other.split(' ')).collect();
        let words: Vec<(String, bool)> =
            text.split(' ').map(|word| (foreign(word), !theirs.contains(&word))).collect();
        let mut pieces: Vec<(String, bool)> = Vec::new();
        for (word, is_new) in words {
            match pieces.last_mut() {
                Some((piece, was_new)) if *was_new == is_new => {
                    piece.push(' ');
                    piece.push_str(&word);
                }
                Some((piece, _)) => {
                    piece.push(' ');
                    pieces.push((word, is_new));
                }
                None => pieces.push((word, is_new)),
            }
        }
        Self(pieces)
    }
}

/// `21 Nov 2026 14:05:09`.
pub(super) fn moment(at: &Timestamp) -> String {
    moments::read(at).map(moments::whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_other_side_does_not_have_is_marked() {
        let old = ["v=spf1 ip4:192.0.2.0/24 -all".to_owned()];
        let text = Text::beside("v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.7 -all", &old);
        let pieces: Vec<(&str, bool)> = text.0.iter().map(|(t, new)| (t.as_str(), *new)).collect();
        assert_eq!(
            pieces,
            [("v=spf1 ip4:192.0.2.0/24 ", false), ("ip4:198.51.100.7 ", true), ("-all", false)]
        );
        assert_eq!(Text::beside("a b", &[]).0, [("a b".to_owned(), false)]);
    }
}
