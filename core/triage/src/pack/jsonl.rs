//! The samples for programs: one JSON object to a line.

use std::fmt::Write as _;

use postlane_mail::is_unruly;

use super::report::{Report, SampleRow};

pub(super) fn write(report: &Report<'_>) -> String {
    report.samples.iter().map(line).collect()
}

fn line(sample: &SampleRow) -> String {
    let mut line = String::from("{");
    for (name, value) in [
        ("at", sample.at.as_str()),
        ("queue_id", &sample.queue_id),
        ("message_id", &sample.message_id),
        ("sender", &sample.sender),
        ("recipient", &sample.recipient),
        ("source", &sample.source),
        ("ehlo", &sample.ehlo),
        ("mx_host", &sample.mx_host),
        ("tls", &sample.tls),
        ("stage", &sample.stage),
        ("reply", &sample.reply),
        ("label", sample.label),
        ("authentication", &sample.authentication),
    ] {
        if !value.is_empty() {
            let _ = write!(line, "\"{name}\":\"{}\",", escaped(value));
        }
    }
    let _ = writeln!(line, "\"attempt\":{}}}", sample.attempt);
    line
}

/// As a JSON string has it (RFC 8259 §7); whatever a terminal or a reader from right to left
/// would act on is escaped, too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if is_unruly(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out
}
