//! DKIM-01 to DKIM-15, as far as they are about a message.

use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::looked::{Looked, MessageCheck, Run};

use crate::format::span;

use super::canon::Canon;
use super::signature::{Algorithm, Signature, SignatureFault};
use super::verify::{Checked, Outcome};
use super::why::Why;

/// The signatures that can be read.
fn read(looked: Looked<'_>) -> Vec<&Signature> {
    looked.authentication.dkim.iter().filter_map(|checked| checked.signature.as_ref()).collect()
}

/// The signatures that are good; where none is, all that can be read.
fn judged(looked: Looked<'_>) -> Vec<&Signature> {
    let all = &looked.authentication.dkim;
    let good = all.iter().filter(|checked| checked.outcome == Outcome::Pass);
    let good: Vec<&Signature> = good.filter_map(|checked| checked.signature.as_ref()).collect();
    if good.is_empty() { read(looked) } else { good }
}

const UNSIGNED: &str = "there is no signature that can be read";

fn present(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.message.all("DKIM-Signature").count() {
        0 => Found::fail("there is no DKIM-Signature"),
        n => Found::pass(format!("{n} signatures")),
    }
}

fn said(checked: &Checked) -> String {
    let who = checked.signature.as_ref().map_or_else(
        || "a signature".to_owned(),
        |signature| format!("d={} s={}", signature.domain, signature.selector),
    );
    match &checked.why {
        Some(why) => format!("{who}: {}: {why}", checked.outcome.as_str()),
        None => format!("{who}: pass"),
    }
}

fn verified(looked: Looked<'_>) -> Option<Found> {
    let all = &looked.authentication.dkim;
    let evidence: Vec<String> = all.iter().map(said).collect();
    let evidence = evidence.join("; ");
    let good = all.iter().filter(|checked| checked.outcome == Outcome::Pass).count();
    let is_open = all.iter().any(|checked| checked.outcome == Outcome::TempError);
    match (all.is_empty(), good) {
        (true, _) => Found::skip("there is no DKIM-Signature"),
        (_, 0) if is_open => Found::error(evidence),
        (_, 0) => Found::fail(evidence),
        (_, good) if good < all.len() => Found::warn(evidence),
        _ => Found::pass(evidence),
    }
}

fn algorithm(looked: Looked<'_>) -> Option<Found> {
    let signatures = read(looked);
    let all: Vec<&str> = signatures.iter().map(|signature| signature.algorithm.as_str()).collect();
    let is_sound = |signature: &&&Signature| signature.algorithm != Algorithm::RsaSha1;
    match (all.is_empty(), signatures.iter().any(|signature| is_sound(&signature))) {
        (true, _) => Found::skip(UNSIGNED),
        (_, true) => Found::pass(all.join(", ")),
        _ => Found::fail(all.join(", ")),
    }
}

fn not_ed25519_alone(looked: Looked<'_>) -> Option<Found> {
    let signatures = judged(looked);
    let is = |algorithm| signatures.iter().any(|s| s.algorithm == algorithm);
    match (signatures.is_empty(), is(Algorithm::RsaSha256), is(Algorithm::Ed25519Sha256)) {
        (true, ..) => Found::skip(UNSIGNED),
        (_, false, true) => Found::warn("only Ed25519, which many receivers do not read"),
        (_, true, true) => Found::pass("RSA and Ed25519"),
        _ => Found::pass("RSA"),
    }
}

/// Fields that a signature should cover: always, and where they are there (DKIM-09).
const COVERED: [&str; 6] = ["subject", "date", "to", "message-id", "mime-version", "content-type"];
const COVERED_IF_THERE: [&str; 3] = ["reply-to", "list-unsubscribe", "list-unsubscribe-post"];

fn coverage(looked: Looked<'_>) -> Option<Found> {
    let is_uncovered = looked
        .authentication
        .dkim
        .iter()
        .any(|checked| checked.why == Some(Why::Signature(SignatureFault::From)));
    let signatures = judged(looked);
    let message = &looked.arrived.message;
    let lacking = signatures.iter().map(|signature| {
        let names = COVERED.into_iter().chain(COVERED_IF_THERE);
        let there = names.filter(|name| message.all(name).next().is_some());
        let lacks = there.filter(|name| !signature.fields.iter().any(|field| **field == **name));
        lacks.collect::<Vec<&str>>()
    });
    match lacking.min_by_key(Vec::len) {
        None if is_uncovered => Found::fail("From is not signed"),
        None => Found::skip(UNSIGNED),
        Some(lacks) if lacks.is_empty() => Found::pass("what readers see is signed"),
        Some(lacks) => Found::warn(format!("{} is not signed", lacks.join(", "))),
    }
}

fn sealed(looked: Looked<'_>) -> Option<Found> {
    let message = &looked.arrived.message;
    let is_sealed = |signature: &&Signature| {
        let listed = signature.fields.iter().filter(|name| &***name == "from").count();
        listed > message.all("From").count()
    };
    let signatures = judged(looked);
    match (signatures.is_empty(), signatures.iter().any(is_sealed)) {
        (true, _) => Found::skip(UNSIGNED),
        (_, true) => Found::pass("nobody can add a From"),
        _ => Found::info("a second From could be added without breaking the signature"),
    }
}

fn whole_body(looked: Looked<'_>) -> Option<Found> {
    let signatures = judged(looked);
    let octets = looked.arrived.message.body().len() as u64;
    let cut: Vec<u64> = signatures.iter().filter_map(|signature| signature.body_octets).collect();
    match (signatures.is_empty(), cut.iter().min()) {
        (true, _) => Found::skip(UNSIGNED),
        (_, None) => Found::pass("the whole body is signed"),
        (_, Some(least)) if *least < octets => {
            Found::fail(format!("l={least}, and the body has {octets} octets"))
        }
        (_, Some(least)) => Found::warn(format!("l={least}: more could be added")),
    }
}

