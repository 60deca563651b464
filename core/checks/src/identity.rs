//! IDN-03 to IDN-10: whose name a message carries, and who stands behind it.

use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::format::address;
use crate::format::{FREEMAIL, is_local, is_same_organisation};
use crate::looked::{Looked, MessageCheck, Run};
use crate::spf::Verdict;

/// Domains that services send from for those who have set up none of their own. From their
/// documentation, as widely seen in `Return-Path`; unverified memory, more may be missing.
const SERVICES: &[&str] = &[
    "amazonses.com",
    "sendgrid.net",
    "mailgun.org",
    "mailgun.net",
    "mcsv.net",
    "mcdlv.net",
    "mandrillapp.com",
    "sparkpostmail.com",
    "mtasv.net",
    "sendinblue.com",
    "brevosend.com",
    "mailjet.com",
    "constantcontact.com",
    "exacttarget.com",
    "hubspotemail.net",
    "elasticemail.com",
    "createsend.com",
    "cmail19.com",
    "klaviyomail.com",
    "rsgsv.net",
    "smtp2go.com",
    "postmarkapp.com",
];

/// Whether a domain is one that a service's customers share.
pub(crate) fn is_service(domain: &str) -> bool {
    SERVICES.iter().any(|service| is_same_organisation(domain, service))
}

fn reverse_path(looked: Looked<'_>) -> Option<Found> {
    let Some(client) = looked.arrived.client else {
        return Found::skip("the reverse-path is not known");
    };
    if client.mail_from.is_empty() {
        return Found::skip("the reverse-path is the null one");
    }
    let domain = client.mail_from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let evidence = format!("MAIL FROM:<{}>", client.mail_from);
    if !domain.contains('.') || is_local(domain) || domain.starts_with('[') {
        Found::fail(format!("{evidence}: nobody can answer there"))
    } else if is_service(domain) {
        Found::warn(format!("{evidence}: a domain of the service that sends"))
    } else {
        Found::pass(evidence)
    }
}

/// Whether the SPF domain, and any good signature's, are of the author's organisation; none
/// without an author.
fn aligned(looked: Looked<'_>) -> Option<(bool, bool)> {
    let auth = looked.authentication;
    let author = auth.author.as_ref()?.as_str();
    let spf = auth.spf_passed().is_some_and(|domain| is_same_organisation(domain, author));
    let dkim = auth.good_signers().any(|signer| is_same_organisation(signer.as_str(), author));
    Some((spf, dkim))
}

fn spf_aligned(looked: Looked<'_>) -> Option<Found> {
    let Some(spf) = &looked.authentication.spf else {
        return Found::skip("it is not known who brought the message");
    };
    let Some((is_spf, is_dkim)) = aligned(looked) else {
        return Found::skip("there is no single author");
    };
    let evidence = format!("SPF is {} for {}", spf.verdict.as_str(), spf.domain);
    match (is_spf, is_dkim, spf.verdict) {
        (true, ..) => Found::pass(evidence),
        (_, _, Verdict::TempError) => Found::error(evidence),
        (_, true, _) => Found::warn(format!("{evidence}; DKIM stands for the author")),
        _ => Found::fail(format!("{evidence}; nothing stands for the author")),
    }
}

fn dkim_aligned(looked: Looked<'_>) -> Option<Found> {
    let auth = looked.authentication;
    let Some(author) = &auth.author else { return Found::skip("there is no single author") };
    let signers: Vec<&str> = auth.good_signers().map(|name| name.as_str()).collect();
    let is_open = auth.dkim.iter().any(|c| c.outcome == crate::dkim::Outcome::TempError);
    if signers.iter().any(|signer| is_same_organisation(signer, author.as_str())) {
        Found::pass(format!("signed by {}", signers.join(", ")))
    } else if is_open {
        Found::error("a key could not be looked up")
    } else if signers.is_empty() {
        Found::fail(format!("no good signature: none of {author}, and none of anybody else"))
    } else {
        Found::fail(format!("signed by {} and not by {author}", signers.join(", ")))
    }
}

fn both(looked: Looked<'_>) -> Option<Found> {
    match aligned(looked) {
        None => Found::skip("there is no single author"),
        Some((true, true)) => Found::pass("SPF and DKIM both stand for the author"),
        Some((true, false)) => Found::info("only SPF stands for the author"),
        Some((false, true)) => Found::info("only DKIM stands for the author"),
        Some((false, false)) => Found::info("neither stands for the author"),
    }
}

/// The domain of a field's first address.
fn domain_of(looked: Looked<'_>, field: &str) -> Option<String> {
    let list = address::parse(&looked.arrived.message.text(field)?).ok()?;
    let first = address::mailboxes(&list).next()?;
    Some(first.domain.to_ascii_lowercase())
}

