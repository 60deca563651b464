//! What has become better and worse since an earlier message of the same test.

use serde::{Deserialize, Serialize};

use crate::report::{Report, TestRow};

/// Two messages of a test, held against each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The number of the earlier message.
    pub with: u32,
    /// Checks that came out better, with what they were and are.
    pub better: Vec<Changed>,
    /// Checks that came out worse.
    pub worse: Vec<Changed>,
    /// Providers whose verdict is another.
    pub providers: Vec<Changed>,
}

/// One that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Which: a check's id, or a provider's name.
    pub what: String,
    /// A check's title; empty for a provider.
    pub title: String,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
}

/// What has changed from one to the next.
pub fn compare(earlier: &Report, later: &Report) -> Comparison {
    let mut found = Comparison { with: earlier.arrival.number, ..Comparison::default() };
    for row in &later.tests {
        let Some(was) = earlier.tests.iter().find(|was| was.id == row.id) else { continue };
        let (before, after) = (weight(was), weight(row));
        // What could not be seen once is neither better nor worse.
        let Some((before, after)) = before.zip(after) else { continue };
        let changed = || Changed {
            what: row.id.clone(),
            title: row.title.clone(),
            was: was.result.clone(),
            is: row.result.clone(),
        };
        match after.cmp(&before) {
            std::cmp::Ordering::Less => found.better.push(changed()),
            std::cmp::Ordering::Greater => found.worse.push(changed()),
            std::cmp::Ordering::Equal => {}
        }
    }
    for gate in &later.providers {
        let was = earlier.providers.iter().find(|was| was.id == gate.id);
        if let Some(was) = was.filter(|was| was.verdict != gate.verdict) {
            found.providers.push(Changed {
                what: gate.name.clone(),
                title: String::new(),
                was: was.verdict.clone(),
                is: gate.verdict.clone(),
            });
        }
    }
    found
}

/// How bad it is; none where it was not seen.
fn weight(row: &TestRow) -> Option<u8> {
    match row.result.as_str() {
        "pass" | "info" => Some(0),
        "warn" => Some(1),
        "fail" => Some(2),
        _ => None,
    }
}
