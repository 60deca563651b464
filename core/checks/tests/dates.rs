//! Dates against mail-parser's list, whose expected results are not ours.

use postlane_checks::format::date::MailDate;
use serde_json::Value;

/// Where mail-parser guesses, and we say that it is no date: numbers without a form, a
/// `Received` field whole.
const GUESSES: [&str; 2] = [" 4 8 15 16 23 42,", "by 2002:aa7:cd10"];

/// A line that does not begin with a blank is another field's.
fn until_the_field_ends(text: &str) -> &str {
    let mut ends = text.match_indices('\n').map(|(at, _)| at);
    let end = ends.find(|at| !text[at + 1..].starts_with([' ', '\t']));
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn every_date_that_has_a_form_is_read() {
    let all: Value = serde_json::from_str(include_str!("dates/date.json")).unwrap();
    let mut read = 0;
    for entry in all.as_array().unwrap() {
        let text = until_the_field_ends(entry["header"].as_str().unwrap());
        let found = MailDate::parse(text).ok();
        let expected = &entry["expected"];
        if expected.is_null() || GUESSES.iter().any(|guess| text.starts_with(guess)) {
            assert_eq!(found, None, "{text}");
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{text} is a date"));
        let number = |key: &str| expected[key].as_i64().unwrap();
        let zone = number("tz_hour") * 60 + number("tz_minute");
        let east = if expected["tz_before_gmt"].as_bool().unwrap() { -zone } else { zone };
        let ((day, month, year), (hour, minute, second)) = (found.day, found.time);
        let ours = [
            i64::from(year),
            month.into(),
            day.into(),
            hour.into(),
            minute.into(),
            second.into(),
            found.zone.minutes().into(),
        ];
        let theirs = ["year", "month", "day", "hour", "minute", "second"].map(number);
        assert_eq!((&ours[..6], ours[6]), (&theirs[..], east), "{text}");
        read += 1;
    }
    assert_eq!(read, 31);
}
