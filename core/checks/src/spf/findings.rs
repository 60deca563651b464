//! SPF-04: what the record says of who brought a message.

use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::looked::{Looked, MessageCheck, Run};

use super::check::Verdict;

fn result(looked: Looked<'_>) -> Option<Found> {
    let auth = looked.authentication;
    let Some(spf) = &auth.spf else {
        return Found::skip("it is not known who brought the message");
    };
    let why = spf.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let evidence = format!(
        "{} for {} ({} of 10 lookups, {} of 2 void){why}",
        spf.verdict.as_str(),
        spf.domain,
        spf.lookups,
        spf.voids
    );
    let dmarc = auth.dmarc.as_ref();
    let is_signed = dmarc.is_some_and(|report| report.tree_walk.aligned.dkim);
    match spf.verdict {
        Verdict::Pass => Found::pass(evidence),
        Verdict::TempError => Found::error(evidence),
        Verdict::Fail | Verdict::PermError => Found::fail(evidence),
        _ if is_signed => Found::warn(format!("{evidence}; DKIM stands for the author")),
        _ => Found::fail(evidence),
    }
}

/// SPF-04.
pub(crate) static CHECKS: [MessageCheck; 1] = [MessageCheck {
    check: Check::of_message(
        "SPF-04",
        "SPF lets this address send for this domain",
        &[UnitedInternet, Google, Yahoo, Microsoft],
        "Add the address (ip4:, ip6:) or the service's include: to the record of the return-path's \
         domain; forwarders need SRS.",
        "RFC 7208 §2.6",
    ),
    run: Run::Identity(result),
}];
