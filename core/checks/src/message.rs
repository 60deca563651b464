//! A message as checks look at it: its fields where they lie, its parts, nothing decoded that
//! nobody asks for.

mod mime;

use std::borrow::Cow;

use postlane_message::{Field, Fields, SectionEnd};

pub use mime::{ContentType, Encoding, MimeFault, Part, Structure};

/// Fields of one message that are looked at; what comes behind is counted and left alone.
/// Chosen, not measured: real mail has some fifty.
pub const FIELDS_MAX: usize = 20_000;

/// A message.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    raw: &'a [u8],
    fields: Vec<Field<'a>>,
    body_at: usize,
    end: SectionEnd,
    /// Fields beyond [`FIELDS_MAX`].
    more_fields: usize,
}

impl<'a> Message<'a> {
    /// Finds the fields and the body.
    pub fn new(raw: &'a [u8]) -> Self {
        let mut found = Fields::new(raw);
        let fields: Vec<Field<'a>> = found.by_ref().take(FIELDS_MAX).collect();
        let more_fields = found.by_ref().count();
        Self { raw, fields, body_at: found.body(), end: found.end(), more_fields }
    }

    /// All octets.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The header section, without the empty line behind it.
    pub fn header(&self) -> &'a [u8] {
        let end = self.fields.last().map_or(0, |field| field.range.end);
        self.raw.get(..end).unwrap_or_default()
    }

    /// What stands behind the empty line.
    pub fn body(&self) -> &'a [u8] {
        self.raw.get(self.body_at..).unwrap_or_default()
    }

    /// How the header section ended.
    pub fn end(&self) -> SectionEnd {
        self.end
    }

    /// The fields, from the top.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// How many fields there are, also of those that were not looked at.
    pub fn field_count(&self) -> usize {
        self.fields.len() + self.more_fields
    }

    /// The fields of a name, from the top.
    pub fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The value of the first field of a name, unfolded, what is beyond UTF-8 replaced.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.all(name).next().map(text_of)
    }

    /// The parts (RFC 2045).
    pub fn structure(&self) -> Structure<'a> {
        Structure::of(&self.fields, self.body())
    }
}

/// A field's value without its folds and the blanks around it.
pub fn text_of<'a>(field: &Field<'a>) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(field.value);
    if text.contains("\r\n") {
        return Cow::Owned(text.replace("\r\n", "").trim().to_owned());
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}
