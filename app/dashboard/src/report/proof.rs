//! What a report rests on: the SPF record term by term, each signature, the policy, and the chain of
//! forwarders.

use serde_json::Value;

use super::told::{BreakageTold, PolicyTold, SignatureTold, Told};
use crate::numbers::foreign;

/// What a report rests on, as far as there was such a look.
#[derive(Default)]
pub(crate) struct Proof {
    pub(crate) spf: Option<Spf>,
    pub(crate) signatures: Option<Vec<Signature>>,
    pub(crate) policies: Vec<Policy>,
    /// What the chain of forwarders is worth, and how long it is; empty where nobody looked.
    pub(crate) arc: String,
}

/// A record of SPF, with everything below it.
pub(crate) struct Spf {
    /// The result and why, or what there is.
    pub(crate) says: String,
    pub(crate) chip: &'static str,
    pub(crate) word: String,
    /// `4 of 10 lookups, 0 of 2 void`.
    pub(crate) cost: String,
    pub(crate) lines: Vec<Line>,
}

/// A line of the tree.
pub(crate) struct Line {
    /// How deep: 0 to 5; what is deeper stands there, too.
    pub(crate) depth: usize,
    pub(crate) text: String,
    pub(crate) lookups: u64,
    /// `yes`, `no`, `broken` or `record`.
    pub(crate) mark: &'static str,
}

/// A signature.
pub(crate) struct Signature {
    pub(crate) who: String,
    pub(crate) result: String,
    pub(crate) chip: &'static str,
    pub(crate) why: String,
    /// The body and the key, in a few words.
    pub(crate) facts: Vec<String>,
    pub(crate) breakage: Option<Breakage>,
}

/// What broke a signature.
pub(crate) struct Breakage {
    pub(crate) part: String,
    pub(crate) canonicalization: String,
    pub(crate) steps: String,
    pub(crate) signed_hash: String,
    pub(crate) canonical: String,
    pub(crate) explained_by: Vec<String>,
    pub(crate) advice: String,
}

/// A policy as one sort of receiver finds it.
pub(crate) struct Policy {
    pub(crate) method: &'static str,
    pub(crate) counts: bool,
    pub(crate) result: String,
    pub(crate) chip: &'static str,
    pub(crate) policy: String,
    pub(crate) place: String,
    pub(crate) organisation: String,
    /// Whether SPF and DKIM stand for the author; empty where no message was looked at.
    pub(crate) aligned: String,
}

/// Lines of a tree that are shown. Chosen, not measured: records end after ten lookups.
const LINES_MAX: usize = 300;

/// How far a line is moved in, at most.
const DEPTH_MAX: usize = 5;

impl Proof {
    pub(super) fn of(told: &Told) -> Self {
        let signatures = told.dkim.as_ref().map(|all| {
            all.iter().map(|signature| Signature::of(signature, &told.breakages)).collect()
        });
        let policies = told.dmarc.iter().flat_map(|dmarc| {
            let by_suffixes = dmarc.method == "psl";
            [
                Policy::of("Tree walk (RFC 9989)", !by_suffixes, &dmarc.treewalk),
                Policy::of("Public suffix list (RFC 7489)", by_suffixes, &dmarc.psl),
            ]
        });
        let arc = told.arc.as_ref().map(|arc| match arc.sets {
            0 => "No forwarder has sealed it.".to_owned(),
            1 => format!("cv={}, one set", foreign(&arc.cv)),
            sets => format!("cv={}, {sets} sets", foreign(&arc.cv)),
        });
        Self {
            spf: told.spf.as_ref().filter(|spf| spf.is_object()).map(Spf::of),
            signatures,
            policies: policies.collect(),
            arc: arc.unwrap_or_default(),
        }
    }

    pub(crate) fn has_bad_signature(&self) -> bool {
        self.signatures.iter().flatten().any(|signature| signature.chip == "bad")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spf.is_none() && self.signatures.is_none() && self.policies.is_empty()
    }
}

fn text(value: &Value, key: &str) -> String {
    foreign(value.get(key).and_then(Value::as_str).unwrap_or_default())
}

/// How many: a number, or the length of a list.
fn many(value: &Value, key: &str) -> u64 {
    let value = value.get(key);
    let listed = value.and_then(Value::as_array).map(|all| all.len() as u64);
    listed.or_else(|| value.and_then(Value::as_u64)).unwrap_or_default()
}

