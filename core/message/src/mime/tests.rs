//! What a draft becomes, and what is refused.

use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;

use super::*;

const ID: QueueId = QueueId::from_bits(0x0123_4567_89ab_cdef);

fn draft() -> Draft<'static> {
    Draft { from: "jo@example.com", text: Some("hi"), ..Draft::default() }
}

fn refused(draft: &Draft<'_>) -> String {
    compose(draft, ID).unwrap_err().to_string()
}

#[test]
fn a_line_break_cannot_make_a_second_field() {
    let sneaky = "x\r\nBcc: victim@example.net";
    let to = [format!("Jo {sneaky} <a@b.c>")];
    let headers = [("X-A".to_owned(), sneaky.to_owned())];
    let name = [("X-A: b\r\nX-B".to_owned(), "c".to_owned())];
    for draft in [
        Draft { subject: sneaky, ..draft() },
        Draft { from: sneaky, ..draft() },
        Draft { reply_to: Some(sneaky), ..draft() },
        Draft { to: &to, ..draft() },
        Draft { headers: &headers, ..draft() },
    ] {
        assert!(refused(&draft).contains("line break"), "{}", refused(&draft));
    }
    assert!(refused(&Draft { headers: &name, ..draft() }).contains("no field name"));
}

#[test]
fn refusals_name_the_field_the_cause_and_the_cure() {
    let to = ["ok@example.net".to_owned(), "nobody".to_owned()];
    assert_eq!(
        refused(&Draft { to: &to, ..draft() }),
        "to: \"nobody\" cannot be used: the address is not of the form local-part@domain; \
         write local@domain or Name <local@domain>, one address each"
    );
    let headers = [("Content-Type".to_owned(), "text/html".to_owned())];
    assert_eq!(
        refused(&Draft { headers: &headers, ..draft() }),
        "headers: Content-Type cannot be set here; it follows from text and html; send \
         raw_base64 for a MIME message of your own"
    );
    let twice = [("date".to_owned(), "a".to_owned()), ("Date".to_owned(), "b".to_owned())];
    assert_eq!(
        refused(&Draft { headers: &twice, ..draft() }),
        "headers: Date is there twice; leave one"
    );
    assert_eq!(
        refused(&Draft { text: None, ..draft() }),
        "the message has neither text nor html; give one or both"
    );
    assert_eq!(
        refused(&Draft { text: Some("a\0b"), ..draft() }),
        "text has a NUL character; take it out"
    );
    let long = "x".repeat(901);
    assert!(
        refused(&Draft { subject: &long, ..draft() }).starts_with("subject has a word of over 900")
    );
    assert!(refused(&Draft { from: " ", ..draft() }).starts_with("from is empty"));
}

#[test]
fn every_way_to_end_a_line_becomes_crlf() {
    let out = compose(&Draft { text: Some("a\nb\rc\r\nd\n\ne"), ..draft() }, ID).unwrap();
    assert!(String::from_utf8(out).unwrap().ends_with("\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\ne\r\n"));
}

#[test]
fn a_draft_gives_the_same_octets_each_time() {
    let draft = Draft { html: Some("<p>hi"), subject: "Gr\u{fc}\u{df}e", ..draft() };
    assert_eq!(compose(&draft, ID), compose(&draft, ID));
}

#[test]
fn a_boundary_that_stands_in_the_text_is_not_used() {
    let text = format!("--=_{ID}\nsneaky");
    let draft = Draft { text: Some(&text), html: Some("<p>hi"), ..draft() };
    let out = compose(&draft, ID).unwrap();
    let message = MessageParser::new().parse(&out).unwrap();
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), text);
    assert_eq!(message.parts.len(), 3);
}

#[test]
fn names_are_quoted_or_encoded_and_domains_take_their_dns_form() {
    let to = [
        "\"Doe, \\\"Jo\\\"\" <jo@b\u{fc}cher.example>".to_owned(),
        "Z\u{fc}ri <z@example.net>".to_owned(),
    ];
    let out = compose(&Draft { to: &to, ..draft() }, ID).unwrap();
    assert!(out.is_ascii());
    let message = MessageParser::new().parse(&out).unwrap();
    let shown: Vec<_> =
        message.to().unwrap().iter().map(|a| (a.name().unwrap(), a.address().unwrap())).collect();
    assert_eq!(
        shown,
        [("Doe, \"Jo\"", "jo@xn--bcher-kva.example"), ("Z\u{fc}ri", "z@example.net")]
    );
}

/// Words in several scripts, with blanks of all sorts between them, and none that is taken for encoded.
fn words() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9=?_.,;:<>@()\\[\\]\"\\\\-]{1,12}|[äöüßéñ日本語🙂]{1,6})( {1,2}([a-z=?_]{1,12}|[äöü日本🙂]{1,6})){0,12}"
        .prop_map(|words| words.replace("=?", "=!"))
}

/// The other program leaves one blank where a line was folded at two (RFC 5322 §2.2.3 leaves both).
fn blanks_as_one(text: &str) -> String {
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn what_is_composed_is_read_back_by_another_program(
        subject in words(), name in words(), text in "[ -~äöü日🙂\n]{0,400}", html in "[ -~äöü\n]{0,200}"
    ) {
        let to = [format!("\"{}\" <jo@example.net>", name.replace('\\', "\\\\").replace('"', "\\\""))];
        let draft = Draft { to: &to, subject: &subject, text: Some(&text), html: Some(&html), ..draft() };
        let out = compose(&draft, ID).unwrap();
        prop_assert!(out.is_ascii());
        let lines = crate::intake::Lines::of(&out);
        prop_assert!(!lines.bare_newlines && !lines.long);

        let message = MessageParser::new().parse(&out).unwrap();
        if subject.is_ascii() {
            let unfolded = String::from_utf8(out.clone()).unwrap().replace("\r\n ", " ");
            let field = format!("Subject: {subject}\r\n");
            prop_assert!(unfolded.contains(&field), "{} in {}", field, unfolded);
        }
        prop_assert_eq!(message.subject().map(blanks_as_one), Some(blanks_as_one(&subject)));
        prop_assert_eq!(message.to().unwrap().first().unwrap().name(), Some(name.as_str()));
        let parts: Vec<_> = message.parts.iter().skip(1).collect();
        prop_assert_eq!(parts.len(), 2);
        for (part, (kind, was)) in parts.iter().zip([("plain", &text), ("html", &html)]) {
            prop_assert_eq!(part.content_type().unwrap().subtype(), Some(kind));
            prop_assert_eq!(part.text_contents().unwrap().replace("\r\n", "\n"), was.as_str());
        }
    }

    #[test]
    fn any_texts_are_composed_or_refused(a in any::<String>(), b in any::<String>(), c in any::<String>()) {
        let headers = [(a.clone(), b.clone())];
        let to = [c.clone()];
        let draft = Draft {
            from: "jo@example.com", to: &to, cc: &[], reply_to: Some(&b), subject: &a,
            text: Some(&c), html: None, headers: &headers,
        };
        let _ = compose(&draft, ID);
        let plain = Draft { subject: &a, text: Some(&b), ..Draft { to: &[], ..draft } };
        if let Ok(out) = compose(&Draft { reply_to: None, headers: &[], ..plain }, ID) {
            prop_assert!(out.is_ascii() && !crate::intake::Lines::of(&out).bare_newlines);
        }
    }
}
