//! What a message says, and how: text, links, HTML, and the tricks that filters look for.
//!
//! All of it is read once, up to limits: hostile HTML costs no more than long HTML.

mod catalogue;
mod footer;
mod language;
mod links;
mod markup;
mod page;
mod reached;
mod reading;
mod script;
mod style;
mod tricks;
mod web_address;
mod wording;

pub(crate) use catalogue::CHECKS;
pub(crate) use reading::Content;