impl Spf {
    /// Of one sender with a result, or of all that a record leads to.
    fn of(spf: &Value) -> Self {
        let result = text(spf, "result");
        let cost =
            format!("{} of 10 lookups, {} of 2 void", many(spf, "lookups"), many(spf, "voids"));
        let mut lines = Vec::new();
        let tree = spf.get("tree").unwrap_or(&Value::Null);
        if result.is_empty() {
            published(tree, 0, &mut lines)
        } else {
            walked(tree, 0, &mut lines)
        }
        let why = [text(spf, "why"), text(spf, "explanation")];
        let why: Vec<String> = why.into_iter().filter(|why| !why.is_empty()).collect();
        let chip = match result.as_str() {
            "pass" => "good",
            "fail" | "permerror" => "bad",
            "softfail" => "warn",
            _ => "still",
        };
        let says = match why.is_empty() {
            true => format!("for {}", text(spf, "domain")),
            false => format!("for {}: {}", text(spf, "domain"), why.join("; ")),
        };
        Self { says, chip, word: result, cost, lines }
    }
}

/// A record, and what each of its terms came to.
fn walked(step: &Value, depth: usize, lines: &mut Vec<Line>) {
    let record = step.get("record").and_then(Value::as_str).unwrap_or("no record");
    put(lines, depth, (format!("{}: {}", text(step, "domain"), foreign(record)), 0), "record");
    for term in step.get("terms").and_then(Value::as_array).into_iter().flatten() {
        let mark = match term.get("matched").and_then(Value::as_str) {
            Some("yes") => "yes",
            Some("broken") => "broken",
            _ => "no",
        };
        let name = text(term, "name");
        let name = if name.is_empty() { name } else { format!(" → {name}") };
        let says = format!("{}{name}", text(term, "term"));
        put(lines, depth + 1, (says, many(term, "lookups")), mark);
        if let Some(below) = term.get("below").filter(|below| below.is_object())
            && lines.len() < LINES_MAX
        {
            walked(below, depth + 2, lines);
        }
    }
}

/// A record, and those it names.
fn published(branch: &Value, depth: usize, lines: &mut Vec<Line>) {
    let (via, state) = (text(branch, "via"), text(branch, "state"));
    let via = if via.is_empty() { via } else { format!("{via} → ") };
    let record = branch.get("record").and_then(Value::as_str).map(foreign);
    let mark = match state.as_str() {
        "found" => "record",
        "undetermined" => "no",
        _ => "broken",
    };
    let says = record.unwrap_or_else(|| match state.as_str() {
        "nothing" => "no record".to_owned(),
        "many" => "more than one record".to_owned(),
        "undetermined" => "could not be found out".to_owned(),
        "loop" => "leads back to itself".to_owned(),
        _ => "not followed any further".to_owned(),
    });
    put(lines, depth, (format!("{via}{}: {says}", text(branch, "domain")), 0), mark);
    for below in branch.get("below").and_then(Value::as_array).into_iter().flatten() {
        if lines.len() < LINES_MAX {
            published(below, depth + 1, lines);
        }
    }
}

fn put(lines: &mut Vec<Line>, depth: usize, (text, lookups): (String, u64), mark: &'static str) {
    if lines.len() < LINES_MAX {
        lines.push(Line { depth: depth.min(DEPTH_MAX), text, lookups, mark });
    }
}

impl Signature {
    fn of(told: &SignatureTold, breakages: &[BreakageTold]) -> Self {
        let part = |text: &Option<String>| foreign(text.as_deref().unwrap_or("?"));
        let of_it = |one: &&BreakageTold| {
            told.d.as_deref() == Some(&*one.domain) && told.s.as_deref() == Some(&*one.selector)
        };
        let is_good = told.result == "pass";
        let body = told.bh_ok.map(|ok| match ok {
            true => "the body is the one that was signed".to_owned(),
            false => "the body is not the one that was signed".to_owned(),
        });
        let key = told.key_bits.map(|bits| format!("a key of {bits} bits"));
        Self {
            who: format!("d={} s={} a={}", part(&told.d), part(&told.s), part(&told.a)),
            result: foreign(&told.result),
            chip: match told.result.as_str() {
                "pass" => "good",
                "temperror" | "neutral" => "still",
                "policy" => "warn",
                _ => "bad",
            },
            why: foreign(told.reason.as_deref().unwrap_or_default()),
            facts: [body, key].into_iter().flatten().collect(),
            breakage: breakages.iter().filter(|_| !is_good).find(of_it).map(Breakage::of),
        }
    }
}

