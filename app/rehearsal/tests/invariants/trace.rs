//! A trace, read back.

use serde_json::Value;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) t_ms: u64,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Arrival { msg: u64, stream: String },
    Connect { conn: u64, source: String },
    Dispatch { conn: u64, source: String, msg: u64, stream: String, tenant: String },
    Reply { source: String, msg: Option<u64>, code: u64 },
    Close { source: String },
    Ended { msg: u64 },
    Lane { source: String, state: String, rate: f64, reason: String },
}

/// Every event of a trace, in order.
pub(crate) fn read(trace: &[u8]) -> Vec<Event> {
    let lines = trace.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| event(&serde_json::from_slice(line).unwrap())).collect()
}

fn event(line: &Value) -> Event {
    let number = |key: &str| line[key].as_u64();
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let conn = number("conn").unwrap_or_default();
    let msg = || number("msg").unwrap();
    let what = match line["event"].as_str().unwrap() {
        "arrival" => What::Arrival { msg: msg(), stream: text("stream") },
        "connect" => What::Connect { conn, source: text("source") },
        "dispatch" => What::Dispatch {
            conn,
            source: text("source"),
            msg: msg(),
            stream: text("stream"),
            tenant: text("tenant"),
        },
        "reply" => What::Reply {
            source: text("source"),
            msg: number("msg"),
            code: number("code").unwrap(),
        },
        "close" => What::Close { source: text("source") },
        "bounced" | "expired" => What::Ended { msg: msg() },
        "lane" => What::Lane {
            source: text("source"),
            state: text("state"),
            rate: line["rate"].as_f64().unwrap_or_default(),
            reason: text("reason"),
        },
        other => panic!("{other} is no event"),
    };
    Event { t_ms: number("t_ms").unwrap(), what }
}
