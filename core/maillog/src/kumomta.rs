//! KumoMTA's delivery log: JSON lines, by its documentation of log records. Not yet held against
//! a log that KumoMTA wrote.

use serde_json::Value;

use postlane_mail::Stage;

use crate::attempt::Outcome;
use crate::record::{Record, Recorded, moment_of, tried};

/// What a record tells. Source: docs.kumomta.com, "Log Record", as remembered in 2026-11.
pub(crate) fn read(line: &[u8]) -> Recorded {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(line) else {
        return Recorded::Bad;
    };
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let moment = |key: &str| fields.get(key).and_then(Value::as_f64).and_then(moment_of);
    let outcome = match text("type") {
        "Delivery" => Outcome::Accepted,
        "TransientFailure" => Outcome::Deferred,
        "Bounce" => Outcome::Bounced,
        "Expiration" => Outcome::Expired,
        "" => return Recorded::Bad,
        _ => return Recorded::Nothing,
    };
    let Some(at) = moment("timestamp").or_else(|| moment("event_time")) else {
        return Recorded::Bad;
    };
    let peer = fields.get("peer_address").and_then(|peer| peer.get("name"));
    let recipient = fields
        .get("recipient")
        .and_then(|to| to.as_str().or_else(|| to.as_array().and_then(|all| all.first()?.as_str())));
    let mut record = Record::new(at, outcome);
    record.machine = text("nodeid").to_owned();
    record.instance = text("egress_source").to_owned();
    record.id = text("id").to_owned();
    record.recipient = recipient.unwrap_or_default().to_owned();
    record.host = peer.and_then(Value::as_str).unwrap_or_default().trim_end_matches('.').to_owned();
    record.arrived = moment("created");
    record.tried_before = fields.get("num_attempts").and_then(Value::as_u64).map(tried);
    if let Some(response) = fields.get("response") {
        record.said = said(response);
        record.stage = response.get("command").and_then(Value::as_str).and_then(stage);
    }
    Recorded::Try(Box::new(record))
}

/// Whether a line is one of its records.
pub(crate) fn is_line(line: &[u8]) -> bool {
    line.first() == Some(&b'{')
        && memchr::memmem::find(line, b"\"type\"").is_some()
        && memchr::memmem::find(line, b"\"egress_source\"").is_some()
}

/// The reply, put together again; its own words where it met no host have the code 400 or 500
/// and a `KumoMTA internal`.
fn said(response: &Value) -> String {
    let code = response.get("code").and_then(Value::as_u64).unwrap_or_default();
    let content = response.get("content").and_then(Value::as_str).unwrap_or_default();
    if content.contains("KumoMTA internal") {
        return content.to_owned();
    }
    let part = |name: &str| response.get("enhanced_code")?.get(name)?.as_u64();
    match (part("class"), part("subject"), part("detail")) {
        (Some(class), Some(subject), Some(detail)) => {
            format!("{code} {class}.{subject}.{detail} {content}")
        }
        _ => format!("{code} {content}"),
    }
}

fn stage(command: &str) -> Option<Stage> {
    let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
    Some(match verb.as_str() {
        "EHLO" | "HELO" => Stage::Ehlo,
        "MAIL" => Stage::Mail,
        "RCPT" => Stage::Rcpt,
        "DATA" => Stage::Data,
        "." => Stage::Dot,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_by_its_documented_fields() {
        let line = br#"{"type":"TransientFailure","id":"d7ef132b5d7711eea8c8000c29c33806","sender":"a@b.example","recipient":"jo@web.de","queue":"web.de","size":1047,"response":{"code":421,"enhanced_code":{"class":4,"subject":7,"detail":0},"content":"too many","command":"MAIL FROM:<a@b.example>"},"peer_address":{"name":"mx-ha03.web.de.","addr":"192.0.2.11"},"timestamp":1795284208,"created":1795284200,"num_attempts":2,"egress_pool":"p","egress_source":"ip-1","nodeid":"557f3ad4"}"#;
        assert!(is_line(line));
        let Recorded::Try(one) = read(line) else { panic!("it is a try") };
        assert_eq!((&*one.recipient, &*one.host), ("jo@web.de", "mx-ha03.web.de"));
        assert_eq!((&*one.said, one.stage), ("421 4.7.0 too many", Some(Stage::Mail)));
        assert_eq!((one.at.unix_s(), &*one.instance), (1_795_284_208, "ip-1"));
        assert_eq!(one.arrived.map(|at| at.unix_s()), Some(1_795_284_200));
        assert_eq!(one.tried_before, Some(tried(2)));
    }

    #[test]
    fn other_records_tell_nothing_and_rubbish_is_bad() {
        assert_eq!(read(br#"{"type":"Reception","timestamp":1}"#), Recorded::Nothing);
        for line in
            ["", "{", "[]", "{}", r#"{"type":"Bounce"}"#, r#"{"type":"Bounce","timestamp":-1}"#]
        {
            assert_eq!(read(line.as_bytes()), Recorded::Bad, "{line}");
        }
    }
}
