//! Numbers and names as people read them, and as addresses carry them.

/// A count: `1,204`, `38.1 k`.
pub(crate) fn count(many: u64) -> String {
    match many {
        0..=999 => many.to_string(),
        1_000..=99_999 => format!("{},{:03}", many / 1_000, many % 1_000),
        100_000..=999_999 => format!("{} k", many / 1_000),
        _ => format!("{:.1} M", many as f64 / 1e6),
    }
}

/// `one message`, `3 messages`.
pub(crate) fn many(count_of: u64, one: &str, more: &str) -> String {
    match count_of {
        1 => format!("1 {one}"),
        _ => format!("{} {more}", count(count_of)),
    }
}

/// Messages a second as people say it: by the second, minute or hour, whichever gives one at least.
pub(crate) fn rate(per_s: f64) -> String {
    let (figure, unit) = if per_s >= 1.0 {
        (per_s, "s")
    } else if per_s * 60.0 >= 1.0 {
        (per_s * 60.0, "min")
    } else {
        (per_s * 3600.0, "h")
    };
    format!("{}/{unit}", plain(figure))
}

/// A figure with one place, or none where it says nothing.
pub(crate) fn plain(figure: f64) -> String {
    let rounded = (figure * 10.0).round() / 10.0;
    if rounded >= 10_000.0 {
        count(rounded as u64)
    } else if rounded >= 100.0 || (rounded - rounded.round()).abs() < 0.05 {
        format!("{rounded:.0}")
    } else {
        format!("{rounded:.1}")
    }
}

/// A share, 0 to 1, in percent: `3.4 %`, `12 %`, `< 0.1 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent >= 10.0 || percent == percent.round() {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// A span: `45 s`, `12 min`, `1 h 30 min`, `3 d`.
pub(crate) fn span(s: u64) -> String {
    let parts = |big: u64, of: u64, unit: &str, small: u64, less: &str| match small {
        0 => format!("{} {unit}", big / of),
        _ => format!("{} {unit} {small} {less}", big / of),
    };
    match s {
        // Windows of limits are of these.
        60 => "1 min".to_owned(),
        3_600 => "1 h".to_owned(),
        0..=119 => format!("{s} s"),
        120..=5_399 => format!("{} min", s.div_euclid(60)),
        5_400..=172_799 => parts(s, 3_600, "h", s % 3_600 / 60, "min"),
        _ => parts(s, 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// A text as it stands in the query of an address, everything but letters and digits as `%…`.
pub(crate) fn in_query(text: &str) -> String {
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~".contains(octet);
    text.bytes().fold(String::with_capacity(text.len()), |mut out, octet| {
        match plain(&octet) {
            true => out.push(octet.into()),
            false => out.push_str(&format!("%{octet:02X}")),
        }
        out
    })
}

/// Keys and values as the query of an address; those without a value are left out.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<String> =
        given.map(|(key, value)| format!("{key}={}", in_query(value))).collect();
    parts.join("&")
}

/// A text that somebody else has written, as it may be shown: what could turn the line or take no
/// room is shown as its number.
pub(crate) fn foreign(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(postlane_api::log::shown).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rates_shares_and_spans_are_short() {
        let counts = [7, 1_204, 38_100, 250_400, 2_400_000].map(count);
        assert_eq!(counts, ["7", "1,204", "38,100", "250 k", "2.4 M"]);
        let rates = [12.5, 1.0, 0.07, 0.001].map(rate);
        assert_eq!(rates, ["12.5/s", "1/s", "4.2/min", "3.6/h"]);
        let shares = [0.0, 0.0004, 0.034, 0.5, 1.0].map(percent);
        assert_eq!(shares, ["0 %", "< 0.1 %", "3.4 %", "50 %", "100 %"]);
        let spans = [5, 119, 120, 5_400, 7_200, 86_400, 200_000].map(span);
        assert_eq!(spans, ["5 s", "119 s", "2 min", "1 h 30 min", "2 h", "24 h", "2 d 7 h"]);
    }

    #[test]
    fn an_address_carries_any_text() {
        let pairs = [("provider", "route:a@[::1]:25"), ("source", ""), ("text", "a&b=ü")];
        assert_eq!(query(&pairs), "provider=route%3Aa%40%5B%3A%3A1%5D%3A25&text=a%26b%3D%C3%BC");
    }

    #[test]
    fn what_others_wrote_keeps_its_lines_and_turns_none() {
        assert_eq!(
            foreign("421 one\ntwo \u{202e}owt\u{1b}[2J"),
            "421 one\ntwo \\u{202e}owt\\u{1b}[2J"
        );
    }
}
