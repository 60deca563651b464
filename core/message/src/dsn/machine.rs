//! The part of a report that programs read (RFC 3464 §2, RFC 6533 §4).

use std::fmt::Write as _;

use postlane_mail::{LastReply, Mailbox, Reply};

use super::foreign::{Script, decoded_xtext, line, write_field};
use super::report::{Action, RecipientReport, Report};
use crate::date::MailDate;

/// Lines of a reply that are repeated, at most. Chosen, not measured.
pub(super) const REPLY_LINES_MAX: usize = 50;

/// Writes the fields about the message and, after an empty line each, about every recipient.
pub(super) fn write_status(out: &mut Vec<u8>, report: &Report<'_>, script: Script) {
    if let Some(envid) = report.original.envid {
        write_field(out, "Original-Envelope-Id", &[&line(&decoded_xtext(envid), script)]);
    }
    write_field(out, "Reporting-MTA", &[&format!("dns; {}", report.reporting_mta)]);
    write_field(out, "Arrival-Date", &[MailDate::of(report.original.arrived).as_str()]);
    for recipient in report.recipients {
        out.extend_from_slice(b"\r\n");
        write_recipient(out, report, recipient, script);
    }
}

fn write_recipient(
    out: &mut Vec<u8>,
    report: &Report<'_>,
    recipient: &RecipientReport<'_>,
    script: Script,
) {
    if let Some(orcpt) = recipient.orcpt {
        write_field(out, "Original-Recipient", &[&original_recipient(orcpt, script)]);
    }
    write_field(out, "Final-Recipient", &[&address(recipient.mailbox, script)]);
    write_field(out, "Action", &[recipient.action.as_str()]);
    write_field(out, "Status", &[&recipient.status.to_string()]);
    if let Some(said) = recipient.last_reply {
        if let Some(host) = host_name(said) {
            write_field(out, "Remote-MTA", &[&format!("dns; {}", line(host, script))]);
            write_diagnostic(out, &said.reply, script);
        }
        write_field(out, "Last-Attempt-Date", &[MailDate::of(said.at).as_str()]);
    }
    write_field(out, "Final-Log-ID", &[&report.original.id.to_string()]);
    if let (Action::Delayed, Some(until)) = (recipient.action, recipient.will_retry_until) {
        write_field(out, "Will-Retry-Until", &[MailDate::of(until).as_str()]);
    }
}

/// The reply as it was said, every line with its code (RFC 3464 §2.3.6, RFC 5321 §4.2.1).
fn write_diagnostic(out: &mut Vec<u8>, reply: &Reply, script: Script) {
    let lines = reply_lines(reply, script);
    let mut texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let first = format!("smtp; {}", texts.first().copied().unwrap_or_default());
    if let Some(slot) = texts.first_mut() {
        *slot = &first;
    }
    write_field(out, "Diagnostic-Code", &texts);
}

/// The lines of a reply with their codes, made harmless.
pub(super) fn reply_lines(reply: &Reply, script: Script) -> Vec<String> {
    let count = reply.lines().count();
    let texts = reply.lines().take(REPLY_LINES_MAX).enumerate();
    texts
        .map(|(i, text)| {
            let mark = if i + 1 == count { ' ' } else { '-' };
            format!("{}{mark}{}", reply.code(), line(text, script)).trim_end().to_owned()
        })
        .collect()
}

/// The name of the host that spoke, without the address behind it; none if it was us.
pub(super) fn host_name(said: &LastReply) -> Option<&str> {
    let host = said.host.trim();
    // A host that is known by its address alone is written as a literal.
    let end = host.char_indices().skip(1).find(|(_, c)| matches!(c, ' ' | '[' | '('));
    let name = end.map_or(host, |(at, _)| &host[..at]);
    (!name.is_empty()).then_some(name)
}

/// An address with its type (RFC 3464 §2.3.2, RFC 6533 §3).
fn address(mailbox: &Mailbox, script: Script) -> String {
    if !mailbox.needs_smtputf8() {
        return format!("rfc822; {mailbox}");
    }
    if script == Script::Utf8 {
        return format!("utf-8; {mailbox}");
    }
    let mut text = "utf-8; ".to_owned();
    for c in mailbox.as_str().chars() {
        // `utf-8-addr-xtext`: what has a meaning in xtext or here is written as a number, too.
        if c.is_ascii() && !matches!(c, '\\' | '+' | '=') {
            text.push(c);
        } else {
            let _ = write!(text, "\\x{{{:X}}}", u32::from(c));
        }
    }
    text
}

/// The address the sender gave, out of its xtext; one of type `utf-8` has its own coding.
fn original_recipient(orcpt: &str, script: Script) -> String {
    let (kind, text) = orcpt.split_once(';').unwrap_or(("rfc822", orcpt));
    let text =
        if kind.eq_ignore_ascii_case("utf-8") { text.to_owned() } else { decoded_xtext(text) };
    format!("{}; {}", line(kind, Script::Ascii), line(&text, script))
}
