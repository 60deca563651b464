//! BULK-01 to BULK-04, BULK-13, BULK-14 and BULK-17, and ARC-01: what mail to many carries.

use crate::arc::Cv;
use crate::check::Gate::{Google, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::dkim::Outcome;
use crate::format::is_same_organisation;
use crate::looked::{Looked, MessageCheck, Run};

/// The addresses between `<` and `>` of a field.
fn links(text: &str) -> Vec<&str> {
    let behind = text.split('<').skip(1);
    behind.filter_map(|rest| rest.split_once('>').map(|(link, _)| link.trim())).collect()
}

/// What only mail to many must carry.
fn unless_transactional(looked: Looked<'_>, run: fn(Looked<'_>) -> Option<Found>) -> Option<Found> {
    if looked.arrived.is_transactional {
        return Found::skip("it is one person's own mail");
    }
    run(looked)
}

const NO_WAY_OUT: &str = "there is no List-Unsubscribe";

fn way_out(looked: Looked<'_>) -> Option<Found> {
    let Some(text) = looked.arrived.message.text("List-Unsubscribe") else {
        return Found::fail(NO_WAY_OUT);
    };
    let links = links(&text);
    let is_link = |link: &&str| {
        link.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
    };
    if links.is_empty() || !links.iter().all(is_link) {
        return Found::fail(format!("List-Unsubscribe: {text}: <address>, <address> is expected"));
    }
    Found::pass(links.join(", "))
}

fn https_way_out(looked: Looked<'_>) -> Option<Found> {
    let Some(text) = looked.arrived.message.text("List-Unsubscribe") else {
        return Found::skip(NO_WAY_OUT);
    };
    let links: Vec<String> = links(&text).into_iter().map(str::to_ascii_lowercase).collect();
    let secure = links.iter().filter(|link| link.starts_with("https://")).count();
    let plain = links.iter().filter(|link| link.starts_with("http://")).count();
    match (secure, plain) {
        (0, _) => Found::fail(format!("List-Unsubscribe: {text}: no https address")),
        (1, 0) => Found::pass(text.into_owned()),
        _ => Found::warn(format!("List-Unsubscribe: {text}: more than one address for the web")),
    }
}

fn one_click(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.message.text("List-Unsubscribe-Post") {
        Some(text) if text == "List-Unsubscribe=One-Click" => Found::pass(text.into_owned()),
        Some(text) => Found::fail(format!("List-Unsubscribe-Post: {text}")),
        None => Found::fail("there is no List-Unsubscribe-Post"),
    }
}

fn signed_way_out(looked: Looked<'_>) -> Option<Found> {
    let message = &looked.arrived.message;
    let names = ["list-unsubscribe", "list-unsubscribe-post"];
    if names.iter().any(|name| message.all(name).next().is_none()) {
        return Found::skip("one of the two fields is not there");
    }
    let all = &looked.authentication.dkim;
    let good = all.iter().filter(|checked| checked.outcome == Outcome::Pass);
    let covers = good.filter_map(|checked| checked.signature.as_ref()).any(|signature| {
        names.iter().all(|name| signature.fields.iter().any(|field| &**field == *name))
    });
    let is_open = all.iter().any(|checked| checked.outcome == Outcome::TempError);
    match (covers, is_open) {
        (true, _) => Found::pass("a good signature covers both"),
        (_, true) => Found::error("a key could not be looked up"),
        _ => Found::fail("no good signature covers both"),
    }
}

fn feedback_id(looked: Looked<'_>) -> Option<Found> {
    let Some(text) = looked.arrived.message.text("Feedback-ID") else {
        return Found::info("there is no Feedback-ID");
    };
    let pieces: Vec<&str> = text.split(':').collect();
    let sender = pieces.last().map_or(0, |sender| sender.trim().chars().count());
    if pieces.len() <= 4 && (5..=15).contains(&sender) {
        Found::pass(text.into_owned())
    } else {
        Found::info(format!(
            "Feedback-ID: {text}: at most four pieces, the last of 5 to 15 characters"
        ))
    }
}

