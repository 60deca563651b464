//! A configuration as it is written: keys, values, and where each of them stands.
//!
//! What the file says, what the command line says and what holds when neither says anything
//! become the same tree, so that all three are read and checked alike.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody has said anything.
    Default,
    /// The file says so, there.
    File(Spot),
    /// The command line says so, by this flag.
    Flag(&'static str),
}

/// A piece of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Its first line, from 1.
    pub line: usize,
    /// Its first character in that line, from 1.
    pub column: usize,
    /// Its octets in the file, from 0.
    pub(crate) from: usize,
    /// How many octets it has.
    pub(crate) octets: usize,
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) written: Written,
}

/// What is written there.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Text(String),
    Number(i128),
    Fraction(f64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something no setting is written as; the word for it.
    Other(&'static str),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) node: Node,
}

/// A mistake in the TOML itself.
pub(crate) struct SyntaxMistake {
    pub(crate) origin: Origin,
    pub(crate) says: String,
}

/// Reads TOML. What follows a mistake is read all the same, as far as it makes sense: not the settings
/// of a section whose head is broken, which would seem to stand in none.
pub(crate) fn parse(text: &str) -> (Vec<Entry>, Vec<SyntaxMistake>) {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let spots: Vec<Spot> =
        errors.iter().map(|error| lines.spot(error.span().unwrap_or(0..0))).collect();
    let broken: BTreeSet<usize> = spots.iter().map(|spot| spot.line).collect();
    let heads = lines.heads();
    let mut entries = entries(table.into_inner(), &|span| Origin::File(lines.spot(span)));
    entries.retain(|entry| match &entry.origin {
        Origin::File(key) => {
            let above = heads.partition_point(|head| *head <= key.line).checked_sub(1);
            let head = above.map(|at| heads[at]).filter(|head| *head < key.line);
            head.is_none_or(|head| !broken.contains(&head))
        }
        _ => true,
    });
    let unclosed = take_unclosed(&mut entries, text);
    let mistake = |(error, spot): (&toml::de::Error, Spot)| match &unclosed {
        // That it is not closed is seen at the end of the file; what is to be mended is where it opens.
        Some(opened) if spot.from == text.len() => SyntaxMistake {
            origin: Origin::File(opened.clone()),
            says: "a text of several lines begins here and is never closed".to_owned(),
        },
        _ => SyntaxMistake { origin: Origin::File(spot), says: error.message().to_owned() },
    };
    (entries, errors.iter().zip(spots).map(mistake).collect())
}

/// What opens and closes a text of several lines.
const QUOTES: [&str; 2] = ["\"\"\"", "'''"];

/// Takes out the key whose text is never closed: the rest of the file went into it, so that it says
/// nothing. Gives where its quotes stand.
fn take_unclosed(entries: &mut Vec<Entry>, text: &str) -> Option<Spot> {
    let found = entries.iter().position(|entry| unclosed(&entry.node, text).is_some());
    if let Some(at) = found {
        return unclosed(&entries.remove(at).node, text);
    }
    entries.iter_mut().find_map(|entry| match &mut entry.node.written {
        Written::Table(below) => take_unclosed(below, text),
        // The whole section goes: it would seem to lack the key.
        Written::List(all) => {
            let found = all.iter_mut().enumerate().find_map(|(at, node)| match &mut node.written {
                Written::Table(below) => Some((at, take_unclosed(below, text)?)),
                _ => None,
            });
            found.map(|(at, opened)| {
                all.remove(at);
                opened
            })
        }
        _ => None,
    })
}

/// Where the quotes of a text stand that the end of the file cuts off.
fn unclosed(node: &Node, text: &str) -> Option<Spot> {
    if let Written::List(all) = &node.written {
        return all.iter().find_map(|node| unclosed(node, text));
    }
    let (Origin::File(spot), Written::Text(_)) = (&node.origin, &node.written) else { return None };
    let written = text.get(spot.from..).filter(|all| all.len() <= spot.octets)?;
    let is_open =
        |quotes: &str| written.strip_prefix(quotes).is_some_and(|inside| !inside.ends_with(quotes));
    let quotes = QUOTES.into_iter().find(|quotes| is_open(quotes))?;
    Some(Spot { octets: quotes.len(), ..spot.clone() })
}

/// Reads TOML of our own, which stands for what nobody has written.
pub(crate) fn unwritten(text: &str) -> Vec<Entry> {
    let table = DeTable::parse(text).expect("a test reads the TOML we wrote ourselves");
    entries(table.into_inner(), &|_| Origin::Default)
}

fn entries(table: DeTable<'_>, origin: &impl Fn(Range<usize>) -> Origin) -> Vec<Entry> {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| Entry {
        origin: origin(key.span()),
        key: std::borrow::Cow::into_owned(key.into_inner()),
        node: node(value, origin),
    };
    table.into_iter().map(entry).collect()
}

