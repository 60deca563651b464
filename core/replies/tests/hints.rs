//! What is taken from replies of time and number, held by a table that a postmaster can read.

#![cfg(test)]

use postlane_mail::Span;
use postlane_replies::{Hint, Unit};
use proptest::prelude::*;

const TABLE: &str = include_str!("golden/hints.txt");

/// The texts of the table, each with what it should give. A text of several lines is one reply.
fn rows() -> Vec<(String, &'static str)> {
    let mut rows = Vec::new();
    let mut text = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match line.strip_prefix("= ") {
            Some(wanted) => {
                rows.push((text.join("\n"), wanted.strip_prefix('-').unwrap_or(wanted)));
                text.clear();
            }
            None => text.push(line),
        }
    }
    assert!(text.is_empty(), "a text without an answer: {text:?}");
    rows
}

#[test]
fn hints_are_as_the_table_says() {
    let wrong: Vec<String> = rows()
        .into_iter()
        .map(|(text, wanted)| (Hint::find(&text).to_string(), wanted, text))
        .filter(|(found, wanted, _)| found != wanted)
        .map(|(found, wanted, text)| format!("{text}\n  wanted `{wanted}`, found `{found}`"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_long_enough_and_every_fourth_text_is_a_trap() {
    let rows = rows();
    let traps = rows.iter().filter(|(_, wanted)| wanted.is_empty()).count();
    assert!(rows.len() - traps >= 60 && traps * 4 >= rows.len(), "{} {traps}", rows.len());
}

#[test]
fn capitals_do_not_matter() {
    for (text, _) in rows() {
        if !text.contains("PT5M") {
            assert_eq!(Hint::find(&text.to_lowercase()), Hint::find(&text), "{text}");
        }
    }
}

fn assert_believable(hint: Hint) {
    let spans = [hint.wait.map(|wait| wait.span), hint.window];
    for span in spans.into_iter().flatten() {
        assert!(span > Span::ZERO && span <= Hint::SPAN_MAX);
    }
    if let Some(quota) = hint.quota {
        assert!(quota.count > 0);
        assert!(quota.of == Unit::Octets || quota.count <= Hint::COUNT_MAX);
    }
}

#[test]
fn the_longest_hostile_texts_are_read_to_the_end() {
    let pieces = [
        "1",
        "9",
        "1.",
        "a",
        "1h",
        "-",
        "5 minutes ",
        "per ",
        "分",
        "每",
        "\u{300}",
        "@",
        "://",
        "1:",
        "try again in ",
        "10 messages ",
        "'",
        " ",
        "\n",
        "1-1",
        "_",
        "İ",
        "ǆ",
        "\u{0}",
        "/",
        "P",
    ];
    for piece in pieces {
        assert_believable(Hint::find(&piece.repeat(65_536 / piece.len())));
    }
}

proptest! {
    #[test]
    fn any_octets_give_something_within_the_limits(octets: Vec<u8>) {
        assert_believable(Hint::find(&String::from_utf8_lossy(&octets)));
    }

    #[test]
    fn any_words_give_something_within_the_limits(
        words in prop::collection::vec(
            prop_oneof![
                "[0-9]{1,12}", "[0-9.,:]{1,9}", "[0-9]{1,4}[a-zA-Z]{1,3}", "PT?[0-9]{1,9}[HMSD]",
                Just("messages".to_owned()), Just("minutes".to_owned()), Just("months".to_owned()),
                Just("per".to_owned()), Just("try again in".to_owned()), Just("limit of".to_owned()),
                Just("a few".to_owned()), Just("GB".to_owned()), Just("/".to_owned()),
                Just("month".to_owned()), Just("5分钟后".to_owned()), "\\PC{0,8}",
            ],
            0..60,
        ),
    ) {
        assert_believable(Hint::find(&words.join(" ")));
    }

    #[test]
    fn a_wait_that_is_said_is_taken_as_it_is(seconds in 1..2_592_000_u64) {
        let hint = Hint::find(&format!("4.7.1 Greylisted, try again in {seconds} seconds"));
        prop_assert_eq!(hint.wait.map(|wait| (wait.span, wait.exact)), Some((Span::from_s(seconds), true)));
    }
}