fn sender(looked: Looked<'_>) -> Option<Found> {
    let author = looked.authentication.author.as_ref();
    match (domain_of(looked, "Sender"), author) {
        (None, _) => Found::pass("there is no Sender"),
        (Some(sender), Some(author)) if is_same_organisation(&sender, author.as_str()) => {
            Found::pass(format!("Sender is of {sender}"))
        }
        (Some(sender), _) => Found::info(format!("{sender} sends on behalf of the author")),
    }
}

fn reply_to(looked: Looked<'_>) -> Option<Found> {
    let author = looked.authentication.author.as_ref().map_or("", |author| author.as_str());
    match domain_of(looked, "Reply-To") {
        None => Found::pass("there is no Reply-To"),
        Some(domain) if is_same_organisation(&domain, author) => Found::pass(domain),
        Some(domain) if FREEMAIL.contains(&&*domain) => {
            Found::warn(format!("answers go to {domain}, where anybody has a mailbox"))
        }
        Some(domain) => Found::info(format!("answers go to {domain}")),
    }
}

fn freemail(looked: Looked<'_>) -> Option<Found> {
    let Some(author) = &looked.authentication.author else {
        return Found::skip("there is no single author");
    };
    let is_freemail = FREEMAIL.contains(&author.as_str());
    match aligned(looked) {
        Some((false, false)) if is_freemail => {
            Found::fail(format!("{author} has neither sent nor signed it"))
        }
        _ if is_freemail => Found::pass(format!("{author} stands behind it")),
        _ => Found::pass(format!("{author} is not one where anybody has a mailbox")),
    }
}

fn not_only_the_service(looked: Looked<'_>) -> Option<Found> {
    let auth = looked.authentication;
    let Some((is_spf, is_dkim)) = aligned(looked) else {
        return Found::skip("there is no single author");
    };
    let signers: Vec<&str> = auth.good_signers().map(|name| name.as_str()).collect();
    let others: Vec<&&str> = signers.iter().filter(|signer| !is_service(signer)).collect();
    if is_dkim {
        Found::pass(format!("signed by {}", signers.join(", ")))
    } else if signers.is_empty() {
        Found::skip("there is no good signature")
    } else if is_spf || !others.is_empty() {
        Found::warn(format!("signed by {}, which is not the author's", signers.join(", ")))
    } else {
        Found::fail(format!("signed by the service alone: {}", signers.join(", ")))
    }
}

/// IDN-03 to IDN-10.
pub(crate) static CHECKS: [MessageCheck; 8] = [
    MessageCheck {
        check: Check::of_message(
            "IDN-03",
            "Reverse-path is of a domain of your own",
            &[],
            "Set up a return-path below your own domain.",
            "RFC 5321 §4.1.1.2",
        ),
        run: Run::Identity(reverse_path),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-04",
            "SPF stands for the author",
            &[Google, Yahoo, Microsoft],
            "Use a return-path below the domain of From, and let its SPF name who sends.",
            "RFC 9989 §4.4.2",
        ),
        run: Run::Identity(spf_aligned),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-05",
            "A good DKIM signature is of the author's domain",
            &[UnitedInternet],
            "Sign with d= the domain of From or one above it; at a service, publish its selectors \
             as CNAME.",
            "RFC 9989 §4.4.1; postmaster.web.de, requirements",
        ),
        run: Run::Identity(dkim_aligned),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-06",
            "SPF and DKIM both stand for the author",
            &[],
            "Set up the other one, too: it survives when one breaks on the way.",
            "RFC 9989 §4.4",
        ),
        run: Run::Identity(both),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-07",
            "Sender is of the author's organisation",
            &[],
            "Leave Sender out.",
            "RFC 5322 §3.6.2",
        ),
        run: Run::Identity(sender),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-08",
            "Answers go to the author's organisation",
            &[],
            "Name a mailbox of your own domain in Reply-To.",
            "RFC 5322 §3.6.2",
        ),
        run: Run::Identity(reply_to),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-09",
            "From is not of a mailbox provider that has not sent it",
            &[Google, UnitedInternet, Yahoo],
            "Write from a domain of your own.",
            "RFC 9989 §5; Google, email sender guidelines",
        ),
        run: Run::Identity(freemail),
    },
    MessageCheck {
        check: Check::of_message(
            "IDN-10",
            "Not the service alone has signed",
            &[UnitedInternet],
            "Set up your own DKIM domain at the service.",
            "RFC 9989 §4.4.1",
        ),
        run: Run::Identity(not_only_the_service),
    },
];
