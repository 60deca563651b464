//! A section of the file: what is declared in it is read, and nothing else may stand there.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::path::PathBuf;

use super::declaration::{Change, Declaration, Setting, SettingName};
use super::effective::Effective;
use super::finding::{Finding, Told, Weight};
use super::nearest::nearest;
use super::tree::{Entry, Node, Origin, Written, find};
use super::value::{Value, Wrongs};

/// What the name of a section ends in that is written once for each name.
const NAMED: &str = ".NAME";

/// What the `settings!` table makes of a section.
pub(crate) trait Declared: Clone + PartialEq {
    /// Its name in the file.
    const NAME: &'static str;
    /// What it is about.
    const TITLE: &'static str;

    /// Its settings.
    fn declared() -> Vec<Setting>;

    /// Reads it; none if something that must be there is missing or wrong.
    fn read(fields: &mut Fields<'_, '_>) -> Option<Self>;

    /// Leaves settings that need a restart as they were in the section that runs.
    fn keep_what_needs_a_restart(&mut self, old: &Self);
}

/// What a section knows beyond its settings.
pub(crate) trait Section: Declared {
    /// Settings that have another name now: what it was, and what it is.
    const RENAMED: &'static [(&'static str, &'static str)] = &[];

    /// What no other entry of a list may be called, too: the key, and the name in one spelling.
    fn name(&self) -> Option<(&'static str, String)> {
        None
    }

    /// What can only be judged when several settings are known.
    fn check(&self, _fields: &mut Fields<'_, '_>) {}

    /// The entries of a list of which none is written, as TOML.
    fn unwritten(_reading: &Reading) -> String {
        String::new()
    }
}

/// A configuration being read: everything found and everything that holds.
pub(crate) struct Reading {
    root: Vec<Entry>,
    /// What relative names of files begin at.
    folder: PathBuf,
    pub(super) findings: Vec<Finding>,
    pub(super) effective: Vec<Effective>,
}

/// The settings of one section, or of one entry of a list, being read.
pub(crate) struct Fields<'a, 'r> {
    reading: &'r mut Reading,
    section: &'static str,
    /// The section as it is written: `[lane."web.de"]` is `lane."web.de"`.
    place: String,
    renamed: &'static [(&'static str, &'static str)],
    /// In a list, which entry it is, from 1.
    number: Option<usize>,
    origin: &'a Origin,
    entries: &'a [Entry],
}

impl Reading {
    pub(crate) fn new(root: Vec<Entry>, folder: PathBuf) -> Self {
        Self { root, folder, findings: Vec::new(), effective: Vec::new() }
    }

    /// Reads a section that is there once, `[name]`.
    pub(crate) fn one<S: Section>(&mut self) -> Option<S> {
        let nothing = Node { origin: Origin::Default, written: Written::Table(Vec::new()) };
        let node = find(&self.root, S::NAME).map_or(nothing, |entry| entry.node.clone());
        let Written::Table(entries) = &node.written else {
            let cause = format!("`{}` is {}, and a section is wanted", S::NAME, node.kind());
            let cure = format!("write [{}] once, in single brackets", S::NAME);
            self.complain(node.origin.clone(), Some(S::NAME.to_owned()), cause, cure);
            return S::read(&mut self.fields::<S>(None, &Origin::Default, &[]));
        };
        self.entry::<S>(None, &node.origin, entries)
    }

    /// Reads a section that may be there several times, `[[name]]`.
    pub(crate) fn many<S: Section>(&mut self) -> Vec<S> {
        let Some(entry) = find(&self.root, S::NAME).cloned() else {
            let unwritten = super::tree::unwritten(&S::unwritten(self));
            let list = find(&unwritten, S::NAME).map(|entry| entry.node.clone());
            return list.map_or_else(Vec::new, |node| self.list(&node));
        };
        self.list(&entry.node)
    }

    /// The names that are given in a list, whether or not the rest is right.
    pub(crate) fn names(&self, section: &str, key: &str) -> Vec<String> {
        let Some(entry) = find(&self.root, section) else { return Vec::new() };
        let Written::List(list) = &entry.node.written else { return Vec::new() };
        let name = |node: &Node| match &node.written {
            Written::Table(entries) => find(entries, key)?.node.text().map(str::to_owned),
            _ => None,
        };
        list.iter().filter_map(name).collect()
    }