impl Breakage {
    fn of(told: &BreakageTold) -> Self {
        Self {
            part: foreign(&told.part),
            canonicalization: foreign(&told.canonicalization),
            steps: foreign(&told.steps.join("; ")),
            signed_hash: foreign(&told.signed_hash),
            canonical: foreign(&told.canonical),
            explained_by: told.explained_by.iter().map(|says| foreign(says)).collect(),
            advice: foreign(&told.advice),
        }
    }
}

impl Policy {
    fn of(method: &'static str, counts: bool, told: &PolicyTold) -> Self {
        let stands = |is: bool| if is { "stands for the author" } else { "does not" };
        let aligned = told.spf_aligned.zip(told.dkim_aligned);
        let aligned =
            aligned.map(|(spf, dkim)| format!("SPF {}, DKIM {}", stands(spf), stands(dkim)));
        let or = |text: &Option<String>, none: &str| foreign(text.as_deref().unwrap_or(none));
        Self {
            method,
            counts,
            result: foreign(&told.result),
            chip: match told.result.as_str() {
                "pass" => "good",
                "fail" => "bad",
                _ => "still",
            },
            policy: or(&told.policy, "none published"),
            place: or(&told.policy_domain, "–"),
            organisation: foreign(&told.org_domain),
            aligned: aligned.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_told_term_by_term_with_what_each_cost() {
        let spf = json!({"result": "fail", "domain": "a.example", "lookups": 2, "voids": 1,
            "tree": {"domain": "a.example", "record": "v=spf1 include:b.example -all", "terms": [
                {"term": "include:b.example", "name": "b.example", "lookups": 1, "matched": "no",
                 "below": {"domain": "b.example", "record": null, "terms": []}},
                {"term": "-all", "name": null, "lookups": 0, "matched": "yes", "below": null}]}});
        let told = Spf::of(&spf);
        let lines: Vec<(usize, &str, &str)> =
            told.lines.iter().map(|line| (line.depth, &*line.text, line.mark)).collect();
        assert_eq!(
            lines,
            [
                (0, "a.example: v=spf1 include:b.example -all", "record"),
                (1, "include:b.example → b.example", "no"),
                (2, "b.example: no record", "record"),
                (1, "-all", "yes"),
            ]
        );
        assert_eq!((told.chip, told.cost.as_str()), ("bad", "2 of 10 lookups, 1 of 2 void"));
    }

    #[test]
    fn what_a_domain_publishes_is_a_tree_without_a_result() {
        let spf = json!({"domain": "a.example", "lookups": 1, "voids": ["b.example"],
            "tree": {"domain": "a.example", "via": null, "state": "found", "record": "v=spf1 -all",
                     "below": [{"domain": "b.example", "via": "include:b.example", "state": "nothing",
                                "record": null, "below": []}]}});
        let told = Spf::of(&spf);
        assert_eq!(told.lines[1].text, "include:b.example → b.example: no record");
        assert_eq!((told.lines[1].mark, told.word.as_str()), ("broken", ""));
        assert_eq!(told.cost, "1 of 10 lookups, 1 of 2 void");
    }

    #[test]
    fn a_tree_without_end_is_cut() {
        let deep = |below: Value| json!({"domain": "a", "state": "found", "record": "r", "below": [below]});
        let mut tree = json!({"domain": "a", "state": "loop", "below": []});
        for _ in 0..40 {
            tree = deep(tree);
        }
        let told = Spf::of(&json!({"domain": "a", "tree": tree}));
        assert!(told.lines.iter().all(|line| line.depth <= DEPTH_MAX));
        let wide = json!({"domain": "a", "state": "found", "record": "r",
                          "below": vec![json!({"domain": "b", "state": "cut"}); 999]});
        assert_eq!(Spf::of(&json!({"tree": wide})).lines.len(), LINES_MAX);
    }
}
