//! A record held against one sender, as JSON.

use postlane_checks::spf::{Explained, Match, Step};
use serde_json::{Value, json};

/// As `postlane check spf --json` has it.
pub fn spf_as_json(explained: &Explained) -> Value {
    json!({
        "result": explained.verdict.as_str(),
        "domain": &*explained.domain,
        "why": explained.why.as_deref(),
        "explanation": explained.explanation.as_deref(),
        "lookups": explained.lookups,
        "voids": explained.voids,
        "tree": tree(&explained.tree),
    })
}

fn tree(step: &Step) -> Value {
    let terms = step.terms.iter().map(|seen| {
        let matched = match seen.matched {
            Match::Yes => "yes",
            Match::No => "no",
            Match::Broken => "broken",
        };
        json!({
            "term": &*seen.term,
            "name": seen.name.as_ref().map(ToString::to_string),
            "lookups": seen.lookups,
            "matched": matched,
            "below": seen.below.as_deref().map(tree),
        })
    });
    json!({
        "domain": &*step.domain,
        "record": step.record.as_deref(),
        "terms": terms.collect::<Vec<Value>>(),
    })
}