    /// Takes the tables out of a section, but for those that are its settings, and makes a list of
    /// them, each with its key as its name: `[lane."web.de"]` is an entry of `lane.NAME`.
    pub(crate) fn part_named<S: Section, N: Section>(&mut self) {
        let settings = S::declared();
        let is_setting = |key: &str| settings.iter().any(|setting| setting.name.key == key);
        let section = self.root.iter_mut().find(|entry| entry.key == S::NAME);
        let Some(Entry { node: Node { written: Written::Table(entries), origin }, .. }) = section
        else {
            return;
        };
        let origin = origin.clone();
        let is_named = |entry: &Entry| {
            matches!(entry.node.written, Written::Table(_)) && !is_setting(&entry.key)
        };
        let (named, settings) = std::mem::take(entries).into_iter().partition(is_named);
        *entries = settings;
        let list: Vec<Node> = Vec::into_iter(named).map(named_entry).collect();
        if !list.is_empty() {
            let node = Node { origin: origin.clone(), written: Written::List(list) };
            self.root.push(Entry { key: N::NAME.to_owned(), origin, node });
        }
    }

    /// Complains of sections that are written in another way now; `now` says how, for an entry.
    pub(crate) fn refuse_former(&mut self, section: &str, now: impl Fn(&[Entry]) -> String) {
        let Some(at) = self.root.iter().position(|entry| entry.key == section) else { return };
        let entry = self.root.remove(at);
        let nodes = match entry.node.written {
            Written::List(list) => list,
            _ => vec![entry.node],
        };
        for node in nodes {
            let entries = match &node.written {
                Written::Table(entries) => &**entries,
                _ => &[],
            };
            let cause = format!("`[[{section}]]` is written in another way now");
            self.complain(node.origin.clone(), Some(section.to_owned()), cause, now(entries));
        }
    }

    /// The keys that are written in an entry of a list, from 0.
    pub(crate) fn keys_of(&self, section: &str, at: usize) -> Vec<String> {
        let entries = self.entries_of(section, at).unwrap_or_default();
        entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// Says of an entry of a list, from 0, what was found by looking at several.
    pub(crate) fn find_in(&mut self, section: &'static str, at: usize, told: Told) {
        let Some(entries) = self.entries_of(section, at) else { return };
        let Some(entry) = find(entries, told.key).or_else(|| entries.first()) else { return };
        let origin = entry.node.origin.clone();
        let place = place(section, entries);
        let setting = match told.key {
            "name" => place,
            key => format!("{place}.{key}"),
        };
        let Told { weight, cause, cure, .. } = told;
        self.findings.push(Finding { weight, setting: Some(setting), origin, cause, cure });
    }

    /// On which line of the file a key of an entry of a list, from 0, is written.
    pub(crate) fn line_of(&self, section: &str, at: usize, key: &str) -> Option<usize> {
        match &find(self.entries_of(section, at)?, key)?.node.origin {
            Origin::File(spot) => Some(spot.line),
            _ => None,
        }
    }

    fn entries_of(&self, section: &str, at: usize) -> Option<&[Entry]> {
        let Written::List(list) = &find(&self.root, section)?.node.written else { return None };
        let Written::Table(entries) = &list.get(at)?.written else { return None };
        Some(entries)
    }

    /// Complains of sections that nobody knows.
    pub(crate) fn refuse_unknown(&mut self, sections: &[&'static str]) {
        let unknown = self.root.iter().filter(|entry| !sections.contains(&entry.key.as_str()));
        let unknown: Vec<_> =
            unknown.map(|entry| (entry.key.clone(), entry.origin.clone())).collect();
        for (key, origin) in unknown {
            let cure = match nearest(&key, sections) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("the sections are {}", sections.join(", ")),
            };
            let cause = format!("there is no section or setting `{key}`");
            self.complain(origin, Some(key), cause, cure);
        }
    }

    pub(crate) fn complain(
        &mut self,
        origin: Origin,
        setting: Option<String>,
        cause: String,
        cure: String,
    ) {
        let weight = Weight::Error;
        self.findings.push(Finding { weight, setting, origin, cause, cure });
    }

    fn list<S: Section>(&mut self, node: &Node) -> Vec<S> {
        let Written::List(list) = &node.written else {
            let cause = format!("`{}` is {}, and a list is wanted", S::NAME, node.kind());
            let cure = format!("write [[{}]] in double brackets, once for each", S::NAME);
            self.complain(node.origin.clone(), Some(S::NAME.to_owned()), cause, cure);
            return Vec::new();
        };
        let mut names: Vec<(String, Origin)> = Vec::new();
        let mut read = Vec::new();
        for (at, node) in list.iter().enumerate() {
            let Written::Table(entries) = &node.written else {
                let cause = format!("an entry of `{}` is {}", S::NAME, node.kind());
                let cure = format!("write [[{}]] in double brackets, once for each", S::NAME);
                self.complain(node.origin.clone(), Some(S::NAME.to_owned()), cause, cure);
                continue;
            };
            let Some(section) = self.entry::<S>(Some(at + 1), &node.origin, entries) else {
                continue;
            };
            if let Some((key, name)) = section.name() {
                let mut fields = self.fields::<S>(Some(at + 1), &node.origin, entries);
                let place = fields.origin_of(key).clone();
                if let Some((_, first)) = names.iter().find(|(first, _)| *first == name) {
                    let cause = another(S::NAME, key, &name, first);
                    fields.complain(key, cause, "name each once, or join the two");
                }
                names.push((name, place));
            }
            read.push(section);
        }
        read
    }

    fn entry<S: Section>(
        &mut self,
        number: Option<usize>,
        origin: &Origin,
        entries: &[Entry],
    ) -> Option<S> {
        let mut fields = self.fields::<S>(number, origin, entries);
        let section = S::read(&mut fields);
        fields.refuse_unknown(&S::declared());
        if let Some(section) = &section {
            section.check(&mut fields);
        }
        section
    }

    fn fields<'a, S: Section>(
        &mut self,
        number: Option<usize>,
        origin: &'a Origin,
        entries: &'a [Entry],
    ) -> Fields<'a, '_> {
        let place = place(S::NAME, entries);
        let (section, renamed) = (S::NAME, S::RENAMED);
        Fields { reading: self, section, place, renamed, number, origin, entries }
    }
}

