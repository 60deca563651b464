//! Bounces in JSON, as Amazon SES sends them by way of SNS mail.
//!
//! The forms are those of <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>,
//! written from memory of that page (unverified), and checked against real notifications.

use postlane_mail::Status;
use serde_json::Value;

use super::bounced::{BounceKind, Bounced};
use super::reply::{code_in, preferred, status_in};
use super::status_part::{RECIPIENTS_MAX, VALUE_OCTETS_MAX};
use crate::dsn::Action;

/// The recipients that a notification is about; none if the text is no notification.
pub(super) fn read_notification(text: &str) -> Vec<Bounced> {
    let Some(start) = text.find('{') else { return Vec::new() };
    // Mail hosts break lines over 990 octets with an exclamation mark.
    let json = text.get(start..).unwrap_or_default().replace("!\r\n ", "");
    let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Value>();
    let Some(Ok(mut outer)) = values.next() else { return Vec::new() };
    // SNS puts the notification as text into a letter of its own.
    if let Some(inner) = outer.get("Message").and_then(Value::as_str) {
        outer = serde_json::from_str(inner).unwrap_or(Value::Null);
    }
    let kind = word(&outer, "notificationType").or_else(|| word(&outer, "eventType"));
    let kind = kind.unwrap_or_default();
    let mut all = match kind.as_str() {
        "Bounce" => list(&outer, "bounce", "bouncedRecipients", bounced),
        "Complaint" => list(&outer, "complaint", "complainedRecipients", complained),
        "Delivery" => list(&outer, "delivery", "recipients", delivered),
        _ => Vec::new(),
    };
    let message_id = outer.get("mail").and_then(|mail| {
        let common = mail.get("commonHeaders").and_then(|headers| word(headers, "messageId"));
        common.filter(|id| id.starts_with('<'))
    });
    let reporting_mta = outer.get("bounce").and_then(|bounce| word(bounce, "reportingMTA"));
    let host = reporting_mta.map(|mta| mta.trim_start_matches("dns;").trim().to_owned());
    for bounced in &mut all {
        bounced.original_message_id.clone_from(&message_id);
        bounced.reporting_mta.clone_from(&host);
    }
    all
}

fn list(outer: &Value, part: &str, of: &str, read: fn(&Value, &Value) -> Bounced) -> Vec<Bounced> {
    let Some(part) = outer.get(part) else { return Vec::new() };
    let recipients = part.get(of).and_then(Value::as_array);
    recipients.into_iter().flatten().take(RECIPIENTS_MAX).map(|one| read(part, one)).collect()
}

fn bounced(_: &Value, one: &Value) -> Bounced {
    let mut bounced = Bounced::new(BounceKind::Dsn);
    bounced.recipient = word(one, "emailAddress");
    bounced.action =
        word(one, "action").and_then(|word| Action::parse(&word)).or(Some(Action::Failed));
    bounced.diagnostic = word(one, "diagnosticCode").map(|said| {
        let said = said.strip_prefix("smtp;").unwrap_or(&said);
        said.trim().to_owned()
    });
    let said = bounced.diagnostic.as_deref();
    let status = word(one, "status").and_then(|status| Status::parse(&status));
    bounced.status = preferred(status, said.and_then(status_in));
    bounced.code = said.and_then(|said| code_in(said, bounced.status));
    bounced
}

fn complained(part: &Value, one: &Value) -> Bounced {
    let mut complaint = Bounced::new(BounceKind::Feedback);
    complaint.recipient = word(one, "emailAddress");
    complaint.feedback = word(part, "complaintFeedbackType").or_else(|| Some("abuse".to_owned()));
    complaint
}

fn delivered(part: &Value, one: &Value) -> Bounced {
    let mut delivered = Bounced::new(BounceKind::Dsn);
    delivered.recipient = one.as_str().map(str::to_owned);
    delivered.action = Some(Action::Delivered);
    delivered.diagnostic = word(part, "smtpResponse");
    delivered
}

fn word(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?.trim();
    let text = text.get(..text.floor_char_boundary(VALUE_OCTETS_MAX))?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_in_json_is_read() {
        let inner = r#"{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"a@b.example","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{}}"#;
        let outer = serde_json::json!({ "Type": "Notification", "Message": inner });
        for text in [inner.to_owned(), format!("Hi\n{outer}\n--\nIf you wish …")] {
            let all = read_notification(&text);
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].recipient.as_deref(), Some("a@b.example"));
            assert_eq!(all[0].status, Some(Status::new(5, 1, 1)));
            assert_eq!(all[0].code.map(|code| code.number()), Some(550));
        }
        assert_eq!(read_notification("{\"a\": 1} {"), []);
        assert_eq!(read_notification(&"{\"a\":".repeat(100_000)), []);
    }
}
