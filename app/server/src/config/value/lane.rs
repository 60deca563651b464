//! What lanes go by: bands, restart plans, and a way of one's own.

use postlane_lanes::{Bands, Ladder, Share};

use super::{Value, Wrongs, quoted};
use crate::config::tree::{Entry, Node, Written, find};

/// Where a provider's mail leaves from, written as `pool:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByPool(pub Box<str>);

/// How bands are written.
const BANDS: &str = "{ healthy = 0.02, stop = 0.10 }";

/// How a restart plan is written.
const PLAN: &str = "{ days = [50, 100, 200, 400], raise_after_stable_sends = 2 }";

impl Value for ByPool {
    fn form() -> String {
        "a pool: `pool:NAME`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        wrongs.parse(node, "\"pool:NAME\"", |text| {
            let name = text.strip_prefix("pool:").map(str::trim).filter(|name| !name.is_empty());
            name.map(|name| Self(name.into())).ok_or("it names no pool")
        })
    }

    fn show(&self) -> String {
        quoted(&format!("pool:{}", self.0))
    }
}

impl Value for Bands {
    fn form() -> String {
        format!("two parts of all: `{BANDS}`")
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let entries = table(node, wrongs, &["healthy", "stop"], BANDS)?;
        let share = |key: &str, otherwise: Share| match find(entries, key) {
            Some(entry) => fraction(&entry.node).and_then(|fraction| Share::of(fraction).ok()),
            None => Some(otherwise),
        };
        let healthy = share("healthy", Self::DEFAULT.healthy());
        let stop = share("stop", Self::DEFAULT.stop());
        let (Some(healthy), Some(stop)) = (healthy, stop) else {
            let cause = format!("`{}` has a share that is no part of all", wrongs.name());
            wrongs.add(node, cause, format!("write {BANDS}, each from 0 to 1"));
            return None;
        };
        match Self::new(healthy, stop) {
            Ok(bands) => Some(bands),
            Err(error) => {
                let cause = format!("`{}`: {error}", wrongs.name());
                wrongs.add(node, cause, format!("write it as {BANDS}"));
                None
            }
        }
    }

    fn show(&self) -> String {
        format!("{{ healthy = {}, stop = {} }}", self.healthy(), self.stop())
    }
}

impl Value for Ladder {
    fn form() -> String {
        format!("a cap for each day: `{PLAN}`")
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let entries = table(node, wrongs, &["days", "raise_after_stable_sends"], PLAN)?;
        let days = match find(entries, "days") {
            Some(entry) => Vec::<u32>::read(&entry.node, wrongs)?,
            None => Vec::new(),
        };
        let stable = find(entries, "raise_after_stable_sends");
        let stable = stable.map(|entry| u8::read(&entry.node, wrongs));
        let ladder = Self::new(days).map_err(|error| error.to_string());
        let ladder = match stable {
            None => ladder,
            Some(None) => return None,
            Some(Some(0)) => Err("no day follows without a stable send before it".to_owned()),
            Some(Some(sends)) => ladder.map(|mut ladder| {
                ladder.stable_sends = sends;
                ladder
            }),
        };
        match ladder {
            Ok(ladder) => Some(ladder),
            Err(why) => {
                let cause = format!("`{}` is no restart plan: {why}", wrongs.name());
                wrongs.add(node, cause, format!("write it as {PLAN}"));
                None
            }
        }
    }

    fn show(&self) -> String {
        let days: Vec<String> = self.days().iter().map(u32::to_string).collect();
        let (days, sends) = (days.join(", "), self.stable_sends);
        format!("{{ days = [{days}], raise_after_stable_sends = {sends} }}")
    }
}

/// The entries of a table that has these keys and no others.
fn table<'n>(
    node: &'n Node,
    wrongs: &mut Wrongs<'_>,
    keys: &[&str],
    example: &str,
) -> Option<&'n [Entry]> {
    let Written::Table(entries) = &node.written else {
        let cause = format!("`{}` is {}, and braces are wanted", wrongs.name(), node.kind());
        wrongs.add(node, cause, format!("write it as {example}"));
        return None;
    };
    if let Some(unknown) = entries.iter().find(|entry| !keys.contains(&entry.key.as_str())) {
        let cause = format!("`{}` knows no `{}`", wrongs.name(), unknown.key.escape_debug());
        wrongs.add(node, cause, format!("write it as {example}"));
        return None;
    }
    Some(entries)
}

/// A part of all: `0.02`, `0` or `1`.
fn fraction(node: &Node) -> Option<f64> {
    match node.written {
        Written::Fraction(fraction) => Some(fraction),
        Written::Number(0) => Some(0.0),
        Written::Number(1) => Some(1.0),
        _ => None,
    }
}