fn long(seconds: u64) -> String {
    span(i64::try_from(seconds).unwrap_or(i64::MAX))
}

const DAY: u64 = 86_400;

fn times(looked: Looked<'_>) -> Option<Found> {
    let now = looked.arrived.now.unix_s();
    let signatures = read(looked);
    if signatures.is_empty() {
        return Found::skip(UNSIGNED);
    }
    let mut odd = Vec::new();
    for signature in signatures {
        let domain = &signature.domain;
        match (signature.signed_at, signature.expires_at) {
            (_, Some(expires)) if expires < now => {
                return Found::fail(format!("d={domain}: expired {} ago", long(now - expires)));
            }
            (Some(signed), _) if signed > now.saturating_add(600) => {
                return Found::fail(format!("d={domain}: signed {} from now", long(signed - now)));
            }
            (Some(signed), Some(expires)) if expires.saturating_sub(signed) < 3 * DAY => {
                odd.push(format!("d={domain}: counts for less than three days"));
            }
            (Some(signed), Some(expires)) if expires.saturating_sub(signed) > 30 * DAY => {
                odd.push(format!("d={domain}: counts for more than 30 days"));
            }
            _ => {}
        }
    }
    if odd.is_empty() { Found::pass("t= and x= fit") } else { Found::warn(odd.join("; ")) }
}

fn identity(looked: Looked<'_>) -> Option<Found> {
    let all = &looked.authentication.dkim;
    let is_outside =
        all.iter().any(|checked| checked.why == Some(Why::Signature(SignatureFault::Identity)));
    match (all.is_empty(), is_outside) {
        (true, _) => Found::skip("there is no DKIM-Signature"),
        (_, true) => Found::fail("i= lies outside of d="),
        _ => Found::pass("i= lies within d="),
    }
}

fn canonical(looked: Looked<'_>) -> Option<Found> {
    let signatures = judged(looked);
    let all = signatures.iter().map(|signature| {
        format!("{}/{}", signature.header_canon.as_str(), signature.body_canon.as_str())
    });
    let all: Vec<String> = all.collect();
    let is_relaxed = signatures.iter().any(|s| s.header_canon == Canon::Relaxed);
    match (all.is_empty(), is_relaxed) {
        (true, _) => Found::skip(UNSIGNED),
        (_, true) => Found::pass(all.join(", ")),
        _ => Found::warn(format!("{}: a fold on the way breaks it", all.join(", "))),
    }
}

fn count(looked: Looked<'_>) -> Option<Found> {
    let count = looked.arrived.message.all("DKIM-Signature").count();
    let evidence = format!("{count} signatures");
    match count {
        0 => Found::skip("there is no DKIM-Signature"),
        1..=3 => Found::pass(evidence),
        4..=6 => Found::warn(evidence),
        _ => Found::info(format!("{evidence}; some receivers look at a few only")),
    }
}

/// Checks of signatures.
pub(crate) static CHECKS: [MessageCheck; 11] = [
    MessageCheck {
        check: Check::of_message(
            "DKIM-01",
            "The message is signed",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Have what sends your mail sign it, with d= your own domain, and publish the key.",
            "RFC 6376 §3.5",
        ),
        run: Run::Identity(present),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-02",
            "A signature is good",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "The first step that failed says where to look: a body that was changed (a footer, \
             another encoding), a header that was, a key that is not there.",
            "RFC 6376 §6.1",
        ),
        run: Run::Identity(verified),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-04",
            "A signature is of a sort that counts",
            &[],
            "Sign with rsa-sha256, and with ed25519-sha256 beside it if you like.",
            "RFC 8301 §3.1",
        ),
        run: Run::Identity(algorithm),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-06",
            "Ed25519 does not stand alone",
            &[],
            "Sign with RSA, too.",
            "RFC 8463 §3",
        ),
        run: Run::Identity(not_ed25519_alone),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-09",
            "What readers see is signed",
            &[],
            "Add the fields to the signer's list.",
            "RFC 6376 §5.4; RFC 8058 §4",
        ),
        run: Run::Identity(coverage),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-10",
            "Nobody can add a From",
            &[],
            "List From once oftener than it occurs.",
            "RFC 6376 §8.15",
        ),
        run: Run::Identity(sealed),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-11",
            "The whole body is signed",
            &[],
            "Leave l= out.",
            "RFC 6376 §8.2",
        ),
        run: Run::Identity(whole_body),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-12",
            "Signatures live as long as mail may wait",
            &[],
            "Set x= to the queue's lifetime and two days more, or leave it out.",
            "RFC 6376 §3.5",
        ),
        run: Run::Identity(times),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-13",
            "i= lies within d=",
            &[],
            "Leave i= out, or make it of the domain of d= or one below.",
            "RFC 6376 §3.5, §6.1.1",
        ),
        run: Run::Identity(identity),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-14",
            "The header's form bears the way",
            &[],
            "Sign with c=relaxed/relaxed.",
            "RFC 6376 §3.4",
        ),
        run: Run::Identity(canonical),
    },
    MessageCheck {
        check: Check::of_message(
            "DKIM-15",
            "Not too many signatures",
            &[],
            "Leave out signatures that nobody needs.",
            "RFC 6376 §6.1",
        ),
        run: Run::Identity(count),
    },
];
