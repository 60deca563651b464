//! IDN-15, TLS-01 to TLS-03, BULK-18, BULK-19 and DK2-01: what one message alone hardly tells. They are
//! named in every report, so that nobody takes them for looked at.

use crate::check::Gate::Google;
use crate::check::{Check, Found};
use crate::looked::{Looked, MessageCheck, Run};
use crate::session;

fn certified(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.message.text("X-CSA-Complaints") {
        Some(text) => Found::pass(format!("X-CSA-Complaints: {text}")),
        None => Found::skip("whether the address is certified is not known"),
    }
}

fn dkim2(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.message.all("DKIM2-Signature").count() {
        0 => Found::info("not signed by DKIM2, which nobody asks for yet"),
        n => Found::info(format!(
            "{n} DKIM2 signatures; drafts still change, and nobody asks for them yet"
        )),
    }
}

/// What is named although it is hardly seen.
pub(crate) static CHECKS: [MessageCheck; 7] = [
    MessageCheck::left_open(
        Check::of_message(
            "IDN-15",
            "Campaigns and single mail go separate ways",
            &[],
            "Send campaigns with another subdomain, selector or pool than orders and passwords.",
            "Google, email sender guidelines",
        ),
        "one message does not tell: other mail of the sender is needed",
    ),
    MessageCheck {
        check: Check::of_message(
            "TLS-01",
            "It came over TLS",
            &[Google],
            "Let Postlane use STARTTLS where it is offered: it does unless told otherwise.",
            "RFC 3207",
        ),
        run: Run::Identity(session::encrypted),
    },
    MessageCheck {
        check: Check::of_message(
            "TLS-02",
            "TLS is of a version in use",
            &[],
            "Use TLS 1.2 or 1.3.",
            "RFC 8996",
        ),
        run: Run::Identity(session::version),
    },
    MessageCheck {
        check: Check::of_message(
            "TLS-03",
            "TLS has a cipher that holds",
            &[],
            "Use ciphers with authentication and forward secrecy (AEAD, ECDHE).",
            "RFC 9325",
        ),
        run: Run::Identity(session::cipher),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-18",
            "X-CSA-Complaints on certified mail",
            &[],
            "Add the field that the Certified Senders Alliance asks for.",
            "Certified Senders Alliance, admission criteria",
        ),
        run: Run::Identity(certified),
    },
    MessageCheck::left_open(
        Check::of_message(
            "BULK-19",
            "It is sent as it was before",
            &[],
            "Raise the volume slowly after a change of domain, signature or pool.",
            "common practice",
        ),
        "one message does not tell: mail of the last 30 days is needed",
    ),
    MessageCheck {
        check: Check::of_message(
            "DK2-01",
            "DKIM2 is seen",
            &[],
            "Nothing is to be done yet.",
            "draft-ietf-dkim-dkim2-spec",
        ),
        run: Run::Identity(dkim2),
    },
];
