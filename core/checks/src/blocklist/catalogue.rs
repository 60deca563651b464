//! BL-02, BL-10 and BL-11: the domains of a message; and what lists say, told as a finding.

use crate::address::Sender;
use crate::check::Gate::{Apple, UnitedInternet};
use crate::check::{Check, Found, Outcome};
use crate::dns::{Known, Name};
use crate::looked::{Looked, MessageCheck, Run};

use super::answer::{Reading, Unclear};
use super::list::{List, Lists};
use super::listing::{Subject, look_up};

/// What the lists of a check say of an address.
pub(crate) fn of_address(known: &mut Known, sender: Sender<'_>, check: &str) -> Option<Found> {
    of_subjects(known, &[Subject::Address(sender.address)], check)
}

/// Evidence of one list, as a clause.
fn told(list: &List, subject: &Subject, reading: &Reading) -> Vec<String> {
    match reading {
        Reading::NotListed => Vec::new(),
        Reading::Unclear(why) => vec![format!("{} ({}): {why}", list.name, list.shown_zone())],
        Reading::Listed(entries) => entries
            .iter()
            .map(|entry| {
                let (name, answer) = (&list.name, entry.answer);
                format!("{name}: {subject} is listed ({answer}): {}", entry.means)
            })
            .collect(),
    }
}

/// What the lists of a check say of some: the worst of it. A fault counts although another list
/// has not answered; else what is unclear makes the whole unclear.
fn of_subjects(known: &mut Known, subjects: &[Subject], check: &str) -> Option<Found> {
    let keys = known.keys().clone();
    let lists: Vec<&List> = Lists::built_in().all().filter(|list| list.check == check).collect();
    let mut all = Vec::new();
    for list in &lists {
        for subject in subjects {
            all.push((*list, subject, look_up(known, list, &keys, subject)));
        }
    }
    let (mut clauses, mut unclear) = (Vec::new(), Vec::new());
    let (mut worst, mut asked, mut without_key, mut delist) = (Outcome::Pass, 0, false, None);
    for (list, subject, reading) in all {
        let Some(reading) = reading? else { continue };
        match reading.outcome() {
            Outcome::Skip => without_key = true,
            Outcome::Error => unclear.extend(told(list, subject, &reading)),
            outcome => {
                asked += 1;
                clauses.extend(told(list, subject, &reading));
                worst = worst.max(outcome);
                if outcome >= Outcome::Warn {
                    delist = delist.or_else(|| list.delist.clone());
                }
            }
        }
    }
    unclear.dedup();
    let said =
        || format!("not on {}", lists.iter().map(|l| &*l.name).collect::<Vec<_>>().join(", "));
    let found = match worst {
        Outcome::Fail | Outcome::Warn => {
            clauses.extend(unclear);
            Found::new(worst, clauses.join("; "))
        }
        _ if !unclear.is_empty() => return Found::error(unclear.join("; ")),
        _ if asked == 0 && without_key => return Found::skip(Unclear::NoKey.to_string()),
        _ if asked == 0 => return Found::skip("the list has no entries of such"),
        _ if clauses.is_empty() => return Found::pass(said()),
        _ => return Some(Found::new(worst, clauses.join("; "))),
    };
    Some(match delist {
        Some(delist) => {
            found.fixed_by(format!("Mend the cause, then ask to be taken off: {delist}"))
        }
        None => found,
    })
}

/// Domains of one message that are asked for, at most. Chosen, not measured: a mail has about six.
const DOMAINS_MAX: usize = 20;

/// The domains a message shows or comes from: author, reverse-path, signers, EHLO, links.
fn domains(looked: Looked<'_>) -> Vec<Subject> {
    let auth = looked.authentication;
    let client = looked.arrived.client;
    let reverse_path = client.and_then(|c| c.mail_from.rsplit_once('@').map(|(_, domain)| domain));
    let helo = client.map(|client| client.helo);
    let signers = auth.dkim.iter().filter_map(|checked| Some(&checked.signature.as_ref()?.domain));
    let links = looked.content.links.iter().filter(|link| !link.is_literal());
    let names =
        auth.author.iter().map(Name::as_str).chain(reverse_path).chain(signers.map(Name::as_str));
    let names = names.chain(helo).chain(links.map(|link| &*link.host));
    let mut found = Vec::new();
    for name in names {
        // What has no public suffix is no domain that anybody could list.
        let Some(name) =
            Name::parse(name).ok().filter(|name| psl::domain(name.as_str().as_bytes()).is_some())
        else {
            continue;
        };
        let subject = Subject::Domain(name);
        if found.len() < DOMAINS_MAX && !found.contains(&subject) {
            found.push(subject);
        }
    }
    found
}

fn of_message(known: &mut Known, looked: Looked<'_>, check: &str) -> Option<Found> {
    let domains = domains(looked);
    if domains.is_empty() {
        return Found::skip("it names no domain");
    }
    of_subjects(known, &domains, check)
}

const REMEDY: &str = "Ask to be taken off when the cause is gone, and link by domains of your own.";

/// BL-02, BL-10 and BL-11.
pub(crate) static CHECKS: [MessageCheck; 3] = [
    MessageCheck {
        check: Check::of_message(
            "BL-02",
            "Spamhaus DBL",
            &[UnitedInternet, Apple],
            REMEDY,
            "https://www.spamhaus.org/faqs/domain-blocklist/",
        ),
        run: Run::Asking(|known, looked| of_message(known, looked, "BL-02")),
    },
    MessageCheck {
        check: Check::of_message("BL-10", "SURBL", &[], REMEDY, "https://surbl.org/lists"),
        run: Run::Asking(|known, looked| of_message(known, looked, "BL-10")),
    },
    MessageCheck {
        check: Check::of_message("BL-11", "URIBL", &[], REMEDY, "https://uribl.com/about.shtml"),
        run: Run::Asking(|known, looked| of_message(known, looked, "BL-11")),
    },
];
