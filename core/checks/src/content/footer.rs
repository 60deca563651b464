//! BULK-08 and BULK-16: the way out that readers see, and who is behind the mail.

use crate::check::Found;
use crate::looked::Looked;

use super::page::{Link, Sight};

/// What the way out of a list is called. Written down for this check: German, English, French,
/// Spanish, Italian, Dutch, Polish.
const WAYS_OUT: [&str; 22] = [
    "unsubscribe",
    "opt out",
    "opt-out",
    "optout",
    "manage preferences",
    "email preferences",
    "abmelden",
    "abmeldung",
    "abbestellen",
    "austragen",
    "newsletter verwalten",
    "désabonner",
    "desabonner",
    "désinscri",
    "darse de baja",
    "cancelar suscripción",
    "cancellati",
    "disiscri",
    "annulla iscrizione",
    "uitschrijven",
    "afmelden",
    "wypisz",
];

fn is_way_out(text: &str) -> bool {
    let text = text.to_lowercase();
    WAYS_OUT.iter().any(|name| text.contains(name))
}

pub(super) fn visible_way_out(looked: Looked<'_>) -> Option<Found> {
    if looked.arrived.is_transactional {
        return Found::skip("it is one person's own mail");
    }
    let content = looked.content;
    let links = content.page.iter().flat_map(|page| &page.links);
    let found: Option<&Link> =
        links.filter(|link| is_way_out(&link.text) || is_way_out(&link.to)).min_by_key(|l| l.sight);
    match found.map(|link| (link.sight, link)) {
        Some((Sight::Clear, link)) => Found::pass(format!("\"{}\": {}", link.text.trim(), link.to)),
        Some((Sight::Faint, link)) => Found::warn(format!(
            "\"{}\" is smaller than 8 pixels, or hardly another colour than what is behind it",
            link.text.trim()
        )),
        Some(_) => Found::fail("the link out of the list is there, and nobody sees it"),
        None if content.page.is_some() => Found::fail("no link says that it leads out of the list"),
        None => match &content.plain {
            Some(plain) if is_way_out(plain) && !content.links.is_empty() => {
                Found::pass("the text names the way out and has a link")
            }
            Some(_) => Found::fail("the text names no way out of the list"),
            None => Found::skip("there is no text"),
        },
    }
}

/// What the page is called on which a sender says who they are.
const IMPRINTS: [&str; 8] = [
    "impressum",
    "imprint",
    "mentions légales",
    "aviso legal",
    "note legali",
    "colofon",
    "legal notice",
    "handelsregister",
];

pub(super) fn imprint(looked: Looked<'_>) -> Option<Found> {
    if looked.arrived.is_transactional {
        return Found::skip("it is one person's own mail");
    }
    let content = looked.content;
    let text = content.text().to_lowercase();
    if text.is_empty() {
        return Found::skip("there is no text");
    }
    let named = IMPRINTS.iter().find(|name| text.contains(**name));
    let linked = content.written_links().map(str::to_lowercase);
    let mut linked = linked.filter(|link| IMPRINTS.iter().any(|name| link.contains(name)));
    match (named, linked.next()) {
        (Some(name), _) => Found::pass(format!("the text names it: {name}")),
        (None, Some(link)) => Found::pass(link),
        (None, None) => match postal_address(&text) {
            Some(place) => Found::pass(format!("a postal address: {place}")),
            None => Found::warn("neither an imprint nor a postal address"),
        },
    }
}

/// The two halves of a British postcode, `sw1a 1aa` (BS 7666).
fn is_british(outward: &str, inward: &str) -> bool {
    let inward = inward.trim_end_matches('.').as_bytes();
    let is_inward = matches!(inward, [digit, rest @ ..]
        if digit.is_ascii_digit() && rest.len() == 2 && rest.iter().all(u8::is_ascii_alphabetic));
    let outward = outward.as_bytes();
    let area = outward.iter().take_while(|octet| octet.is_ascii_alphabetic()).count();
    let is_outward = (1..=2).contains(&area)
        && matches!(outward.get(area..), Some([district] | [district, _]) if district.is_ascii_digit())
        && outward.iter().all(u8::is_ascii_alphanumeric);
    is_inward && is_outward
}

/// A number of five digits with a word behind it, the end of an American address: `tx 75001`, or a
/// British postcode.
fn postal_address(text: &str) -> Option<String> {
    let words: Vec<&str> =
        text.split([' ', ',', '\r', '\n', '\t']).filter(|w| !w.is_empty()).collect();
    let is_code = |word: &str| word.len() == 5 && word.bytes().all(|b| b.is_ascii_digit());
    let is_word = |word: &&&str| word.chars().count() >= 3 && word.chars().all(char::is_alphabetic);
    let is_state = |word: &&&str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_alphabetic());
    words.iter().enumerate().find_map(|(at, word)| {
        if let Some(inward) = words.get(at + 1).filter(|inward| is_british(word, inward)) {
            return Some(format!("{word} {inward}"));
        }
        if !is_code(word) {
            return None;
        }
        let before = at.checked_sub(1).and_then(|at| words.get(at)).filter(is_state);
        match (words.get(at + 1).filter(is_word), before) {
            (Some(town), _) => Some(format!("{word} {town}")),
            (None, Some(state)) => Some(format!("{state} {word}")),
            (None, None) => None,
        }
    })
}
