//! CNT-01 to CNT-03 and CNT-19: whether there is enough to read, and the same in both forms.

use std::collections::BTreeSet;

use crate::check::Found;
use crate::format::address;
use crate::looked::Looked;

use super::language::Language;

/// Different words that are compared, at most. Chosen, not measured.
const WORDS_MAX: usize = 20_000;

/// Words of three letters or more, in lower case, without addresses of the web.
fn words(text: &str) -> BTreeSet<String> {
    let pieces = text.split_whitespace().filter(|piece| !piece.contains("://"));
    let words = pieces.flat_map(|piece| piece.split(|c: char| !c.is_alphanumeric()));
    let long = words.filter(|word| word.chars().nth(2).is_some());
    let mut found = BTreeSet::new();
    for word in long {
        if found.len() == WORDS_MAX {
            break;
        }
        found.insert(word.to_lowercase());
    }
    found
}

pub(super) fn same_in_both(looked: Looked<'_>) -> Option<Found> {
    let (Some(plain), Some(page)) = (&looked.content.plain, &looked.content.page) else {
        return Found::skip("there are not both a plain text and HTML");
    };
    let (plain, page) = (words(plain), words(&page.text));
    let (both, either) = (plain.intersection(&page).count(), plain.union(&page).count());
    if either == 0 {
        return Found::skip("neither has words");
    }
    let share = both * 100 / either;
    let evidence = format!("{both} of {either} different words stand in both ({share} %)");
    if share >= 50 { Found::pass(evidence) } else { Found::warn(evidence) }
}

/// Images that show something.
fn pictures(looked: Looked<'_>) -> usize {
    let page = looked.content.page.as_ref();
    page.map_or(0, |page| page.images.iter().filter(|image| !image.is_pixel).count())
}

pub(super) fn not_only_images(looked: Looked<'_>) -> Option<Found> {
    let Some(page) = &looked.content.page else { return Found::skip("there is no HTML") };
    let images = pictures(looked);
    let words = page.text.split_whitespace().count();
    let evidence = format!("{words} words, {images} images");
    match (images, words) {
        (0, _) | (_, 20..) => Found::pass(evidence),
        (_, 0) => Found::fail(evidence),
        _ => Found::warn(evidence),
    }
}

pub(super) fn text_for_images(looked: Looked<'_>) -> Option<Found> {
    let Some(page) = &looked.content.page else { return Found::skip("there is no HTML") };
    let images = pictures(looked);
    if images == 0 {
        return Found::pass("there are no images");
    }
    let letters = page.text.chars().filter(|c| !c.is_whitespace()).count();
    let evidence = format!("{letters} characters for {images} images");
    if letters / images >= 100 { Found::pass(evidence) } else { Found::info(evidence) }
}

/// Providers whose readers mostly read German.
const GERMAN: [&str; 5] = ["gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de"];

pub(super) fn readers_language(looked: Looked<'_>) -> Option<Found> {
    let to = looked.arrived.message.text("To").and_then(|text| address::parse(&text).ok());
    let german =
        to.iter().flat_map(|list| address::mailboxes(list)).take(100).find(|mailbox| {
            GERMAN.iter().any(|domain| mailbox.domain.eq_ignore_ascii_case(domain))
        });
    let Some(reader) = german else {
        return Found::skip("To names nobody at a German provider");
    };
    let domain = reader.domain.to_ascii_lowercase();
    match Language::of(looked.content.text()) {
        None => Found::skip("there is too little text to tell its language"),
        Some(Language::German) => Found::pass(format!("German, for readers of {domain}")),
        Some(Language::Other) => Found::info(format!("the text is not German, to {domain}")),
    }
}
