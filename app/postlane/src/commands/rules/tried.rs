//! What rules would change, for replies that were recorded.

use std::collections::BTreeMap;
use std::path::Path;

use postlane_mail::Reply;
use postlane_replies::{Label, Scratch};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::print::{self, printable};
use crate::reach::Reach;
use crate::replies::{Known, Speaker, recorded};

/// How many changes are told apart. Chosen, not measured.
const CHANGES_MAX: usize = 10_000;

/// What was, and what would be.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    was: (Label, String),
    is: (Label, String),
}

pub(super) fn run(reach: &Reach, files: &[&Path], on: &Path) -> Result<Exit, Failure> {
    let (before, after) = (Known::built_in(), Known::with_files(files)?);
    let mut scratch = Scratch::default();
    let mut changes: BTreeMap<Change, (u64, Reply)> = BTreeMap::new();
    let (mut replies, mut changed) = (0_u64, 0_u64);
    recorded(on, |logged| {
        replies += 1;
        let speaker = before.speaker_of(&Speaker::default(), &logged);
        let mut asked = |known: &Known| {
            let diagnosis = known.book.diagnose(&mut scratch, speaker.heard(&logged.reply));
            (diagnosis.label, diagnosis.rule.map(|rule| rule.to_string()).unwrap_or_default())
        };
        let change = Change { was: asked(&before), is: asked(&after) };
        if change.was == change.is {
            return;
        }
        changed += 1;
        if changes.len() < CHANGES_MAX || changes.contains_key(&change) {
            changes.entry(change).or_insert_with(|| (0, logged.reply.clone())).0 += 1;
        }
    })?;
    let mut changes: Vec<_> = changes.into_iter().collect();
    changes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    if reach.json {
        tell_json(replies, changed, &changes);
    } else {
        tell(replies, changed, &changes);
    }
    Ok(if replies > 0 { Exit::Yes } else { Exit::No })
}

fn tell(replies: u64, changed: u64, changes: &[(Change, (u64, Reply))]) {
    print::line(&format!("{replies} replies, {changed} of them would be decided otherwise"));
    for (Change { was, is }, (count, example)) in changes {
        print::line("");
        let same = if was.0 == is.0 { ", the meaning is the same" } else { "" };
        print::line(&format!("{count:>8}  {} -> {}{same}", was.0, is.0));
        print::field("", &format!("{} -> {}", printable(&was.1), printable(&is.1)));
        print::field("", &format!("e.g. {}", printable(&example.to_string())));
    }
}

fn tell_json(replies: u64, changed: u64, changes: &[(Change, (u64, Reply))]) {
    let changes: Vec<_> = changes
        .iter()
        .map(|(Change { was, is }, (count, example))| {
            json!({
                "count": count,
                "was": { "label": was.0.name(), "rule": was.1 },
                "is": { "label": is.0.name(), "rule": is.1 },
                "example": example.to_string(),
            })
        })
        .collect();
    print::json(&json!({ "replies": replies, "changed": changed, "changes": changes }));
}
