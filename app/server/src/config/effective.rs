//! What holds: each setting with its value and where it comes from.

use super::declaration::{Change, SettingName};
use super::tree::Origin;

/// A setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Its name.
    pub name: SettingName,
    /// In a list, which entry it belongs to, from 1.
    pub number: Option<usize>,
    /// Its name with that of its section, where that has one: `lane."web.de".max_rate`.
    pub(super) place: Option<String>,
    /// Its value, as it would be written; secrets are not shown.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// When a change holds.
    pub change: Change,
    /// Differs when the value does, secrets too.
    pub(super) mark: u64,
}

impl Effective {
    /// The name as in a list, if it is in one: `source[2].address`.
    pub fn place(&self) -> String {
        if let Some(place) = &self.place {
            return place.clone();
        }
        match self.number {
            Some(number) => format!("{}[{number}].{}", self.name.section, self.name.key),
            None => self.name.to_string(),
        }
    }
}

/// A setting that is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// Which.
    pub name: SettingName,
    /// Whether it holds only after a restart.
    pub needs_restart: bool,
}

/// What is not the same in two configurations, each name once, in order.
pub(super) fn changes(old: &[Effective], new: &[Effective]) -> Vec<Changed> {
    let differs = |a: &Effective, others: &[Effective]| {
        let same = |b: &&Effective| {
            b.name == a.name
                && if a.place.is_some() { b.place == a.place } else { b.number == a.number }
        };
        // What nobody has said of an entry that is new, or that is gone, has not changed.
        let is_said = a.origin != Origin::Default;
        others.iter().find(same).map_or(is_said, |b| b.mark != a.mark)
    };
    let mut changed: Vec<Changed> = new
        .iter()
        .filter(|setting| differs(setting, old))
        .chain(old.iter().filter(|setting| differs(setting, new)))
        .map(|setting| Changed {
            name: setting.name,
            needs_restart: setting.change == Change::Restart,
        })
        .collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}
