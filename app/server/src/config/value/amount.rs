//! How many, how much, which part.

use std::fmt;

use super::{Value, Wrongs};
use crate::config::tree::{Node, Written};

/// A size in octets, written as `50MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

/// A part of a whole, or several times it, written as `20%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(pub u16);

/// The units of sizes, the largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// So many KiB.
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }

    /// So many MiB.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// So many GiB.
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// Octets.
    pub const fn octets(self) -> u64 {
        self.0
    }

    /// Octets, for what lies in memory; as many as the machine can address, at most.
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or("it has no unit")?;
        let (number, unit) = text.split_at(unit_at);
        let number: u64 = number.parse().map_err(|_| "it does not begin with a whole number")?;
        let unit = unit.trim();
        let (_, octets) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or("the units are B, KiB, MiB, GiB and TiB")?;
        number.checked_mul(*octets).map(Self).ok_or("it is beyond all bounds")
    }
}

impl fmt::Display for Size {
    /// In the largest unit that leaves no rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole =
            |(_, octets): &&(&str, u64)| self.0 >= *octets && self.0.is_multiple_of(*octets);
        let (unit, octets) = UNITS.iter().find(whole).unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / octets)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Value for Size {
    fn form() -> String {
        "a size: `50MiB`, in B, KiB, MiB, GiB or TiB".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        without_unit(node, wrongs, "B")?;
        wrongs.parse(node, "\"50MiB\"", Self::parse)
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Value for Percent {
    fn form() -> String {
        "a percentage: `20%`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        without_unit(node, wrongs, "%")?;
        wrongs.parse(node, "\"20%\"", |text| {
            let number = text.trim().strip_suffix('%').ok_or("the percent sign is missing")?;
            number.trim_end().parse().map(Self).map_err(|_| "it is no whole percentage")
        })
    }

    fn show(&self) -> String {
        format!("\"{self}\"")
    }
}

/// Complains of a number where a unit is wanted.
pub(super) fn without_unit(node: &Node, wrongs: &mut Wrongs<'_>, unit: &str) -> Option<()> {
    let Written::Number(number) = node.written else { return Some(()) };
    let cause = format!("`{}` is {number} of what?", wrongs.name());
    wrongs.add(node, cause, format!("write it in quotes and with its unit, as \"{number}{unit}\""));
    None
}

impl Value for bool {
    fn form() -> String {
        "`true` or `false`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        if let Written::Boolean(value) = node.written {
            return Some(value);
        }
        let cause = format!("`{}` is {}", wrongs.name(), node.kind());
        wrongs.add(node, cause, "write true or false, without quotes");
        None
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! counts {
    ($($T:ty),+) => {$(
        impl Value for $T {
            fn form() -> String {
                "a whole number".to_owned()
            }

            fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
                let number = match &node.written {
                    Written::Number(number) => Some(*number),
                    // The command line has no numbers.
                    Written::Text(text) if matches!(node.origin, Origin::Flag(_)) => text.parse().ok(),
                    _ => None,
                };
                if let Some(value) = number.and_then(|number| Self::try_from(number).ok()) {
                    return Some(value);
                }
                let (name, max) = (wrongs.name().to_owned(), Self::MAX);
                let cause = match number {
                    Some(number) => format!("`{name}` is {number}, out of bounds"),
                    None => format!("`{name}` is {}", node.kind()),
                };
                wrongs.add(node, cause, format!("write a whole number without quotes, from 0 to {max}"));
                None
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

use crate::config::tree::Origin;

counts!(u8, u16, u32, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(Size::parse("50MiB"), Ok(Size::mib(50)));
        assert_eq!(Size::parse("1 kib"), Ok(Size(1024)));
        for text in ["50", "MiB", "50MB", "1.5GiB", "-1B", "99999999999TiB", ""] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_as_it_can_be_read() {
        for octets in [0, 1, 1023, 1024, 1 << 20, 3 << 29, (1 << 40) + 1] {
            assert_eq!(Size::parse(&Size(octets).to_string()), Ok(Size(octets)));
        }
        assert_eq!(Size::mib(1536).to_string(), "1536MiB");
    }
}
