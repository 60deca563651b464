//! CNT-10 to CNT-12 and CNT-18: what the HTML is made of.

use crate::check::Found;
use crate::looked::Looked;

use super::page::Page;

fn page(looked: Looked<'_>) -> Result<&'_ Page, Option<Found>> {
    looked.content.page.as_ref().ok_or_else(|| Found::skip("there is no HTML"))
}

pub(super) fn nothing_forbidden(looked: Looked<'_>) -> Option<Found> {
    match page(looked) {
        Err(none) => none,
        Ok(page) if page.forbidden.is_empty() => Found::pass("nothing that is taken out"),
        Ok(page) => Found::fail(page.forbidden.join(", ")),
    }
}

/// Letters that are taken out of the page, beyond which it is said (CNT-11).
const HIDDEN_MAX: usize = 200;

pub(super) fn nothing_hidden(looked: Looked<'_>) -> Option<Found> {
    let page = match page(looked) {
        Ok(page) => page,
        Err(none) => return none,
    };
    let evidence = format!(
        "{} letters are not shown (beside a preview of 200), {} cannot be read",
        page.hidden, page.disguised
    );
    if page.disguised > HIDDEN_MAX {
        Found::fail(evidence)
    } else if page.disguised > 0 || page.hidden > HIDDEN_MAX {
        Found::warn(evidence)
    } else {
        Found::pass(evidence)
    }
}

/// Octets that an image may carry in its own address (CNT-12).
const INLINE_MAX: usize = 10 * 1024;

pub(super) fn images_described(looked: Looked<'_>) -> Option<Found> {
    let page = match page(looked) {
        Ok(page) => page,
        Err(none) => return none,
    };
    let images = page.images.iter().filter(|image| !image.is_pixel);
    let count = images.clone().count();
    let without_text = images.clone().filter(|image| !image.has_text).count();
    let without_size = images.clone().filter(|image| !image.has_size).count();
    let inline =
        images.filter(|image| image.from.starts_with("data:") && image.octets > INLINE_MAX).count();
    let evidence = format!(
        "{count} images: {without_text} without alt, {without_size} without width and height, \
         {inline} with more than 10 KB in their address"
    );
    match (count, without_text + without_size + inline) {
        (0, _) => Found::pass("there are no images"),
        (_, 0) => Found::pass(evidence),
        _ => Found::info(evidence),
    }
}

pub(super) fn well_formed(looked: Looked<'_>) -> Option<Found> {
    let page = match page(looked) {
        Ok(page) => page,
        Err(none) => return none,
    };
    let evidence =
        format!("{} of {} elements have no end, or none to begin", page.unmatched, page.tags);
    // A stray end tag is what every second template has. One in fifty: chosen, not measured.
    if page.unmatched * 50 <= page.tags { Found::pass(evidence) } else { Found::info(evidence) }
}
