//! Lengths of time and rates.

use postlane_mail::{Rate, Span};

use super::amount::without_unit;
use super::{Value, Wrongs};
use crate::config::tree::Node;

/// The units of time in microseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
];

impl Value for Span {
    fn form() -> String {
        "a length of time: `5m` or `1h30m`, in d, h, m, s or ms".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        without_unit(node, wrongs, "s")?;
        wrongs.parse(node, "\"5m\" or \"1h30m\"", parse)
    }

    fn show(&self) -> String {
        format!("\"{}\"", exact(*self))
    }
}

impl Value for Rate {
    fn form() -> String {
        "a rate of messages: `100/m` or `200/10m`, per s, m, h or d".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        without_unit(node, wrongs, "/m")?;
        wrongs.parse(node, "\"100/m\" or \"200/10m\"", Self::parse)
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

/// Numbers with units, each unit once, the largest first.
fn parse(text: &str) -> Result<Span, &'static str> {
    let mut rest = text.trim();
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    if rest.is_empty() {
        return Err("it is empty");
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or("it has no unit")?;
        let (number, behind) = rest.split_at(unit_at);
        let unit_end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let number: u64 = number.parse().map_err(|_| "a unit has no whole number before it")?;
        if !UNITS.iter().any(|(name, _)| *name == unit.trim()) {
            return Err("the units are d, h, m, s and ms");
        }
        let (_, size) = units
            .find(|(name, _)| *name == unit.trim())
            .ok_or("its units are not each there once, the largest first")?;
        total = number
            .checked_mul(*size)
            .and_then(|part| total.checked_add(part))
            .ok_or("it is beyond all bounds")?;
        rest = behind;
    }
    Ok(Span(total))
}

/// With every unit that it has, so that nothing is lost in reading it again.
fn exact(span: Span) -> String {
    let mut left = span.0;
    let mut text = String::new();
    for (unit, size) in UNITS {
        if left / size > 0 {
            text.push_str(&format!("{}{unit}", left / size));
        }
        left %= size;
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_units_the_largest_first() {
        assert_eq!(parse("5m"), Ok(Span::from_min(5)));
        assert_eq!(parse("1h30m"), Ok(Span::from_min(90)));
        assert_eq!(parse("1d 2h"), Ok(Span::from_h(26)));
        assert_eq!(parse("0s"), Ok(Span::ZERO));
        for text in ["", "5", "m", "5x", "30m1h", "5m5m", "1.5h", "-5m", "99999999999999999999d"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_length_of_time_is_shown_as_it_can_be_read() {
        for span in [Span::ZERO, Span::from_ms(1), Span::from_s(86_400 + 3_600 + 61)] {
            assert_eq!(parse(&exact(span)), Ok(span));
        }
    }
}
