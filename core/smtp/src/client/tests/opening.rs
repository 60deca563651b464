//! Greeting, EHLO, STARTTLS, AUTH.

use super::*;

#[test]
fn an_old_host_is_greeted_with_helo_and_spoken_to_step_by_step() {
    check(
        settings(),
        &[message(1, &["b@example.net", "c@example.net"], b"x\r\n")],
        "
        S: 220 old
        C: EHLO out.example.com
        S: 502 what
        C: HELO out.example.com
        S: 250 old
        = ready
        ! begin 0
        C: MAIL FROM:<a@example.com>
        S: 250 ok
        C: RCPT TO:<b@example.net>
        S: 250 ok
        C: RCPT TO:<c@example.net>
        S: 450 later
        C: DATA
        S: 354 go
        C: x
        C: .
        S: 250 ok
        = 1.0 accepted (250 ok)
        = 1.1 refused at rcpt (450 later)
    ",
    );
}

#[test]
fn starttls_is_used_where_it_is_offered_and_everything_is_asked_again() {
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls
        C: EHLO out.example.com
        S: 250 mx
        = ready
    ",
    );
}

#[test]
fn what_comes_behind_the_answer_to_starttls_is_not_heard() {
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 STARTTLS");
    hear(&mut client, "220 go\r\n250-injected\r\n250 AUTH PLAIN");
    hear(&mut client, "250 more of it");
    client.tls_started(NOW);
    hear(&mut client, "250 mx");
    assert!(client.capabilities().auth.is_empty());
}