impl Fields<'_, '_> {
    /// Reads a setting. What is wrong is found, and the default stands in so that reading can
    /// go on; none if there is no default.
    pub(crate) fn read<T: Value>(
        &mut self,
        key: &'static str,
        declaration: Declaration<T>,
    ) -> Option<T> {
        let name = SettingName { section: self.section, key };
        let change = declaration.change;
        let Some(entry) = find(self.entries, key) else {
            let Some(value) = declaration.default else {
                let section = self.section;
                let cause = format!("`{name}` is missing");
                let cure = format!("write it: `postlane config explain {section}.{key}` says how");
                self.complain(key, cause, cure);
                return None;
            };
            self.hold(name, change, Origin::Default, &value);
            return Some(value);
        };
        let mut wrongs = Wrongs::new(&self.reading.folder, format!("{}.{key}", self.place));
        let value = T::read(&entry.node, &mut wrongs);
        let value = value.filter(|value| {
            let bounds = declaration.bounds.as_ref().filter(|b| !(b.allow)(b, value));
            let Some(bounds) = bounds.filter(|_| !value.is_off()) else { return true };
            let (min, max) = (bounds.min.show(), bounds.max.show());
            let cause = format!("`{}` is {}, out of bounds", wrongs.name(), value.show());
            wrongs.add(&entry.node, cause, format!("choose from {min} to {max}"));
            false
        });
        let wrongs = wrongs.into_findings();
        self.reading.findings.extend(wrongs);
        let Some(value) = value else { return declaration.default };
        self.hold(name, change, entry.node.origin.clone(), &value);
        Some(value)
    }

