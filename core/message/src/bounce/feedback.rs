//! Complaints: somebody pressed a button (RFC 5965), or asked to be left out.

use super::address::{addresses, of_field};
use super::bounced::{BounceKind, Bounced};
use super::original::ReturnedMail;
use super::status_part::RECIPIENTS_MAX;
use crate::date::MailDate;
use crate::header::{Fields, unfolded};

/// Octets of a value that are kept, at most. Chosen, not measured.
const VALUE_OCTETS_MAX: usize = 4_096;

/// The recipients who complain; where the report hides them, one of whom only that is known.
pub(super) fn read_feedback(part: &[u8], mail: &ReturnedMail) -> Vec<Bounced> {
    let mut complaint = Bounced::new(BounceKind::Feedback);
    let mut recipients: Vec<String> = Vec::new();
    for field in Fields::new(part.trim_ascii_start()) {
        let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX)).unwrap_or_default();
        let value = String::from_utf8_lossy(&unfolded(value)).trim().to_owned();
        if field.is("Feedback-Type") {
            complaint.feedback = Some(value.to_ascii_lowercase());
        } else if field.is("Original-Rcpt-To") || field.is("Removal-Recipient") {
            let known = recipients.len() >= RECIPIENTS_MAX;
            recipients.extend(of_field(&value).filter(|to| !known && !recipients.contains(to)));
        } else if field.is("Arrival-Date") || field.is("Received-Date") {
            complaint.arrival = complaint.arrival.or_else(|| MailDate::parse(&value));
        } else if field.is("Reporting-MTA") {
            let host = value.split_once(';').map_or(value.as_str(), |(_, host)| host).trim();
            complaint.reporting_mta = Some(host.to_owned());
        } else if field.is("Original-Envelope-Id") {
            complaint.envid = Some(value);
        }
    }
    if recipients.is_empty() {
        recipients.extend(mail.to.clone());
    }
    let mut all: Vec<Bounced> = recipients
        .into_iter()
        .map(|to| Bounced { recipient: Some(to), ..complaint.clone() })
        .collect();
    if all.is_empty() {
        all.push(complaint);
    }
    all
}

/// A mail program's own request to be left out, in place of a click (Apple Mail).
pub(super) fn read_opt_out(text: &str, from: &str) -> Option<Bounced> {
    let asked = text.contains("Apple Mail sent this email to unsubscribe");
    let recipient = addresses(from).next().map(|found| found.address.to_owned());
    asked.then(|| Bounced {
        recipient,
        feedback: Some("opt-out".to_owned()),
        ..Bounced::new(BounceKind::Feedback)
    })
}

/// A complaint of an Outlook.com user, which is no report by RFC 5965: the message itself, with
/// a field that names the recipient. Written from memory of what arrives, unverified.
pub(super) fn read_hotmail(subject: &str, original: Option<&[u8]>) -> Option<Bounced> {
    if !subject.starts_with("complaint about message from") {
        return None;
    }
    let mut fields = Fields::new(original?);
    let field = fields.find(|field| field.is("X-HmXmrOriginalRecipient"))?;
    let value = field.value.get(..field.value.len().min(VALUE_OCTETS_MAX))?;
    let recipient = of_field(&String::from_utf8_lossy(&unfolded(value)))?;
    Some(Bounced {
        recipient: Some(recipient),
        feedback: Some("abuse".to_owned()),
        ..Bounced::new(BounceKind::Feedback)
    })
}
