//! Parts of whole and of broken messages.

use proptest::prelude::*;

use super::super::Message;
use super::*;

const WHOLE: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"o;1\"\r\n\r\n\
    before\r\n--o;1\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n\
    --i\r\nContent-Type: Text/HTML; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    PGI+aGk8L2I+\r\n--i--\r\n--o;1\r\nContent-Type: image/png; name=a.png\r\n\r\nxyz\r\n--o;1--\r\nafter";

fn faults(text: &str) -> Vec<MimeFault> {
    Message::new(text.as_bytes()).structure().faults
}

#[test]
fn parts_are_found_in_their_order_and_depth() {
    let structure = Message::new(WHOLE.as_bytes()).structure();
    let found: Vec<(usize, String)> = structure
        .parts
        .iter()
        .map(|part| {
            let content = part.content_type.as_ref();
            (part.depth, content.map_or(String::new(), |c| format!("{}/{}", c.kind, c.subtype)))
        })
        .collect();
    let expected = [
        (0, "multipart/mixed"),
        (1, "multipart/alternative"),
        (2, ""),
        (2, "text/html"),
        (1, "image/png"),
    ];
    assert_eq!(found, expected.map(|(depth, kind)| (depth, kind.to_owned())));
    assert_eq!(structure.faults, []);
    assert_eq!(structure.parts[2].body, b"plain");
    assert_eq!(structure.parts[3].decoded().unwrap(), &b"<b>hi</b>"[..]);
    assert_eq!(structure.parts[4].body, b"xyz");
}

#[test]
fn each_fault_of_a_structure_is_named() {
    assert_eq!(faults(&WHOLE.replace("--o;1--", "")), [MimeFault::Unended("o;1".into())]);
    assert_eq!(
        faults(&WHOLE.replace("boundary=i", "boundary=j")),
        [MimeFault::Missing("j".into())]
    );
    assert_eq!(faults(&WHOLE.replace("boundary=i", "x=i")), [MimeFault::NoBoundary]);
    let encoded = WHOLE.replacen("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1);
    assert_eq!(faults(&encoded), [MimeFault::EncodedMultipart("base64".into())]);
    let nested = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
        Content-Type: multipart/mixed; boundary=a\r\n\r\nx\r\n--a--\r\n";
    assert_eq!(faults(nested), [MimeFault::Nested("a".into())]);
}

#[test]
fn a_bomb_is_not_unpacked() {
    let mut deep = String::new();
    for n in 0..60 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
    }
    assert!(faults(&deep).contains(&MimeFault::TooDeep));
    let wide =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n".repeat(5_000));
    assert!(faults(&wide).contains(&MimeFault::TooMany));
    assert!(Message::new(wide.as_bytes()).structure().parts.len() <= 1_000);
}

#[test]
fn text_that_is_quoted_is_read_and_what_is_no_escape_stays() {
    assert_eq!(unquoted(b"a=3D=C3=A9=\r\nb =zz="), "a=\u{e9}b =zz=".as_bytes());
}

proptest! {
    #[test]
    fn any_octets_have_parts(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut message = b"Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\n".to_vec();
        message.extend(octets);
        let message = Message::new(&message);
        for part in message.structure().parts {
            part.decoded();
        }
    }

    #[test]
    fn any_text_is_a_content_type_or_none(text in "[ -~]{0,60}|text/plain;[ -~]{0,60}") {
        ContentType::parse(&text);
    }
}
