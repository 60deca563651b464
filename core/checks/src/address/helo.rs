//! DNS-06 to DNS-08 and SPF-17: the name given with EHLO.

use std::net::IpAddr;

use postlane_mail::Instant;

use crate::check::Found;
use crate::dns::{Answer, Known, Name};
use crate::format::is_local;
use crate::spf::{self, Envelope, Verdict};

use super::sender::{Names, Sender};

const NOT_GIVEN: &str = "the name of EHLO is not given (--helo)";

pub(super) fn form(_: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let Some(helo) = sender.helo else { return Found::skip(NOT_GIVEN) };
    if helo.starts_with('[') || helo.ends_with(']') {
        return literal(helo, sender.address);
    }
    let is_host = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let why = if helo.parse::<IpAddr>().is_ok() {
        "is an address without brackets"
    } else if helo.contains('_') {
        "has an underscore"
    } else if !helo.trim_end_matches('.').split('.').all(is_host) || helo.len() > 253 {
        "is no host's name"
    } else if !helo.trim_end_matches('.').contains('.') {
        "has no dot"
    } else if is_local(helo.trim_end_matches('.')) {
        "means something in one house only"
    } else {
        return Found::pass(helo);
    };
    Found::fail(format!("{helo} {why}"))
}

/// An address in brackets (RFC 5321 §4.1.3).
fn literal(helo: &str, address: IpAddr) -> Option<Found> {
    let inside = helo.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let bare = inside.strip_prefix("IPv6:").unwrap_or(inside);
    match bare.parse::<IpAddr>() {
        Ok(said) if said == address => Found::warn(format!("{helo} is an address, not a name")),
        Ok(_) => Found::fail(format!("{helo} is another address than {address}")),
        Err(_) => Found::fail(format!("{helo} is no address")),
    }
}

/// The name, or what there is to say without one.
fn name(sender: Sender<'_>) -> Result<Name, Option<Found>> {
    let helo = sender.helo.ok_or_else(|| Found::skip(NOT_GIVEN))?;
    let parsed = Name::parse(helo).ok().filter(|_| !helo.starts_with('['));
    parsed.ok_or_else(|| Found::skip(format!("{helo} is no name")))
}

pub(super) fn forward(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let name = match name(sender) {
        Ok(name) => name,
        Err(found) => return found,
    };
    match known.ask(&sender.forward(&name))? {
        Answer::NoName => Found::fail(format!("there is no {name}")),
        Answer::Failed(failure) => Found::error(format!("{name}: {failure}")),
        answer if sender.is_in(answer) => Found::pass(format!("{name} has {}", sender.address)),
        _ => Found::warn(format!("{name} does not have {}", sender.address)),
    }
}

pub(super) fn is_reverse(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let name = match name(sender) {
        Ok(name) => name,
        Err(found) => return found,
    };
    match sender.names(known)? {
        Names::Some(names) if names.contains(&name) => Found::pass(format!("both are {name}")),
        Names::Some(names) => Found::warn(format!(
            "EHLO is {name}, the address is {}",
            names.first().map_or("", Name::as_str)
        )),
        Names::None => Found::skip("the address has no name"),
        Names::Unknown(why) => Found::error(why),
    }
}

pub(super) fn spf(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let name = match name(sender) {
        Ok(name) => name,
        Err(found) => return found,
    };
    let envelope = Envelope {
        address: sender.address,
        helo: name.as_str(),
        mail_from: "",
        receiver: "unknown",
        now: Instant::from_unix_s(0),
    };
    let explained = spf::check_host(known, &envelope)?;
    let evidence = format!("{} for {name}", explained.verdict.as_str());
    match explained.verdict {
        Verdict::Pass => Found::pass(evidence),
        Verdict::TempError => Found::error(evidence),
        Verdict::Fail | Verdict::PermError => Found::fail(evidence),
        _ => Found::info(evidence),
    }
}
