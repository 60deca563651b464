//! What was found of a domain, as JSON.

use postlane_checks::dmarc::Evaluated;
use postlane_checks::spf::{Branch, Published};
use postlane_checks::{DomainReport, Name, Report, SendingDomain};
use serde_json::{Value, json};

use crate::report::report_as_json;

/// Selectors that many have: of programs by default, and of services. From their documentation,
/// as widely seen; more may be missing.
pub const COMMON_SELECTORS: [&str; 18] = [
    "default",
    "dkim",
    "mail",
    "smtp",
    "s1",
    "s2",
    "k1",
    "k2",
    "k3",
    "selector1",
    "selector2",
    "google",
    "mandrill",
    "pm",
    "fm1",
    "fm2",
    "zoho",
    "postlane",
];

/// As `postlane check domain --json` has it.
pub fn domain_as_json(asked: &SendingDomain, found: &DomainReport, report: &Report) -> Value {
    let names = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let survey = &found.spf;
    let mut dmarc = policy(&found.dmarc.tree_walk);
    dmarc["psl"] = policy(&found.dmarc.public_suffixes);
    dmarc["treewalk"] = policy(&found.dmarc.tree_walk);
    let mut told = report_as_json(report);
    told["domain"] = asked.name.to_string().into();
    told["spf"] = json!({
        "domain": survey.top.domain.to_string(),
        "lookups": survey.lookups,
        "voids": names(&survey.voids),
        "undetermined": names(&survey.open),
        "addresses": survey.addresses(),
        "is_cut": survey.is_cut,
        "tree": tree(&survey.top),
    });
    told["dmarc"] = dmarc;
    told
}

fn tree(branch: &Branch) -> Value {
    let (record, state) = match &branch.published {
        Published::One { text, .. } => (Some(&**text), "found"),
        Published::Nothing => (None, "nothing"),
        Published::Many(_) => (None, "many"),
        Published::Open(_) => (None, "undetermined"),
        Published::Loop => (None, "loop"),
        Published::Cut => (None, "cut"),
    };
    json!({
        "domain": branch.domain.to_string(),
        "via": branch.via.as_deref(),
        "state": state,
        "record": record,
        "below": branch.below.iter().map(tree).collect::<Vec<Value>>(),
    })
}

fn policy(found: &Evaluated) -> Value {
    json!({
        "policy": found.policy.map(|policy| policy.as_str()),
        "policy_domain": found.policy_domain.as_ref().map(ToString::to_string),
        "org_domain": found.organisation.to_string(),
    })
}
