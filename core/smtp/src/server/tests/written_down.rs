//! What was said is handed on with the message, without secrets and without the mail of others.

use super::*;

/// The lines that came with the last message, `C`, `S` or `-` before each.
fn lines_of(standing: &Standing, says: &[&str]) -> Vec<String> {
    let settings = Settings { transcript_octets: 4096, starttls: StartTls::Absent, ..settings() };
    let settings =
        Settings { auth: settings.auth.map(|auth| Auth { without_tls: true, ..auth }), ..settings };
    let mut server = Server::new(NOW, Arc::new(settings), peer(standing));
    let mut lines = Vec::new();
    for line in says {
        server.received(NOW, format!("{line}\r\n").as_bytes());
        while let Some(step) = server.poll() {
            match step {
                Step::Message(submission) => {
                    let said = submission.transcript.unwrap().lines;
                    lines = said
                        .iter()
                        .map(|said| format!("{} {}", mark(said.by), said.text))
                        .collect();
                    server.answered(NOW, &Verdict::Accepted(QueueId::from_bits(7)));
                }
                Step::Authenticate { .. } => {
                    server.authenticated(NOW, Login::Known(identity("acme")))
                }
                _ => {}
            }
        }
    }
    lines
}

fn mark(by: Speaker) -> char {
    match by {
        Speaker::Client => 'C',
        Speaker::Server => 'S',
        Speaker::Nobody => '-',
    }
}

const MESSAGE: [&str; 5] =
    ["MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA", "Subject: secret", "."];

#[test]
fn a_message_comes_with_what_was_said_and_not_with_itself() {
    let lines = lines_of(&Standing::Neighbour, &[&["EHLO client.example"], &MESSAGE[..]].concat());
    assert_eq!(lines[0], "S 220 relay.example ESMTP Postlane");
    assert_eq!(lines[1], "C EHLO client.example");
    let end: Vec<&str> = lines[lines.len() - 7..].iter().map(String::as_str).collect();
    assert_eq!(
        end,
        [
            "C MAIL FROM:<a@b.example>",
            "S 250 2.1.0 Ok",
            "C RCPT TO:<c@d.example>",
            "S 250 2.1.5 Ok",
            "C DATA",
            "S 354 End data with <CR><LF>.<CR><LF>",
            "C [17 octets of the message]",
        ]
    );
    assert!(!lines.join("\n").contains("secret"), "{lines:?}");
}

#[test]
fn passwords_are_left_out_however_they_are_sent() {
    for login in [
        &["AUTH PLAIN AGpvAGh1bnRlcjI="][..],
        &["auth  plain", "AGpvAGh1bnRlcjI="],
        &["AUTH LOGIN", "am8=", "aHVudGVyMg=="],
    ] {
        let lines = lines_of(&Standing::Stranger, &[&["EHLO a.example"], login, &MESSAGE].concat());
        let all = lines.join("\n");
        assert!(all.contains("[left out]") && all.contains("S 235 "), "{all}");
        assert!(!all.contains("AGpv") && !all.contains("aHVu") && !all.contains("am8="), "{all}");
    }
}

#[test]
fn what_was_said_of_another_message_of_the_session_is_not_told() {
    let other = ["MAIL FROM:<other@b.example>", "RCPT TO:<other@d.example>", "DATA", "x", "."];
    let hello = ["EHLO client.example"];
    let lines = lines_of(&Standing::Neighbour, &[&hello, &other[..], &MESSAGE].concat()).join("\n");
    assert!(lines.contains("EHLO client.example") && lines.contains("a@b.example"), "{lines}");
    assert!(!lines.contains("other@"), "{lines}");
}

#[test]
fn a_handshake_is_noted() {
    let settings = Settings { transcript_octets: 4096, ..settings() };
    let mut server = Server::new(NOW, Arc::new(settings), peer(&Standing::Neighbour));
    for line in ["EHLO a.example", "STARTTLS"] {
        server.received(NOW, format!("{line}\r\n").as_bytes());
    }
    assert!(matches!(server.poll(), Some(Step::StartTls)));
    server.tls_started(NOW, TlsFacts { version: "TLSv1.3", cipher: "X".into() });
    for line in [&["EHLO a.example"], &MESSAGE[..]].concat() {
        server.received(NOW, format!("{line}\r\n").as_bytes());
    }
    let Some(Step::Message(submission)) = server.poll() else { panic!("no message") };
    let said = submission.transcript.unwrap().lines;
    let noted: Vec<&Said> = said.iter().filter(|said| said.by == Speaker::Nobody).collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(&*noted[0].text, "TLS: TLSv1.3, X");
    assert_eq!(said.iter().filter(|said| &*said.text == "EHLO a.example").count(), 2);
}
