//! AUTH, its mechanisms, and who is let in.

use super::*;

/// AUTH without TLS.
fn open() -> Settings {
    let mut settings = Settings { starttls: StartTls::Absent, ..settings() };
    settings.auth.as_mut().unwrap().without_tls = true;
    settings
}

const HELLO_AUTH: &str = "
    S: 220 relay.example ESMTP Postlane
    C: EHLO client.example
    S: 250-relay.example
    S: 250-PIPELINING
    S: 250-SIZE 52428800
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
    S: 250-CHUNKING
    S: 250 ENHANCEDSTATUSCODES
";

fn check_auth(script: &str) {
    check(&open(), &Standing::Stranger, &format!("{HELLO_AUTH}{script}"));
}

#[test]
fn auth_is_not_offered_where_somebody_could_listen() {
    let mut play = Play::of(&settings(), &Standing::Stranger, 1);
    play.hear(b"EHLO x\r\n");
    assert!(!String::from_utf8(play.said.clone()).unwrap().contains("AUTH"));
    play.said.clear();
    play.hear(b"AUTH PLAIN AHUAcA==\r\n");
    assert_eq!(play.said, b"538 5.7.11 Encryption required: say STARTTLS first\r\n");
}

#[test]
fn a_user_by_plain_may_relay_and_sends_the_tenant_s_mail() {
    check_auth(&format!(
        "
        C: AUTH PLAIN AHUAcA==
        = auth u p
        ! known acme
        S: 235 2.7.0 Authentication successful
        C: AUTH PLAIN AHUAcA==
        S: 503 5.5.1 Not in a message, and only once
        {TO_DATA}
        C: .
        = ESMTPA of acme <a@b.example> -> c@d.example: \"\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    ));
}

#[test]
fn plain_waits_for_its_response_and_may_be_cancelled() {
    check_auth(
        "
        C: AUTH PLAIN
        S: 334
        C: *
        S: 501 5.7.0 Authentication cancelled
        C: AUTH PLAIN
        S: 334
        C: AHUAcA==
        = auth u p
        ! wrong
        S: 535 5.7.8 Authentication credentials invalid
        C: AUTH PLAIN =
        S: 501 5.5.2 The authentication response makes no sense
        C: AUTH PLAIN AHUAcA==
        = auth u p
        ! unavailable
        S: 454 4.7.0 Authentication is not possible now, try again later
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: AUTH PLAIN AHUAcA==
        S: 503 5.5.1 Not in a message, and only once
        C: RCPT TO:<c@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
    ",
    );
}

#[test]
fn login_asks_twice() {
    check_auth(
        "
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dQ==
        S: 334 UGFzc3dvcmQ6
        C: cA==
        = auth u p
        ! known acme
        S: 235 2.7.0 Authentication successful
    ",
    );
    check_auth(
        "
        C: auth login dQ==
        S: 334 UGFzc3dvcmQ6
        C: cA==
        = auth u p
        ! known acme
        S: 235 2.7.0 Authentication successful
    ",
    );
}

#[test]
fn mechanisms_that_are_not_offered_are_refused() {
    check_auth(
        "
        C: AUTH CRAM-MD5
        S: 504 5.5.4 Authentication mechanism not offered
        C: AUTH SCRAM-SHA-256-PLUS
        S: 504 5.5.4 Authentication mechanism not offered
        C: AUTH
        S: 501 5.5.4 AUTH needs a mechanism
        C: HELO x
        S: 250 relay.example
        C: AUTH PLAIN
        S: 503 5.5.1 Say EHLO first
    ",
    );
    let mut settings = open();
    settings.auth.as_mut().unwrap().scram = None;
    let hello = HELLO_AUTH.replace("SCRAM-SHA-256 ", "");
    let script = format!(
        "{hello}
        C: AUTH SCRAM-SHA-256
        S: 504 5.5.4 Authentication mechanism not offered
    "
    );
    check(&settings, &Standing::Stranger, &script);
}

#[test]
fn where_authentication_is_required_a_neighbour_must_authenticate_too() {
    let mut settings = open();
    settings.auth.as_mut().unwrap().required = true;
    let script = format!(
        "{HELLO_AUTH}
        C: MAIL FROM:<a@b.example>
        S: 530 5.7.0 Authentication required
    "
    );
    check(&settings, &Standing::Neighbour, &script);
}

/// The client's side by our own client, as far as it goes.
fn scram(password: &str, lookup: Lookup) -> String {
    let mut server = Server::new(NOW, Arc::new(open()), peer(&Standing::Stranger));
    server.received(NOW, b"EHLO x\r\n");
    server.output().clear();
    let credentials = crate::auth::Credentials { user: "jo".into(), password: password.into() };
    let offered = ["SCRAM-SHA-256".into()];
    let (mut line, mut client) =
        crate::auth::ClientExchange::begin(&credentials, &offered, Nonce([1; 18])).unwrap();
    for _ in 0..4 {
        server.received(NOW, format!("{line}\r\n").as_bytes());
        if let Some(Step::Lookup { user }) = server.poll() {
            assert_eq!(&*user, "jo");
            server.looked_up(NOW, lookup.clone(), Nonce([2; 18]));
        }
        let said = String::from_utf8(std::mem::take(server.output())).unwrap();
        match said.strip_prefix("334 ") {
            Some(challenge) => line = client.respond(challenge).unwrap(),
            None => {
                let known = said.starts_with("235");
                assert_eq!(client.finish().is_ok(), known, "{said}");
                return said;
            }
        }
    }
    panic!("there is no end to it");
}

#[test]
fn by_scram_both_sides_prove_that_they_know_the_password() {
    let verifier = ScramVerifier::derive("pencil", b"salt", ScramVerifier::ITERATIONS);
    let found = Lookup::Found(verifier, identity("acme"));
    assert_eq!(scram("pencil", found.clone()), "235 2.7.0 Authentication successful\r\n");
    let wrong = "535 5.7.8 Authentication credentials invalid\r\n";
    assert_eq!(scram("pencil!", found), wrong);
    assert_eq!(scram("pencil", Lookup::Unknown), wrong);
    let unavailable = "454 4.7.0 Authentication is not possible now, try again later\r\n";
    assert_eq!(scram("pencil", Lookup::Unavailable), unavailable);
}

#[test]
fn a_user_who_does_not_exist_is_asked_as_one_who_does() {
    // n,,n=jo,r=x
    let claim = "C: AUTH SCRAM-SHA-256 biwsbj1qbyxyPXg=\n= look up jo";
    check_auth(&format!(
        "{claim}
        ! kept pencil
        S: 334 cj14QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBLHM9YzJGc2RBPT0saT00MDk2
        C: *
        S: 501 5.7.0 Authentication cancelled
        {claim}
        ! unknown
        S: 334 cj14QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBLHM9d1JrWnZlTnNtcS9ZNFlpbnpJSS9LUT09LGk9NDA5Ng==
        C: *
        S: 501 5.7.0 Authentication cancelled
        {claim}
        ! unknown
        S: 334 cj14QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBLHM9d1JrWnZlTnNtcS9ZNFlpbnpJSS9LUT09LGk9NDA5Ng==
    "
    ));
}

#[test]
fn passwords_cannot_be_guessed_for_long() {
    let login = "C: AUTH PLAIN AHUAcA==\n= auth u p\n! wrong\n";
    let wrong = "S: 535 5.7.8 Authentication credentials invalid\n";
    check_auth(&format!(
        "{login}{wrong}{login}{wrong}{login}{wrong}
        S: 421 4.7.0 Too many failed logins
        = close
    "
    ));
}

#[test]
fn who_has_authenticated_in_the_clear_is_a_stranger_again_under_tls() {
    let settings = Settings { starttls: StartTls::Offered, ..open() };
    let hello = HELLO_AUTH.replace("S: 250-AUTH", "S: 250-STARTTLS\nS: 250-AUTH");
    let script = format!(
        "{hello}
        C: AUTH PLAIN AHUAcA==
        = auth u p
        ! known acme
        S: 235 2.7.0 Authentication successful
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        = starttls
        ! tls
        C: HELO x
        S: 250 relay.example
        C: MAIL FROM:<a@b.example>
        S: 250 2.1.0 Ok
        C: RCPT TO:<c@d.example>
        S: 550 5.7.1 Relaying denied: authenticate, or send from a network that may relay
    "
    );
    check(&settings, &Standing::Stranger, &script);
}

#[test]
fn what_the_client_said_is_not_printed() {
    let mut server = Server::new(NOW, Arc::new(open()), peer(&Standing::Stranger));
    server.received(NOW, b"EHLO x\r\nAUTH PLAIN\r\nAHVzZXIAc2VjcmV0");
    assert!(!format!("{server:?}").contains("AHVz"));
    server.received(NOW, b"\r\n");
    let step = server.poll().unwrap();
    assert!(!format!("{step:?}").contains("secret"), "{step:?}");
}