#[test]
fn required_tls_means_tls_or_nothing() {
    let required = || Settings { tls: TlsPolicy::Required, ..settings() };
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250 mx
        C: QUIT
        = closed: TlsMissing
    ",
    );
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 454 no
        C: QUIT
        = closed: turned away at starttls (454 no)
    ",
    );
    check(
        required(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls-failed bad certificate
        = closed: TlsFailed(\"bad certificate\")
    ",
    );
}

#[test]
fn a_password_goes_only_under_tls_and_is_not_written_down() {
    let credentials = crate::auth::Credentials { user: "u".into(), password: "secret".into() };
    let with = || Settings { auth: Some(credentials.clone()), ..settings() };
    check(
        with(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH PLAIN
        C: QUIT
        = closed: AuthMissing
    ",
    );
    check(
        with(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        = starttls
        ! tls
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH LOGIN PLAIN
        C: AUTH PLAIN AHUAc2VjcmV0
        S: 235 welcome
        = ready
    ",
    );
    let mut client = Client::new(NOW, with(), NONCE);
    for said in ["220 mx", "250-mx\r\n250 STARTTLS", "220 go"] {
        hear(&mut client, said);
    }
    client.tls_started(NOW);
    hear(&mut client, "250-mx\r\n250 AUTH PLAIN");
    let transcript = client.transcript().to_string();
    assert!(transcript.contains("C: AUTH [hidden]") && !transcript.contains("AHU"), "{transcript}");
}

#[test]
fn a_host_with_our_own_name_is_a_loop() {
    check(
        settings(),
        &[],
        "
        S: 220 relay.example.com ESMTP
        C: QUIT
        = closed: Loop
    ",
    );
}

#[test]
fn what_is_no_smtp_ends_the_session() {
    check(
        settings(),
        &[],
        "
        S: SSH-2.0-OpenSSH_9
        = closed: Misbehaved(\"the host said what is no SMTP reply\")
    ",
    );
    after_hello(
        &[],
        "
        S: 250 nobody asked
        = closed: Misbehaved(\"the host answered what was not asked\")
    ",
    );
}

#[test]
fn a_host_that_turns_us_away_is_told_that_we_go() {
    check(
        settings(),
        &[],
        "
        S: 554-mx.example.net
        S: 554 5.7.1 not from your address
        C: QUIT
        = closed: turned away at connect (554 mx.example.net / 5.7.1 not from your address)
    ",
    );
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 550 5.7.1 go away
        C: HELO out.example.com
        S: 550 5.7.1 go away, I said
        C: QUIT
        = closed: turned away at ehlo (550 5.7.1 go away, I said)
    ",
    );
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 451 4.7.1 later
        C: QUIT
        = closed: turned away at ehlo (451 4.7.1 later)
    ",
    );
}

#[test]
fn tls_that_is_offered_and_not_meant_can_be_done_without() {
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 454 4.7.0 not now
        = ready
    ",
    );
    check(
        settings(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        C: STARTTLS
        S: 421 4.7.0 not now
        = closed: turned away at starttls (421 4.7.0 not now)
    ",
    );
    check(
        Settings { tls: TlsPolicy::Never, ..settings() },
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        = ready
    ",
    );
}

#[test]
fn tls_from_the_start_comes_before_the_greeting() {
    check(
        Settings { tls: TlsPolicy::FromStart, ..settings() },
        &[],
        "
        = starttls
        ! tls
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 STARTTLS
        = ready
    ",
    );
    check(
        Settings { tls: TlsPolicy::FromStart, ..settings() },
        &[],
        "
        = starttls
        ! closed
        = closed: Lost(StartTls)
    ",
    );
}

fn smart_host() -> Settings {
    let auth = Some(crate::auth::Credentials { user: "user".into(), password: "pencil".into() });
    Settings { auth, auth_without_tls: true, ..settings() }
}

#[test]
fn each_mechanism_is_spoken_as_it_should_be() {
    check(
        smart_host(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH=LOGIN
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dXNlcg==
        S: 334 UGFzc3dvcmQ6
        C: cGVuY2ls
        S: 235 welcome
        = ready
    ",
    );
    check(
        smart_host(),
        &[],
        "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH PLAIN
        C: AUTH PLAIN AHVzZXIAcGVuY2ls
        S: 535 5.7.8 no
        C: QUIT
        = closed: turned away at auth (535 5.7.8 no)
    ",
    );
}

#[test]
fn a_host_must_show_that_it_knows_the_password_where_the_mechanism_can() {
    let begun = "
        S: 220 mx
        C: EHLO out.example.com
        S: 250-mx
        S: 250 AUTH PLAIN SCRAM-SHA-256
        C: AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB
    ";
    check(
        smart_host(),
        &[],
        &format!(
            "{begun}
        S: 235 welcome
        C: QUIT
        = closed: Misbehaved(\"the host has not shown that it knows the password\")
    "
        ),
    );
    check(
        smart_host(),
        &[],
        &format!(
            "{begun}
        S: 334 !
        = closed: Misbehaved(\"the host's challenge is no text\")
    "
        ),
    );
}

#[test]
fn an_answer_before_the_question_is_none() {
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx\r\n250-mx\r\n250 PIPELINING");
    assert_eq!(closed(&mut client), SessionEnd::Misbehaved("the host answered what was not asked"));

    // A message would count as taken that has not even been sent.
    let mut client = Client::new(NOW, settings(), NONCE);
    hear(&mut client, "220 mx");
    hear(&mut client, "250-mx\r\n250 PIPELINING");
    client.begin(NOW, message(1, &["b@example.net"], b"x\r\n"));
    hear(&mut client, "250 ok\r\n250 ok\r\n354 go\r\n250 taken");
    assert_eq!(finished(&mut client).recipients[0].outcome, Outcome::Interrupted);
    assert!(matches!(closed(&mut client), SessionEnd::Misbehaved(_)));
}

#[test]
fn an_answer_that_does_not_fit_is_none() {
    const END: &str = "= closed: Misbehaved(\"the host's answer does not fit the command\")";
    const CUT_OFF: &str = "CutOff(Misbehaved(\"the host's answer does not fit the command\"))";
    check(settings(), &[], &format!("S: 354 what\n{END}"));
    for (script, outcome) in [
        ("S: 354 go", CUT_OFF),
        ("S: 250 ok\nS: 354 go", CUT_OFF),
        ("S: 250 ok\nS: 250 ok\nS: 250 one too many", CUT_OFF),
        ("S: 250 ok\nS: 250 ok\nS: 354 go\nC: x\nC: .\nS: 354 more", "Unknown"),
    ] {
        after_hello(
            &[message(1, &["b@example.net"], b"x\r\n")],
            &format!(
                "
            ! begin 0
            C: MAIL FROM:<a@example.com>
            C: RCPT TO:<b@example.net>
            C: DATA
            {script}
            = 1.0 {outcome}
            {END}
        "
            ),
        );
    }
}
