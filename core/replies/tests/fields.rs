//! What stands in replies beside their prose, held by a file that a postmaster can read.

#![cfg(test)]

use std::fmt::Write;
use std::path::Path;

use postlane_replies::Fields;
use proptest::prelude::*;

/// The file anew: comments and replies as they are, each reply followed by its fields.
fn written(golden: &str) -> (String, usize) {
    let mut text = String::new();
    let mut replies = 0;
    for block in golden.split("\n\n") {
        let (remarks, lines): (Vec<&str>, Vec<&str>) =
            block.lines().filter(|line| !line.starts_with('{')).partition(|l| l.starts_with('#'));
        remarks.iter().for_each(|remark| writeln!(text, "{remark}").unwrap());
        if !lines.is_empty() {
            let reply = lines.join("\n");
            let fields = serde_json::to_string(&Fields::find(&reply)).unwrap();
            writeln!(text, "{reply}\n{fields}").unwrap();
            replies += 1;
        }
        text.push('\n');
    }
    (format!("{}\n", text.trim_end()), replies)
}

#[test]
fn fields_are_as_the_file_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fields.txt");
    let golden = std::fs::read_to_string(&path).unwrap();
    let (text, replies) = written(&golden);
    assert!(replies >= 40, "{replies} replies");
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    for (found, wanted) in text.lines().zip(golden.lines()) {
        assert_eq!(found, wanted, "POSTLANE_BLESS=1 writes the file anew");
    }
    assert_eq!(text, golden, "POSTLANE_BLESS=1 writes the file anew");
}

fn assert_within_limits(text: &str) {
    let fields = Fields::find(text);
    let counts = [
        fields.ips.len(),
        fields.urls.len(),
        fields.contacts.len(),
        fields.lists.len(),
        fields.codes.len(),
    ];
    assert!(counts.iter().all(|count| *count <= Fields::MAX));
    let codes = fields.codes.iter().map(|code| code.code);
    let copies = fields.urls.iter().chain(&fields.contacts).copied().chain(codes);
    for copy in copies.chain(fields.mx_host).chain(fields.mx_tag).chain(fields.queue_id) {
        assert!(!copy.is_empty() && text.contains(copy));
    }
    serde_json::to_string(&fields).unwrap();
}

#[test]
fn the_longest_hostile_texts_are_read_to_the_end() {
    let pieces = [
        "1",
        "1.",
        "a.",
        "a:",
        "::",
        "://",
        "@",
        "a@",
        "<a@b.cc ",
        "c=",
        "(BL)",
        "AS(1",
        "#",
        "#5.",
        "sp ",
        "spamhaus ",
        "SBL1",
        "[a.us1]",
        "- gsmtp ",
        "mx1 ",
        "w.aa/ ",
        "IPv6:",
        "?c=&",
        "é",
        "contact ",
        "http://a/",
        "\n",
        "(",
        "-",
        "OFR",
    ];
    for piece in pieces {
        assert_within_limits(&piece.repeat(65_536 / piece.len()));
    }
}

proptest! {
    #[test]
    fn any_octets_give_copies_of_the_text_within_the_limits(octets: Vec<u8>) {
        assert_within_limits(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn any_pieces_give_copies_of_the_text_within_the_limits(
        words in prop::collection::vec(
            prop_oneof![
                "[0-9.]{1,15}", "[0-9a-f:]{1,20}", "(https?://)?[a-z.]{1,9}[/?#&=a-z0-9é]{0,9}",
                "[a-z.]{0,5}@[a-z.-]{0,9}", "[A-Z]{2,4}[0-9_#:-]{1,6}", "[#(\\[<{]", "[)\\]>}:.,;]",
                Just("contact".to_owned()), Just("https://postmaster.gmx.net/en/case?c=".to_owned()),
                Just("spamhaus".to_owned()), Just("- gsmtp".to_owned()), "\\PC{0,6}",
            ],
            0..40,
        ),
        between in prop_oneof![Just(" "), Just("")],
    ) {
        assert_within_limits(&words.join(between));
    }

    #[test]
    fn an_address_is_found_however_it_is_enclosed(
        address: std::net::Ipv4Addr,
        (before, after) in prop_oneof![
            Just(("[", "]")), Just(("(", ")")), Just((" ", ".")), Just(("IP=", " - no")), Just(("", ":25")),
        ],
    ) {
        let [first, ..] = address.octets();
        prop_assume!(!matches!(first, 0 | 127 | 255));
        let text = format!("refused {before}{address}{after}");
        prop_assert_eq!(Fields::find(&text).ips, vec![std::net::IpAddr::V4(address)]);
    }
}
