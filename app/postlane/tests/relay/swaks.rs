//! swaks as the client: it speaks SMTP as its options say, and shows all that is said.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::encrypted::make_certificate;
use crate::postfix::Postfix;
use crate::relay::{Home, Relay};

/// Mail goes nowhere.
const NOWHERE: &str = "[[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n";

/// What swaks ends with where a reply to one of these was not as it hoped; its manual, "EXIT CODES".
const DATA_REFUSED: i32 = 26;
const RCPT_REFUSED: i32 = 24;
const AUTH_REFUSED: i32 = 28;

/// Hands a message to the relay at `smtp` with these options. Gives how it ended and what was said.
fn swaks(smtp: SocketAddr, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("swaks");
    command.args(["--server", &smtp.to_string(), "--ehlo", "app.example", "--timeout", "60"]);
    command.args(["--from", "app@example.com", "--to", "jo@example.net"]).args(options);
    let output = command.stdin(Stdio::null()).output();
    let output = output.expect("swaks is missing: run `cargo xtask peers`");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn eight_bits_in_a_pipelined_message_pass_through_us_as_they_are() {
    let host = Postfix::with_mailboxes("");
    let relay = Relay::start(&["--route", &format!("*={}", host.smtp)]);
    // ISO 8859-1, which is no UTF-8.
    let body = b"Gr\xfc\xdfe\n.dot\n..dots\n\n \ttail \n";
    let file = relay.home().path().join("message");
    fs::write(&file, [b"Subject: hello\n\n", &body[..]].concat()).unwrap();
    let data = format!("@{}", file.display());
    let (code, said) = swaks(relay.smtp, &["--pipeline", "--data", &data]);
    assert_eq!(code, Some(0), "{said}");
    let behind_each_other =
        " -> MAIL FROM:<app@example.com>\n -> RCPT TO:<jo@example.net>\n -> DATA\n<-  250 2.1.0 ";
    assert!(said.contains(behind_each_other), "{said}");
    host.mail_for("jo@example.net");
    let mail = host.octets().remove(0);
    // swaks puts an empty line behind a message of its own.
    let end = [&body[..], b"\n"].concat();
    assert!(mail.ends_with(&end), "{}", mail.escape_ascii());
}

#[test]
fn a_message_that_is_too_large_is_refused_and_the_limit_is_told_before() {
    let home = Home::new();
    let text = "[limits]\nmessage_size = \"70KiB\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let relay = home.start_by_file(&format!("{text}{NOWHERE}"));
    let body = "a line of a large message\n".repeat(5_000);
    let file = relay.home().write("body", &body);
    let (code, said) = swaks(relay.smtp, &["--suppress-data", "--body", &format!("@{file}")]);
    assert!(said.contains("250-SIZE 71680\n"), "{said}");
    assert!(said.contains("552 5.3.4 "), "{said}");
    assert_eq!(code, Some(DATA_REFUSED), "{said}");
    assert_eq!(relay.ask(&["queue", "list"]).status.code(), Some(1));
}

#[test]
fn without_tls_no_password_is_asked_for_and_with_tls_only_the_right_one_will_do() {
    let home = Home::new();
    make_certificate(&home);
    home.write("password", "pencil\n");
    let relay = home.start_by_file(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"starttls\"\ncert = \"cert.pem\"\n\
         key = \"key.pem\"\nauth = \"required\"\n\
         [[credential]]\nuser = \"shop\"\npassword_file = \"password\"\n{NOWHERE}"
    ));
    let plain = ["--auth", "PLAIN", "--auth-user", "shop", "--auth-password"];
    let (code, said) = swaks(relay.smtp, &[&plain[..], &["pencil"]].concat());
    assert_eq!(code, Some(AUTH_REFUSED), "{said}");
    assert!(said.contains("Host did not advertise authentication"), "{said}");
    for mechanism in ["PLAIN", "LOGIN"] {
        let over_tls = ["--tls", "--auth", mechanism, "--auth-user", "shop", "--auth-password"];
        let (code, said) = swaks(relay.smtp, &[&over_tls[..], &["pencil"]].concat());
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("235 2.7.0 "), "{said}");
        let (code, said) = swaks(relay.smtp, &[&over_tls[..], &["pen"]].concat());
        assert_eq!(code, Some(AUTH_REFUSED), "{said}");
        assert!(said.contains("535 5.7.8 "), "{said}");
    }
    relay.list_until(|waits| waits.len() == 2);
}

#[test]
fn a_client_that_knows_no_ehlo_is_served() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let (code, said) = swaks(relay.smtp, &["--protocol", "SMTP"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" -> HELO app.example\n<-  250 "), "{said}");
    relay.list_until(|waits| waits.len() == 1);
}

#[test]
fn behind_a_balancer_only_whom_it_speaks_for_may_relay_who_may_anyway() {
    let relay = Home::new().start_by_file(&format!(
        "[relay]\nnetworks = [\"192.0.2.0/24\"]\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         proxy_protocol_from = [\"127.0.0.1\"]\n{NOWHERE}"
    ));
    let for_client = |client: &str| {
        swaks(
            relay.smtp,
            &[
                "--proxy-version",
                "2",
                "--proxy-family",
                "AF_INET",
                "--proxy-protocol",
                "STREAM",
                "--proxy-command",
                "PROXY",
                "--proxy-source",
                client,
                "--proxy-source-port",
                "40000",
                "--proxy-dest",
                "192.0.2.1",
                "--proxy-dest-port",
                "25",
            ],
        )
    };
    let (code, said) = for_client("192.0.2.7");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = for_client("203.0.113.7");
    assert_eq!(code, Some(RCPT_REFUSED), "{said}");
    assert!(said.contains("550 5.7.1 "), "{said}");
    relay.list_until(|waits| waits.len() == 1);
}
