//! DMARC-04 and DMARC-11: what receivers make of a message.

use crate::check::Gate::{Google, Microsoft, Yahoo};
use crate::check::{Check, Found};
use crate::format::is_same_organisation;
use crate::looked::{Looked, MessageCheck, Run};

use super::evaluate::Verdict;
use super::record::Alignment;

fn result(looked: Looked<'_>) -> Option<Found> {
    let Some(report) = &looked.authentication.dmarc else {
        return Found::skip("there is no single author");
    };
    let found = &report.tree_walk;
    let policy = found.policy.map_or("none published", |policy| policy.as_str());
    let place = found.policy_domain.as_ref().map(|domain| format!(" at {domain}"));
    let evidence =
        format!("{}; policy: {policy}{}", found.verdict.as_str(), place.unwrap_or_default());
    match found.verdict {
        Verdict::Pass => Found::pass(evidence),
        Verdict::TempError => Found::error(evidence),
        Verdict::Fail => Found::fail(evidence),
        Verdict::None if found.aligned.spf || found.aligned.dkim => {
            Found::warn("there is no policy; SPF or DKIM stands for the author")
        }
        Verdict::None => Found::fail("there is no policy, and nothing stands for the author"),
    }
}

fn strictness(looked: Looked<'_>) -> Option<Found> {
    let auth = looked.authentication;
    let Some(report) = &auth.dmarc else { return Found::skip("there is no single author") };
    let found = &report.tree_walk;
    let Some(record) = &found.record else { return Found::skip("there is no policy") };
    if (record.spf, record.dkim) == (Alignment::Relaxed, Alignment::Relaxed) {
        return Found::pass("both are relaxed");
    }
    let author = auth.author.as_ref().map_or("", |author| author.as_str());
    let spf = auth.spf_passed().is_some_and(|domain| is_same_organisation(domain, author));
    let dkim = auth.good_signers().any(|signer| is_same_organisation(signer.as_str(), author));
    if found.verdict == Verdict::Fail && (spf || dkim) {
        Found::fail(
            "the policy wants the very domain, and the message has another of the same house",
        )
    } else {
        Found::pass("the policy wants the very domain, and the message has it or nothing")
    }
}

/// DMARC-04 and DMARC-11.
pub(crate) static CHECKS: [MessageCheck; 2] = [
    MessageCheck {
        check: Check::of_message(
            "DMARC-04",
            "The author's domain stands behind the message",
            &[Google, Microsoft, Yahoo],
            "Let SPF or DKIM pass for the domain of From, and publish a policy: \
             `v=DMARC1; p=none; rua=mailto:…` will do.",
            "RFC 9989, determine DMARC pass or fail",
        ),
        run: Run::Identity(result),
    },
    MessageCheck {
        check: Check::of_message(
            "DMARC-11",
            "The policy is not stricter than the mail",
            &[],
            "Set adkim=r and aspf=r, or sign and send with the very domain of From.",
            "RFC 9989 §4.4",
        ),
        run: Run::Identity(strictness),
    },
];
