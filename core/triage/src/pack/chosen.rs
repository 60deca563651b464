//! Which refusals are shown: few, all kinds of them, and spread over the time.

use std::collections::BTreeMap;

use postlane_mail::{Code, Reply};
use postlane_replies::{cluster_of, read_reply};

use super::dossier::Attempt;

/// How many are shown at most: more than that nobody reads (chosen; postmasters ask for "some").
pub(super) const SAMPLES_MAX: usize = 20;

/// The refusals to show, in order of time: the rarer kinds first until each has been shown, then
/// those that lie farthest from all that are shown already.
pub(super) fn choose(refusals: &[Attempt]) -> Vec<&Attempt> {
    let mut kinds: BTreeMap<(&str, String), Vec<&Attempt>> = BTreeMap::new();
    for refusal in refusals {
        kinds.entry((&refusal.source, kind(refusal))).or_default().push(refusal);
    }
    let mut kinds: Vec<Vec<&Attempt>> = kinds.into_values().collect();
    for of_kind in &mut kinds {
        of_kind.sort_by_key(|refusal| (refusal.at, refusal.headers.is_none(), &refusal.recipient));
    }
    kinds.sort_by_key(Vec::len);
    let mut chosen: Vec<&Attempt> = Vec::new();
    let mut turn = 0;
    while chosen.len() < SAMPLES_MAX && kinds.iter().any(|of_kind| turn < of_kind.len()) {
        for of_kind in kinds.iter().filter(|of_kind| turn < of_kind.len()) {
            if chosen.len() >= SAMPLES_MAX {
                break;
            }
            let left = of_kind.iter().filter(|one| !chosen.iter().any(|have| have == *one));
            let distance = |one: &&&Attempt| {
                let near = chosen.iter().map(|have| have.at.0.abs_diff(one.at.0)).min();
                (one.headers.is_some(), near.unwrap_or(u64::MAX))
            };
            // The first of those that are equally far, so that the order of the log decides nothing.
            let best = left.fold(None, |best: Option<&&Attempt>, one| match best {
                Some(best) if distance(&best) >= distance(&one) => Some(best),
                _ => Some(one),
            });
            chosen.extend(best.copied());
        }
        turn += 1;
    }
    chosen.sort_by(|a, b| (a.at, &a.recipient, &a.reply).cmp(&(b.at, &b.recipient, &b.reply)));
    chosen
}

fn kind(refusal: &Attempt) -> String {
    let unsaid = Code::new(400).map(|code| Reply::new(code, refusal.reply.as_str()));
    read_reply(&refusal.reply).or(unsaid).map(|reply| cluster_of(&reply)).unwrap_or_default()
}