fn node(value: Spanned<DeValue<'_>>, origin: &impl Fn(Range<usize>) -> Origin) -> Node {
    let place = origin(value.span());
    let written = match value.into_inner() {
        DeValue::String(text) => Written::Text(text.into_owned()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or(Written::Other("a number beyond all bounds"), Written::Number),
        DeValue::Boolean(boolean) => Written::Boolean(boolean),
        DeValue::Array(list) => {
            Written::List(list.into_iter().map(|value| node(value, origin)).collect())
        }
        DeValue::Table(table) => Written::Table(entries(table, origin)),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .map_or(Written::Other("a number beyond all bounds"), Written::Fraction),
        DeValue::Datetime(_) => Written::Other("a moment"),
    };
    Node { origin: place, written }
}

impl Node {
    /// What a flag says.
    pub(crate) fn of_flag(flag: &'static str, text: &str) -> Self {
        Self { origin: Origin::Flag(flag), written: Written::Text(text.to_owned()) }
    }

    /// The word for what is written, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.written {
            Written::Text(_) => "a text",
            Written::Number(_) => "a number",
            Written::Fraction(_) => "a number with a fraction",
            Written::Boolean(_) => "true or false",
            Written::List(_) => "a list",
            Written::Table(_) => "a table",
            Written::Other(kind) => kind,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.written {
            Written::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value of a key, if it is there.
pub(crate) fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let behind = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(behind).collect() }
    }

    /// The lines, from 1, that look like the head of a section, in order.
    fn heads(&self) -> Vec<usize> {
        let is_head = |start: usize| {
            let line = self.text.get(start..).unwrap_or_default();
            line.trim_start_matches([' ', '\t']).starts_with('[')
        };
        (1..)
            .zip(&self.starts)
            .filter(|(_, start)| is_head(**start))
            .map(|(line, _)| line)
            .collect()
    }

    fn spot(&self, span: Range<usize>) -> Spot {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..span.start).unwrap_or_default();
        Spot {
            line,
            column: before.chars().count() + 1,
            from: span.start,
            octets: span.end.saturating_sub(span.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_line_and_column() {
        let (entries, mistakes) = parse("# ü\n[lane]\n  connections = 5\n");
        assert!(mistakes.is_empty());
        let Written::Table(lane) = &find(&entries, "lane").unwrap().node.written else { panic!() };
        let Origin::File(spot) = &find(lane, "connections").unwrap().node.origin else { panic!() };
        assert_eq!((spot.line, spot.column), (3, 17));
    }

    #[test]
    fn reading_goes_on_behind_a_mistake() {
        let (entries, mistakes) = parse("a = \n[lane]\nconnections = 5\nrate = \n");
        assert_eq!(mistakes.len(), 2);
        assert!(find(&entries, "lane").is_some());
    }

    #[test]
    fn what_stands_under_a_broken_head_is_in_no_section_and_seems_to_be_in_none() {
        let text = "what = 1\n[relay # here\nhostname = \"a\"\n\n[spoool]\ndir = \"b\"\n";
        let (entries, mistakes) = parse(text);
        let keys: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
        assert_eq!((keys, mistakes.len()), (vec!["spoool", "what"], 1));
    }
}