    /// Whether a setting is written, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        find(self.entries, key).is_some()
    }

    /// Whether something was found wrong with a setting already.
    pub(crate) fn is_wrong(&self, key: &str) -> bool {
        let origin = find(self.entries, key).map(|entry| &entry.node.origin);
        let spot = |origin: &Origin| match origin {
            Origin::File(spot) => Some((spot.from, spot.from + spot.octets)),
            _ => None,
        };
        let Some((from, end)) = origin.and_then(spot) else { return false };
        let inside = |at: (usize, usize)| from <= at.0 && at.1 <= end;
        self.reading.findings.iter().filter_map(|finding| spot(&finding.origin)).any(inside)
    }

    /// Complains of a setting, there where it is written, or where its section is.
    pub(crate) fn complain(
        &mut self,
        key: &str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.find(Weight::Error, key, cause.into(), cure.into());
    }

    /// Says what was found.
    pub(crate) fn tell(&mut self, told: Told) {
        self.find(told.weight, told.key, told.cause, told.cure);
    }

    /// Says of a setting what may be meant and may not.
    pub(crate) fn warn(&mut self, key: &str, cause: impl Into<String>, cure: impl Into<String>) {
        self.find(Weight::Warning, key, cause.into(), cure.into());
    }

    /// Complains if a name that a setting refers to is not given anywhere.
    pub(crate) fn refer(&mut self, key: &str, name: &str, section: &'static str) {
        let known = self.names(section, "name");
        if known.iter().any(|known| known == name) {
            return;
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let cure = match nearest(name, &known) {
            Some(known) => format!("did you mean \"{known}\"?"),
            None => format!("write [[{section}]] with name = \"{name}\", or name another"),
        };
        self.complain(key, format!("there is no {section} \"{name}\""), cure);
    }

    /// The names that are given in a list, whether or not the rest is right.
    pub(crate) fn names(&self, section: &'static str, key: &str) -> Vec<String> {
        self.reading.names(section, key)
    }

    /// Where a setting is written, or else its section.
    fn origin_of(&self, key: &str) -> &Origin {
        find(self.entries, key).map_or(self.origin, |entry| &entry.node.origin)
    }

    fn find(&mut self, weight: Weight, key: &str, cause: String, cure: String) {
        let origin = self.origin_of(key).clone();
        let setting = Some(format!("{}.{key}", self.place));
        self.reading.findings.push(Finding { weight, setting, origin, cause, cure });
    }

    fn hold<T: Value>(&mut self, name: SettingName, change: Change, origin: Origin, value: &T) {
        let mut hasher = DefaultHasher::new();
        value.mark(&mut hasher);
        let mark = hasher.finish();
        let (number, value) = (self.number, value.show());
        let place = (self.place != self.section).then(|| format!("{}.{}", self.place, name.key));
        let effective = Effective { name, number, place, value, origin, change, mark };
        self.reading.effective.push(effective);
    }

    fn refuse_unknown(&mut self, known: &[Setting]) {
        let keys: Vec<&str> = known.iter().map(|setting| setting.name.key).collect();
        for entry in self.entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            let name = format!("{}.{}", self.place, entry.key);
            let now = self.renamed.iter().find(|(was, _)| *was == entry.key).map(|(_, now)| *now);
            let cure = match now.or_else(|| nearest(&entry.key, &keys)) {
                Some(key) if now.is_some() => format!("it is `{}.{key}` now", self.place),
                Some(key) => format!("did you mean `{}.{key}`?", self.place),
                None => format!("`postlane config explain {}` lists its settings", self.section),
            };
            let cause = format!("there is no setting `{name}`");
            self.reading.complain(entry.origin.clone(), Some(name), cause, cure);
        }
    }
}

/// That an entry of a list is called as an earlier one is, and where that one stands.
fn another(section: &str, key: &str, name: &str, first: &Origin) -> String {
    match first {
        Origin::File(spot) => {
            format!("the `{section}` on line {} has {key} \"{name}\", too", spot.line)
        }
        Origin::Default | Origin::Flag(_) => {
            format!("there is another `{section}` with {key} \"{name}\"")
        }
    }
}

/// A table with its key as its name.
fn named_entry(entry: Entry) -> Node {
    let Entry { key, origin, node } = entry;
    let Written::Table(mut entries) = node.written else { return node };
    let name = Node { origin: origin.clone(), written: Written::Text(key) };
    entries.retain(|entry| entry.key != "name");
    entries.insert(0, Entry { key: "name".to_owned(), origin, node: name });
    Node { origin: node.origin, written: Written::Table(entries) }
}

/// A section as it is written: `lane."web.de"` for one with a name.
fn place(section: &'static str, entries: &[Entry]) -> String {
    let name = find(entries, "name").and_then(|entry| entry.node.text());
    match (section.strip_suffix(NAMED), name) {
        (Some(section), Some(name)) => format!("{section}.\"{}\"", name.escape_debug()),
        _ => section.to_owned(),
    }
}
