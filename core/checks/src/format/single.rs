//! FMT-12 to FMT-15, FMT-26, FMT-28 and FMT-30: fields that may stand there once, and what
//! stands in them.

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::{Answer, Kind, Known, Name, Question, Record};
use crate::message::text_of;

use super::address::{self, Address};
use super::from::{FREEMAIL, author, is_same_organisation};

/// Fields of which there is one at most (RFC 5322 §3.6, RFC 2045 §3); Date and From have checks
/// of their own.
const SINGLE: [&str; 12] = [
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

pub(super) fn once_each(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let counted = SINGLE.map(|name| (name, arrived.message.all(name).count()));
    let twice: Vec<String> = counted
        .iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, count)| format!("{name} stands there {count} times"))
        .collect();
    if twice.is_empty() {
        Found::pass("no field stands there twice")
    } else {
        Found::fail(twice.join("; "))
    }
}

pub(super) fn message_id(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let mut all = arrived.message.all("Message-ID");
    let Some(first) = all.next() else { return Found::fail("there is no Message-ID") };
    let more = all.count();
    if more > 0 {
        return Found::fail(format!("Message-ID stands there {} times", more + 1));
    }
    let text = text_of(first);
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some((left, right)) = inside.and_then(|inside| inside.split_once('@')) else {
        return Found::fail(format!("Message-ID: {text} is not <something@somewhere>"));
    };
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_graphic() && !b"<>@:\\\"(),;".contains(&b))
    };
    let is_literal = right.starts_with('[') && right.ends_with(']');
    if !is_plain(left) || !(is_plain(right) || is_literal) {
        return Found::fail(format!("Message-ID: {text} has what must not stand in it"));
    }
    if text.chars().count() > 250 {
        return Found::warn(format!("Message-ID has {} characters", text.chars().count()));
    }
    let is_host =
        Name::parse(right).is_ok_and(|name| name.as_str().contains('.')) && !is_local(right);
    if is_host { Found::pass(text) } else { Found::warn(format!("{right} is no whole domain")) }
}

/// Names that mean something in one house only (RFC 6761, RFC 6762).
pub(crate) fn is_local(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    domain == "localhost"
        || [".local", ".localhost", ".localdomain", ".internal", ".lan", ".home.arpa", ".invalid"]
            .iter()
            .any(|end| domain.ends_with(end))
}

pub(super) fn subject(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some(field) = arrived.message.all("Subject").next() else {
        return Found::info("there is no Subject");
    };
    let text = super::words::decoded(&text_of(field));
    match text.trim().chars().count() {
        0 => Found::info("Subject is empty"),
        n @ 1..=150 => Found::pass(format!("{n} characters")),
        n => Found::info(format!("Subject has {n} characters")),
    }
}

pub(super) fn destination(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let mut seen = Vec::new();
    for name in ["To", "Cc"] {
        let Some(text) = arrived.message.text(name) else { continue };
        match address::parse(&text) {
            Ok(list) if address::mailboxes(&list).next().is_some() => {
                return Found::pass(format!("{name}: {text}"));
            }
            Ok(_) => seen.push(format!("{name}: {text}: nobody is in that group")),
            Err(fault) if name == "To" => return Found::fail(format!("To: {text}: {fault}")),
            Err(fault) => seen.push(format!("Cc: {text}: {fault}")),
        }
    }
    if seen.is_empty() {
        seen.push("there is neither To nor Cc".to_owned());
    }
    Found::warn(seen.join("; "))
}

pub(super) fn reply_to(known: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some(text) = arrived.message.text("Reply-To") else {
        return Found::pass("there is no Reply-To");
    };
    let list = match address::parse(&text) {
        Ok(list) => list,
        Err(fault) => return Found::fail(format!("Reply-To: {text}: {fault}")),
    };
    if list.iter().any(|address| matches!(address, Address::Group { .. })) {
        return Found::fail(format!("Reply-To: {text}: nobody answers a group"));
    }
    let own = author(&arrived.message).map(|author| author.domain).unwrap_or_default();
    let domains: Vec<String> =
        address::mailboxes(&list).take(10).map(|m| m.domain.to_ascii_lowercase()).collect();
    for domain in &domains {
        let Ok(name) = Name::parse(domain) else {
            return Found::fail(format!("Reply-To: {domain} is no domain"));
        };
        if takes_no_mail(known, name)? {
            return Found::fail(format!("Reply-To: {domain} takes no mail (a null MX)"));
        }
    }
    let foreign = domains
        .iter()
        .find(|domain| FREEMAIL.contains(&domain.as_str()) && !is_same_organisation(domain, &own));
    match foreign {
        Some(domain) => Found::warn(format!("answers go to {domain}, the mail is of {own}")),
        None => Found::pass(format!("Reply-To: {text}")),
    }
}

/// Whether a domain says that it takes no mail (RFC 7505). What cannot be found out does not
/// say so.
fn takes_no_mail(known: &mut Known, name: Name) -> Option<bool> {
    let answer: &Answer = known.ask(&Question { name, kind: Kind::Mx })?;
    Some(matches!(answer.records(), [Record::Mx { exchange: None, .. }]))
}

pub(super) fn automatic(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let message = &arrived.message;
    let auto = message.text("Auto-Submitted").map(|text| text.to_ascii_lowercase());
    let precedence = message.text("Precedence").map(|text| text.to_ascii_lowercase());
    let is_list = message.all("List-Unsubscribe").next().is_some();
    match (auto.as_deref(), precedence.as_deref()) {
        (Some(auto), _) if is_list && auto != "no" => {
            Found::info(format!("Auto-Submitted: {auto} on mail that one can unsubscribe from"))
        }
        (_, Some(precedence @ ("bulk" | "junk" | "list"))) if !is_list => {
            Found::info(format!("Precedence: {precedence} without List-Unsubscribe"))
        }
        (None, None) => Found::pass("neither Auto-Submitted nor Precedence"),
        (auto, precedence) => Found::pass(format!(
            "Auto-Submitted: {}; Precedence: {}",
            auto.unwrap_or("none"),
            precedence.unwrap_or("none")
        )),
    }
}

/// Fields that the receiving side writes, or that give recipients away.
const NOT_OURS: [&str; 6] = [
    "Return-Path",
    "Bcc",
    "Delivered-To",
    "Authentication-Results",
    "Received-SPF",
    "X-Original-To",
];

pub(super) fn not_ours(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let found: Vec<&str> =
        NOT_OURS.into_iter().filter(|name| arrived.message.all(name).next().is_some()).collect();
    if found.is_empty() {
        Found::pass("none of them stands there")
    } else {
        Found::warn(format!("{} came with the message", found.join(", ")))
    }
}
