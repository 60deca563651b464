//! CNT-13 to CNT-15: what is put into text to be opened, and what is left in it by mistake.

use crate::arrived::Arrived;
use crate::check::{Found, Outcome};
use crate::format::words;
use crate::looked::Looked;

use super::script::Script;

pub(super) fn honest_subject(looked: Looked<'_>) -> Option<Found> {
    let subject = looked.content.subject.trim();
    if subject.is_empty() {
        return Found::skip("there is no subject");
    }
    let letters = subject.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = subject.chars().filter(|c| c.is_uppercase()).count();
    let has_marks = subject.matches('!').count() >= 3;
    let is_readable = subject.chars().any(char::is_alphanumeric);
    let lower = subject.to_lowercase();
    let is_answer = ["re:", "aw:", "fwd:", "fw:", "wg:"].iter().any(|word| lower.starts_with(word));
    let message = &looked.arrived.message;
    let has_before =
        ["References", "In-Reply-To"].iter().any(|name| message.all(name).next().is_some());
    let mut tricks = Vec::new();
    // A short word in capitals is a name: `NASA`, `VAT`.
    if letters >= 10 && capitals * 2 > letters {
        tricks.push("more than half of it in capitals");
    }
    if has_marks {
        tricks.push("three or more exclamation marks");
    }
    if is_answer && !has_before {
        tricks.push("it speaks as an answer, and answers nothing");
    }
    if !is_readable {
        tricks.push("no letter in it");
    }
    let subject: String = subject.chars().take(150).collect();
    match tricks.is_empty() {
        true => Found::pass(subject),
        false => Found::warn(format!("{subject}: {}", tricks.join(", "))),
    }
}

/// What templates write where something is to be put in, by how it begins and ends.
const PLACEHOLDERS: [(&str, &str); 6] =
    [("{{", "}}"), ("{%", "%}"), ("%%", "%%"), ("*|", "|*"), ("[[", "]]"), ("${", "}")];

/// Greetings that a missing name leaves behind.
const GREETINGS: [&str; 6] =
    ["dear ,", "hello ,", "hi ,", "hallo ,", "liebe ,", "sehr geehrte frau ,"];

/// How long what stands in a placeholder may be, in octets. Chosen, not measured.
const INSIDE_MAX: usize = 60;

pub(super) fn nothing_unfilled(looked: Looked<'_>) -> Option<Found> {
    let content = looked.content;
    let mut seen: Vec<String> = Vec::new();
    let links = content.written_links().take(LINKS_MAX);
    for text in [&*content.subject, content.text()].into_iter().chain(links) {
        for (begin, end) in PLACEHOLDERS {
            seen.extend(placeholder(text, begin, end).map(str::to_owned));
        }
    }
    let start: String = content.text().chars().take(2_000).collect::<String>().to_lowercase();
    let start = format!("{} {start}", content.subject.to_lowercase());
    seen.extend(GREETINGS.iter().filter(|word| start.contains(*word)).map(|&word| word.to_owned()));
    seen.dedup();
    seen.truncate(10);
    match seen.is_empty() {
        true => Found::pass("nothing is left to be filled in"),
        false => Found::fail(seen.join(", ")),
    }
}

/// Links that are looked at for placeholders. Chosen, not measured.
const LINKS_MAX: usize = 200;

/// The first placeholder of a sort: a name of letters, digits, `_`, `.`, `-`, `|`, `:` and blanks,
/// at least one letter among them.
fn placeholder<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let is_name = |inside: &str| {
        let inside = inside.trim();
        inside.chars().any(char::is_alphabetic)
            && inside.chars().all(|c| c.is_alphanumeric() || " _.-|:#/$'\"".contains(c))
    };
    for (at, _) in text.match_indices(begin).take(MATCHES_MAX) {
        let behind = &text[at + begin.len()..];
        let near = &behind[..behind.floor_char_boundary(INSIDE_MAX)];
        if let Some(length) = near.find(end)
            && is_name(&near[..length])
            // `100%% of 50%%` is a text about percents.
            && (begin != "%%" || !near[..length].contains(' '))
        {
            return text.get(at..at + begin.len() + length + end.len());
        }
    }
    None
}

/// How often a sort of placeholder is looked at. Chosen, not measured.
const MATCHES_MAX: usize = 1_000;

/// Characters that are not seen. A joiner between letters is none: emoji and some writings need it.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{200e}' | '\u{200f}'
    )
}

/// Characters that turn the direction of what follows (Unicode Annex 9 §2.1).
fn is_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn letters_are_what_they_seem(looked: Looked<'_>) -> Option<Found> {
    let content = looked.content;
    let places = [("Subject", content.subject.clone()), ("From", from(looked.arrived))];
    let turned = places.iter().find(|(_, text)| text.chars().any(is_override));
    if let Some((name, _)) = turned {
        return Found::fail(format!("{name} turns its direction"));
    }
    if content.written_links().any(|link| link.chars().any(is_override)) {
        return Found::fail("a link turns its direction");
    }
    let text = content.text();
    // Padding behind a preview is of such characters in a row: it parts no word.
    let mut inside = 0_usize;
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_letter = chars.peek().is_some_and(|c| c.is_alphabetic());
        inside += usize::from(
            (is_invisible(c) && before.is_some_and(char::is_alphabetic) && next_is_letter)
                || is_override(c),
        );
        before = Some(c);
    }
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mixed: Vec<&str> = words.filter(|word| Script::is_mixed(word)).take(10).collect();
    let evidence = match mixed.is_empty() {
        true => format!("{inside} unseen characters within words"),
        false => {
            format!("{inside} unseen characters within words; {} of two writings", mixed.join(", "))
        }
    };
    let outcome = if inside + mixed.len() > 5 { Outcome::Warn } else { Outcome::Pass };
    Some(Found::new(outcome, evidence))
}

fn from(arrived: &Arrived<'_>) -> String {
    arrived.message.text("From").map_or_else(String::new, |text| words::decoded(&text))
}
