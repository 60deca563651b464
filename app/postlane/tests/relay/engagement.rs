//! What a sender says of its recipients' engagement.

use crate::relay::{Home, Relay};
use crate::sink::Sink;

fn relay(host: &Sink, more: &str) -> Relay {
    Home::new().start_by_file(&format!(
        "{more}[[route]]\npattern = \"*\"\nto = \"{}\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    ))
}

fn message(fields: &str) -> String {
    format!("{fields}Subject: hi\r\n\r\nhi")
}

#[test]
fn when_a_recipient_was_engaged_is_for_us_alone() {
    let host = Sink::start(&[]);
    let relay = relay(&host, "");
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    let text = message("X-Postlane-Engaged-At: 2020-02-29\r\n");
    let id = client.hand_over("app@example.com", &["jo@example.net"], &text);
    relay.logged(&[&format!(" event=delivered id={id} ")]);
    let got = host.message_to("jo@example.net");
    assert!(!got.contains("X-Postlane") && got.contains("Subject: hi"), "{got}");
}

#[test]
fn mail_to_dormant_recipients_is_refused_where_that_is_said() {
    let host = Sink::start(&[]);
    let relay = relay(&host, "[engagement]\ndormant = \"refused\"\ndormant_after = \"200d\"\n");
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    let mut said_to = |fields: &str| {
        for line in ["MAIL FROM:<app@example.com>", "RCPT TO:<jo@example.net>"] {
            assert!(client.say(line).starts_with("250"));
        }
        assert!(client.say("DATA").starts_with("354"));
        client.say(&format!("{}\r\n.", message(fields)))
    };
    let said = said_to("X-Postlane-Engaged-At: Sat, 29 Feb 2020 08:00:00 +0000\r\n");
    assert!(said.starts_with("554 5.7.1 The recipient has been quiet"), "{said}");
    let transactional = "X-Postlane-Stream: transactional\r\nX-Postlane-Engaged-At: 2020-02-29\r\n";
    for fields in ["", transactional, "X-Postlane-Engaged-At: some day\r\n"] {
        let said = said_to(fields);
        assert!(said.starts_with("250"), "{fields}: {said}");
    }
}
