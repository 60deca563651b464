//! What the command line says, which beats the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::tree::{Entry, Node, Origin, Written, find};

/// Flags of `serve`. Each says what a setting says, and is read and checked as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--data`: `spool.dir`.
    pub data: Option<PathBuf>,
    /// `--smtp`: the listeners, in the place of all in the file; none leaves those.
    pub smtp: Vec<SocketAddr>,
    /// `--http`: `http.address`.
    pub http: Option<SocketAddr>,
    /// `--resolver`: `delivery.resolvers`; none leaves those.
    pub resolver: Vec<SocketAddr>,
    /// `--mx-port`: `delivery.mx_port`.
    pub mx_port: Option<u16>,
    /// `--route`: routes, `PATTERN=HOST:PORT`, before those of the file with the same pattern.
    pub route: Vec<String>,
    /// `--clock-speed` is given: who hurries time tries lanes on a model receiver, which is in a
    /// network of our own, so `lane.learning` is on where the file does not say.
    pub hurried: bool,
}

impl Overrides {
    /// Writes them into the tree.
    pub(super) fn apply(&self, root: &mut Vec<Entry>) {
        let mut one = |section, key, flag, text: Option<String>| {
            if let Some(text) = text {
                set_in(root, section, key, Node::of_flag(flag, &text));
            }
        };
        let data = self.data.as_ref().map(|data| data.to_string_lossy().into_owned());
        one("spool", "dir", "--data", data);
        one("http", "address", "--http", self.http.map(|address| address.to_string()));
        one("delivery", "mx_port", "--mx-port", self.mx_port.map(|port| port.to_string()));
        if !self.resolver.is_empty() {
            let origin = Origin::Flag("--resolver");
            let each = |address: &SocketAddr| Node::of_flag("--resolver", &address.to_string());
            let written = Written::List(self.resolver.iter().map(each).collect());
            set_in(root, "delivery", "resolvers", Node { origin, written });
        }
        if !self.smtp.is_empty() {
            let each = |address: &SocketAddr| entry("--smtp", &[("address", &address.to_string())]);
            let written = Written::List(self.smtp.iter().map(each).collect());
            set(root, "listener", Node { origin: Origin::Flag("--smtp"), written });
        }
        if self.hurried && !says(root, "lane", "learning") {
            set_in(root, "lane", "learning", Node::of_flag("--clock-speed", "on"));
        }
        self.apply_routes(root);
    }

    fn apply_routes(&self, root: &mut Vec<Entry>) {
        if self.route.is_empty() {
            return;
        }
        let mut routes: Vec<Node> = self.route.iter().map(|text| route(text)).collect();
        let pattern = |node: &Node| match &node.written {
            Written::Table(entries) => find(entries, "pattern")?.node.text().map(str::to_lowercase),
            _ => None,
        };
        let ours: Vec<Option<String>> = routes.iter().map(pattern).collect();
        if let Some(Written::List(list)) = find(root, "route").map(|entry| &entry.node.written) {
            routes.extend(list.iter().filter(|node| !ours.contains(&pattern(node))).cloned());
        }
        let origin = Origin::Flag("--route");
        set(root, "route", Node { origin, written: Written::List(routes) });
    }
}

/// `PATTERN=HOST:PORT`, with the options that the file has as settings of their own behind
/// commas: `tls=required,user=NAME,password-file=PATH`.
fn route(text: &str) -> Node {
    let (pattern, rest) = text.split_once('=').unwrap_or((text, ""));
    let mut parts = rest.split(',').map(str::trim);
    let mut fields = vec![("pattern".to_owned(), pattern.trim())];
    fields.push(("to".to_owned(), parts.next().unwrap_or_default()));
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        fields.push((key.replace('-', "_"), value));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (&**key, *value)).collect();
    entry("--route", &fields)
}

fn entry(flag: &'static str, fields: &[(&str, &str)]) -> Node {
    let each = |(key, text): &(&str, &str)| Entry {
        key: (*key).to_owned(),
        origin: Origin::Flag(flag),
        node: Node::of_flag(flag, text),
    };
    let written = Written::Table(fields.iter().map(each).collect());
    Node { origin: Origin::Flag(flag), written }
}

/// Sets a key in a section; a section that is no table is left for the reader to complain of.
fn set_in(root: &mut Vec<Entry>, section: &str, key: &str, node: Node) {
    if find(root, section).is_none() {
        let table = Node { origin: node.origin.clone(), written: Written::Table(Vec::new()) };
        set(root, section, table);
    }
    let table = root.iter_mut().find(|entry| entry.key == section);
    if let Some(Entry { node: Node { written: Written::Table(entries), .. }, .. }) = table {
        set(entries, key, node);
    }
}

/// Whether a section of the file has this key.
fn says(root: &[Entry], section: &str, key: &str) -> bool {
    match find(root, section).map(|entry| &entry.node.written) {
        Some(Written::Table(entries)) => find(entries, key).is_some(),
        _ => false,
    }
}

fn set(entries: &mut Vec<Entry>, key: &str, node: Node) {
    entries.retain(|entry| entry.key != key);
    entries.push(Entry { key: key.to_owned(), origin: node.origin.clone(), node });
}
