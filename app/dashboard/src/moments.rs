//! Moments as people read them: in UTC, or how long ago.

use postlane_api::wire::Timestamp;
use postlane_mail::{Instant, Span};

use crate::numbers;

/// A moment of the API.
pub(crate) fn read(at: &Timestamp) -> Option<Instant> {
    let at = at.0.parse::<jiff::Timestamp>().ok()?;
    u64::try_from(at.as_microsecond()).ok().map(Instant)
}

/// `14:05:09`.
pub(crate) fn clock(at: Instant) -> String {
    written(at, "%H:%M:%S")
}

/// `14:05`.
pub(crate) fn minute(at: Instant) -> String {
    written(at, "%H:%M")
}

/// `21 Nov`.
pub(crate) fn day(at: Instant) -> String {
    written(at, "%-d %b")
}

/// `21 Nov 14:05`.
pub(crate) fn day_and_minute(at: Instant) -> String {
    written(at, "%-d %b %H:%M")
}

/// `21 Nov 2026 14:05:09`.
pub(crate) fn whole(at: Instant) -> String {
    written(at, "%-d %b %Y %H:%M:%S")
}

/// As addresses and `<time>` have it.
pub(crate) fn exact(at: Instant) -> String {
    postlane_api::wire::timestamp(at).0
}

fn written(at: Instant, form: &str) -> String {
    let ms = i64::try_from(at.unix_ms()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    at.strftime(form).to_string()
}

/// `3 min ago`, `just now`: to the minute, so that what has not changed is not drawn anew.
pub(crate) fn ago(at: Instant, now: Instant) -> String {
    match now.since(at).as_s() {
        0..=59 => "just now".to_owned(),
        60..=119 => "1 min ago".to_owned(),
        s => format!("{} ago", numbers::span(s / 60 * 60)),
    }
}

/// `until 14:05:09`, `until 22 Nov 14:05`; a module on the page counts it down.
pub(crate) fn until(at: Instant, now: Instant) -> String {
    match at.since(now).as_s() {
        0..=43_200 => format!("until {} UTC", clock(at)),
        _ => format!("until {} UTC", day_and_minute(at)),
    }
}

/// A moment, floored to whole spans since 1970.
pub(crate) fn floored(at: Instant, span: Span) -> Instant {
    Instant(at.0 - at.0.checked_rem(span.0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Instant = Instant(1_795_239_545_123_999);

    #[test]
    fn moments_are_short_and_in_utc() {
        assert_eq!(clock(AT), "05:39:05");
        assert_eq!(day_and_minute(AT), "21 Nov 05:39");
        assert_eq!(whole(AT), "21 Nov 2026 05:39:05");
        assert_eq!(read(&Timestamp(exact(AT))), Some(Instant(1_795_239_545_123_000)));
        assert_eq!(read(&Timestamp("soon".to_owned())), None);
    }

    #[test]
    fn how_long_ago_and_until_when_are_said_in_words() {
        assert_eq!(ago(AT, AT + Span::from_s(220)), "3 min ago");
        assert_eq!(
            (ago(AT, AT).as_str(), &*ago(AT, AT + Span::from_s(99))),
            ("just now", "1 min ago")
        );
        assert_eq!(until(AT + Span::from_s(45), AT), "until 05:39:50 UTC");
        assert_eq!(until(AT + Span::from_h(30), AT), "until 22 Nov 11:39 UTC");
        assert_eq!(minute(floored(AT, Span::from_min(5))), "05:35");
    }
}
