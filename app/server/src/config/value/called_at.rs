//! Hosts that are called at another address than their own: a table in the file.

use postlane_net::enquiry::Mapped;

use super::{Value, Wrongs, quoted};
use crate::config::tree::{Node, Written};

/// Hosts that are called at another address than their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalledAt {
    mapped: Mapped,
    /// As it is written, in order: `HOST:PORT` and `ADDRESS:PORT`.
    written: Vec<(String, String)>,
}

/// Hosts in it, at most. Chosen, not measured.
const HOSTS_MAX: usize = 100;

const CURE: &str = "write it as { \"mta-sts.example:443\" = \"127.0.0.1:8443\" }";

impl CalledAt {
    /// The same for whoever calls.
    pub fn mapped(&self) -> &Mapped {
        &self.mapped
    }
}

impl Value for CalledAt {
    fn form() -> String {
        "a table of `\"HOST:PORT\" = \"ADDRESS:PORT\"`".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let Written::Table(entries) = &node.written else {
            let cause = format!("`{}` is {}, and a table is wanted", wrongs.name(), node.kind());
            wrongs.add(node, cause, CURE);
            return None;
        };
        if entries.len() > HOSTS_MAX {
            let cause = format!("`{}` has {} hosts", wrongs.name(), entries.len());
            wrongs.add(node, cause, format!("write {HOSTS_MAX} at most"));
            return None;
        }
        let mut written = Vec::new();
        for entry in entries {
            let to = wrongs.text(&entry.node, "\"127.0.0.1:8443\"")?;
            if let Err(error) = Mapped::parse([format!("{}={to}", entry.key).as_str()]) {
                wrongs.add(&entry.node, error.to_string(), CURE);
                return None;
            }
            written.push((entry.key.clone(), to.to_owned()));
        }
        let texts: Vec<String> = written.iter().map(|(from, to)| format!("{from}={to}")).collect();
        let mapped = Mapped::parse(texts.iter().map(String::as_str)).ok()?;
        Some(Self { mapped, written })
    }

    fn show(&self) -> String {
        let shown =
            self.written.iter().map(|(from, to)| format!("{} = {}", quoted(from), quoted(to)));
        match shown.collect::<Vec<_>>() {
            none if none.is_empty() => "{}".to_owned(),
            some => format!("{{ {} }}", some.join(", ")),
        }
    }
}
