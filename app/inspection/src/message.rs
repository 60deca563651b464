//! What was found of a message, as JSON.

use postlane_checks::dkim::Checked;
use postlane_checks::dmarc::{Evaluated, Method};
use postlane_checks::format::{address, date::MailDate};
use postlane_checks::{Arrived, Authentication, Report};
use serde_json::{Value, json};

use crate::report::report_as_json;
use crate::spf::spf_as_json;

/// As `postlane check message --json` has it.
pub fn message_as_json(
    arrived: &Arrived<'_>,
    authentication: &Authentication,
    report: &Report,
) -> Value {
    let Authentication { spf, dkim, dmarc, arc, arc_sets, .. } = authentication;
    let mut told = report_as_json(report);
    told["spf"] = json!(spf.as_ref().map(spf_as_json));
    told["dkim"] = dkim.iter().map(signature).collect();
    told["dmarc"] = json!(dmarc.as_ref().map(|found| {
        let mut told = policy(&found.tree_walk);
        told["method"] = method(found.tree_walk.method).into();
        told["psl"] = policy(&found.public_suffixes);
        told["treewalk"] = policy(&found.tree_walk);
        told
    }));
    told["arc"] = json!({"cv": format!("{arc:?}").to_ascii_lowercase(), "sets": arc_sets});
    told["fields"] = fields(arrived);
    told
}

fn signature(checked: &Checked) -> Value {
    let signature = checked.signature.as_ref();
    json!({
        "d": signature.map(|signature| signature.domain.to_string()),
        "s": signature.map(|signature| signature.selector.to_string()),
        "a": signature.map(|signature| signature.algorithm.as_str()),
        "result": checked.outcome.as_str(),
        "reason": checked.why.as_ref().map(ToString::to_string),
        "bh_ok": checked.body_is_intact,
        "key_bits": checked.key_bits,
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::TreeWalk => "treewalk",
        Method::PublicSuffixes => "psl",
    }
}

fn policy(found: &Evaluated) -> Value {
    json!({
        "result": found.verdict.as_str(),
        "policy": found.policy.map(|policy| policy.as_str()),
        "policy_domain": found.policy_domain.as_ref().map(ToString::to_string),
        "org_domain": found.organisation.to_string(),
        "spf_aligned": found.aligned.spf,
        "dkim_aligned": found.aligned.dkim,
    })
}

fn fields(arrived: &Arrived<'_>) -> Value {
    let message = &arrived.message;
    let date = message.text("Date").and_then(|text| MailDate::parse(&text).ok());
    let date = date.and_then(|date| jiff::Timestamp::from_second(date.unix_s).ok());
    let from = message.text("From").and_then(|text| address::parse(&text).ok());
    let from: Vec<String> = from
        .iter()
        .flat_map(|list| address::mailboxes(list))
        .map(|mailbox| format!("{}@{}", mailbox.local_part, mailbox.domain))
        .collect();
    json!({
        "date_utc": date.map(|date| date.to_string()),
        "from": from,
        "message_id": message.text("Message-ID"),
    })
}
