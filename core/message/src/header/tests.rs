//! What is a field, and where a header section ends.

use proptest::prelude::*;

use super::*;

fn scan(message: &str) -> (Vec<(String, String)>, SectionEnd, usize) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut fields = Fields::new(message.as_bytes());
    let found = fields.by_ref().map(|f| (text(f.name), text(f.value))).collect();
    (found, fields.end(), fields.body())
}

fn check(message: &str, names: &[&str], end: SectionEnd, body: &str) {
    let (found, found_end, at) = scan(message);
    assert_eq!(
        found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        names,
        "{message:?}"
    );
    assert_eq!((found_end, &message[at..]), (end, body), "{message:?}");
}

#[test]
fn an_empty_line_ends_the_section() {
    check("A: 1\r\nB: 2\r\n\r\nC: 3\r\n", &["A", "B"], SectionEnd::EmptyLine, "C: 3\r\n");
    check("\r\nA: 1\r\n", &[], SectionEnd::EmptyLine, "A: 1\r\n");
}

#[test]
fn a_line_that_is_no_field_ends_the_section_and_begins_the_body() {
    check("A: 1\r\nhello\r\n", &["A"], SectionEnd::NoField, "hello\r\n");
    check(
        "From jo Sat Nov 21\r\nA: 1\r\n",
        &[],
        SectionEnd::NoField,
        "From jo Sat Nov 21\r\nA: 1\r\n",
    );
    check(" A: 1\r\n", &[], SectionEnd::NoField, " A: 1\r\n");
    check(": 1\r\n", &[], SectionEnd::NoField, ": 1\r\n");
    check("n\u{e4}me: 1\r\n", &[], SectionEnd::NoField, "n\u{e4}me: 1\r\n");
}

#[test]
fn the_end_of_the_message_ends_the_section() {
    check("", &[], SectionEnd::Message, "");
    check("A: 1\r\n", &["A"], SectionEnd::Message, "");
    check("A: 1", &["A"], SectionEnd::BrokenLine, "");
    check("A: 1\r", &["A"], SectionEnd::BrokenLine, "");
}

#[test]
fn a_folded_value_is_one_value() {
    let (found, _, _) = scan("A: 1\r\n 2\r\n\t\r\n 3\r\nB:4\r\n\r\n");
    assert_eq!(found[0], ("A".into(), " 1\r\n 2\r\n\t\r\n 3".into()));
    assert_eq!(found[1], ("B".into(), "4".into()));
}

#[test]
fn only_crlf_ends_a_line() {
    let (found, end, _) = scan("A: 1\nB: 2\rC: 3\r\n\n\r\nx");
    assert_eq!(found, [("A".into(), " 1\nB: 2\rC: 3".into())]);
    assert_eq!(end, SectionEnd::NoField);
}

#[test]
fn blanks_before_the_colon_are_let_pass() {
    assert_eq!(scan("Subject \t: x\r\n\r\n").0, [("Subject".into(), " x".into())]);
}

proptest! {
    #[test]
    fn fields_lie_end_to_end_and_cover_the_section(
        message in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), Just(b'a'), any::<u8>()], 0..200)
    ) {
        let mut fields = Fields::new(&message);
        let mut at = 0;
        for field in fields.by_ref() {
            prop_assert_eq!(field.range.start, at);
            prop_assert!(field.range.end > at && field.range.end <= message.len());
            prop_assert!(!field.name.is_empty());
            at = field.range.end;
        }
        prop_assert_eq!(fields.at(), at);
        prop_assert!(fields.body() >= at && fields.body() <= message.len());
    }
}