fn complaints(looked: Looked<'_>) -> Option<Found> {
    let Some(text) = looked.arrived.message.text("CFBL-Address") else {
        return Found::info("there is no CFBL-Address");
    };
    let address = text.split(';').next().unwrap_or_default().trim();
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let author = looked.authentication.author.as_ref().map_or("", |author| author.as_str());
    let all = &looked.authentication.dkim;
    let covers = all.iter().filter(|checked| checked.outcome == Outcome::Pass).any(|checked| {
        checked.signature.as_ref().is_some_and(|signature| {
            signature.fields.iter().any(|field| &**field == "cfbl-address")
                && is_same_organisation(signature.domain.as_str(), domain)
        })
    });
    if covers && is_same_organisation(domain, author) {
        Found::pass(text.into_owned())
    } else {
        Found::fail(format!(
            "CFBL-Address: {text}: not of the author, or not signed by that domain"
        ))
    }
}

fn list_id(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.message.text("List-Id") {
        Some(text) => Found::pass(text.into_owned()),
        None => Found::info("there is no List-Id"),
    }
}

fn forwarders(looked: Looked<'_>) -> Option<Found> {
    let auth = looked.authentication;
    match (auth.arc, &auth.arc_fault) {
        (Cv::None, _) => Found::skip("nobody has forwarded it with ARC"),
        (Cv::Pass, _) => {
            Found::pass(format!("{} forwarders, each vouches for those before", auth.arc_sets))
        }
        (Cv::Fail, fault) => Found::warn(fault.as_deref().unwrap_or("the chain is broken")),
    }
}

/// What mail to many carries.
pub(crate) static CHECKS: [MessageCheck; 8] = [
    MessageCheck {
        check: Check::of_message(
            "BULK-01",
            "One can unsubscribe by a field",
            &[Google, Yahoo, UnitedInternet],
            "Add `List-Unsubscribe: <https://…>, <mailto:…>`.",
            "RFC 2369 §3.2",
        ),
        run: Run::Identity(|looked| unless_transactional(looked, way_out)),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-02",
            "… by one https address",
            &[Google],
            "Name one https address; mailto may stand beside it.",
            "RFC 8058 §3.1",
        ),
        run: Run::Identity(|looked| unless_transactional(looked, https_way_out)),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-03",
            "Unsubscribing takes one click",
            &[Google, Yahoo],
            "Add `List-Unsubscribe-Post: List-Unsubscribe=One-Click`, in exactly these letters.",
            "RFC 8058 §5",
        ),
        run: Run::Identity(|looked| unless_transactional(looked, one_click)),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-04",
            "Both fields are signed",
            &[],
            "Add both to the signer's list (h=).",
            "RFC 8058 §4",
        ),
        run: Run::Identity(|looked| unless_transactional(looked, signed_way_out)),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-13",
            "Feedback-ID names campaign and sender",
            &[],
            "Add `Feedback-ID: campaign:customer:type:sender`.",
            "Google, Feedback Loop",
        ),
        run: Run::Identity(feedback_id),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-14",
            "CFBL-Address is the author's, and signed",
            &[],
            "Use an address of the domain that signs, and sign the field.",
            "RFC 9477 §3",
        ),
        run: Run::Identity(complaints),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-17",
            "List-Id names the list",
            &[],
            "Add `List-Id: <list.example.com>`.",
            "RFC 2919",
        ),
        run: Run::Identity(list_id),
    },
    MessageCheck {
        check: Check::of_message(
            "ARC-01",
            "Forwarders can be believed",
            &[],
            "A sender adds no ARC: look where the message was forwarded.",
            "RFC 8617 §5",
        ),
        run: Run::Identity(forwarders),
    },
];
