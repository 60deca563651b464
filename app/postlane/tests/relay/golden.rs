//! What the program prints, held by files. `POSTLANE_BLESS=1` writes them anew.

use std::fs;
use std::path::Path;

/// Holds a text against its file.
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay/golden").join(name);
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == text,
        "{name} has changed; if that is meant, run with POSTLANE_BLESS=1\n--- was\n{held}\n--- is\n{text}"
    );
}

/// The same with the digits of every moment and all of these names gone, as wide as before.
pub(crate) fn timeless(text: &str, names: &[&str]) -> String {
    let mut text = text.to_owned();
    for name in names {
        text = text.replace(name, &"x".repeat(name.len()));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let octets = moment_octets(rest).unwrap_or(0);
        out.extend(rest[..octets].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }));
        // A number that is no moment goes as it is, all its digits.
        let digits = rest[octets..].chars().take_while(|c| octets == 0 && c.is_ascii_digit());
        let digits = digits.count();
        out.push_str(&rest[octets..octets + digits]);
        rest = &rest[octets + digits..];
    }
    out.push_str(rest);
    out
}

/// Octets of the moment that this begins with, RFC 3339 or RFC 5322 as we write them.
fn moment_octets(text: &str) -> Option<usize> {
    ["0000-00-00T00:00:00.000Z", "0000-00-00T00:00:00Z", "00 aaa 0000 00:00:00 "]
        .into_iter()
        .find(|shape| {
            text.len() >= shape.len()
                && shape.chars().zip(text.chars()).all(|(shape, c)| match shape {
                    '0' => c.is_ascii_digit(),
                    'a' => c.is_ascii_alphabetic(),
                    _ => c == shape,
                })
        })
        .map(str::len)
}

#[test]
fn a_moment_loses_its_digits_and_nothing_else_does() {
    let text = "250 at 2026-11-21T05:39:05.123Z, 2026-11-21T05:39:05Z and jo";
    let gone = "250 at 0000-00-00T00:00:00.000Z, 0000-00-00T00:00:00Z and xx";
    assert_eq!(timeless(text, &["jo"]), gone);
}
