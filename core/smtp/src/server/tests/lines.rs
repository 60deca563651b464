//! Only CRLF ends a line, and only CRLF.CRLF ends a message.

use super::*;

#[test]
fn a_bare_lf_ends_no_command_and_what_comes_behind_it_is_not_heard() {
    check_mail(
        "
        C: NOOP\\nMAIL FROM:<smuggled@b.example>\\r\\nRCPT TO:<c@d.example>
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        S: 503 5.5.1 Say MAIL first
        C: NOOP\\n
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        C: QUIT\\n
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        C: x
        C: NOOP
        S: 250 2.0.0 Ok
    ",
    );
}

#[test]
fn what_a_browser_is_made_to_post_is_not_heard() {
    for line in ["POST / HTTP/1.1", "put /a HTTP/1.0", "GET / HTTP/1.1"] {
        check_mail(&format!(
            "C: {line}\\r\\nHost: relay.example\\r\\n\\r\\nRSET\\r\\nMAIL FROM:<a@b.example>
            S: 521 5.5.1 This is SMTP, and no web server
            = close"
        ));
    }
}

#[test]
fn a_bare_cr_ends_no_command_either() {
    check_mail(
        "
        C: NOOP\\rMAIL FROM:<smuggled@b.example>
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        C: NOOP\\r\\r\\n
        S: 500 5.5.2 Lines end with CRLF; this one has a bare CR or LF
        C: NOOP
        S: 250 2.0.0 Ok
    ",
    );
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_a_message() {
    for end in [
        "\\n.\\n",
        "\\n.\\r\\n",
        "\\r.\\r",
        "\\r\\n.\\n",
        "\\r\\n.\\r",
        "\\r.\\r\\n",
        "\\n.\\r",
        "\\r\\n.\\r\\r\\n",
        "\\n\\r.\\r\\n",
        "\\r\\n.\\0\\r\\n",
        "\\r\\n.\\n\\r\\n",
    ] {
        check_mail(
            &format!(
                "{TO_DATA}
            C: x{end}MAIL FROM:<smuggled@b.example>\\r\\nRCPT TO:<e@f.example>\\r\\nDATA\\r\\n
            C: .
            S: 554 5.6.0 The message has a bare CR or LF; lines end with CRLF
        "
            )
            .replace(
                // This one has a NUL, and no newline that is bare.
                if end.contains('0') { "has a bare CR or LF; lines end with CRLF" } else { "?" },
                "has a NUL octet",
            ),
        );
    }
}

#[test]
fn bare_newlines_are_made_whole_where_a_setting_says_so() {
    let settings = Settings { bare_newlines: BareNewlines::Normalise, ..plain() };
    let script = format!(
        "{HELLO}{TO_DATA}
        C: x\\n.\\ny\\rz
        C: .
        = ESMTP <a@b.example> -> c@d.example: \"x\\r\\n.\\r\\ny\\r\\nz\\r\\n\"
        S: 250 2.0.0 Ok: queued as 0000000000000
    "
    );
    check(&settings, &Standing::Neighbour, &script);
}

#[test]
fn octets_that_are_no_text_are_no_command() {
    for octets in [&b"NOOP \xff\r\n"[..], b"\xc3\r\n", b"MAIL FROM:<\xe4@b.example>\r\n"] {
        let mut play = Play::of(&plain(), &Standing::Neighbour, 1);
        play.said.clear();
        play.hear(octets);
        assert!(play.said.starts_with(b"500 5.5.2 Commands are ASCII"), "{octets:?}");
    }
}
