//! How what is kept of a lane is written: fields one after the other.
//!
//! A field is a tag (1 octet), a length (2, little-endian) and so many octets. A tag that is
//! not known is passed over, so that later versions may write more; what is cut short ends
//! the fields. Nothing that is read is trusted for a length.

use postlane_mail::{Instant, Span};

/// Fields being written.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

/// Octets of one field, at most.
pub(crate) const FIELD_OCTETS_MAX: usize = u16::MAX as usize;

impl Writer {
    /// Octets, up to [`FIELD_OCTETS_MAX`]; the rest of longer ones is cut off.
    pub(crate) fn octets(&mut self, tag: u8, octets: &[u8]) {
        let octets = octets.get(..FIELD_OCTETS_MAX).unwrap_or(octets);
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        self.0.push(tag);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(octets);
    }

    /// A number, in as few octets as hold it.
    pub(crate) fn number(&mut self, tag: u8, number: u64) {
        let octets = 8 - number.leading_zeros() as usize / 8;
        self.octets(tag, number.to_le_bytes().get(..octets).unwrap_or_default());
    }

    /// A number where there is one.
    pub(crate) fn maybe(&mut self, tag: u8, number: Option<u64>) {
        if let Some(number) = number {
            self.number(tag, number);
        }
    }

    /// Fields within a field.
    pub(crate) fn nested(&mut self, tag: u8, inner: Self) {
        self.octets(tag, &inner.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.0
    }
}

/// Fields being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// All fields, up to the first that is cut short.
    pub(crate) fn all(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut octets = self.0;
        std::iter::from_fn(move || {
            let ([tag, low, high], rest) = octets.split_first_chunk::<3>()?;
            let (field, rest) = rest.split_at_checked(u16::from_le_bytes([*low, *high]).into())?;
            octets = rest;
            Some((*tag, field))
        })
    }

    /// The fields of a tag, in their order.
    pub(crate) fn each(self, tag: u8) -> impl Iterator<Item = &'a [u8]> {
        self.all().filter(move |(is, _)| *is == tag).map(|(_, field)| field)
    }

    /// The first field of a tag.
    pub(crate) fn octets(self, tag: u8) -> Option<&'a [u8]> {
        self.each(tag).next()
    }

    /// The fields within the first field of a tag.
    pub(crate) fn nested(self, tag: u8) -> Option<Self> {
        self.octets(tag).map(Reader)
    }

    /// The number of a tag.
    pub(crate) fn number(self, tag: u8) -> Option<u64> {
        let field = self.octets(tag)?;
        let mut octets = [0; 8];
        octets.get_mut(..field.len())?.copy_from_slice(field);
        Some(u64::from_le_bytes(octets))
    }

    /// The number of a tag, if it is no larger than its place.
    pub(crate) fn small<T: TryFrom<u64>>(self, tag: u8) -> Option<T> {
        T::try_from(self.number(tag)?).ok()
    }

    pub(crate) fn instant(self, tag: u8) -> Option<Instant> {
        self.number(tag).map(Instant)
    }

    pub(crate) fn span(self, tag: u8) -> Option<Span> {
        self.number(tag).map(Span)
    }

    pub(crate) fn text(self, tag: u8) -> Option<&'a str> {
        std::str::from_utf8(self.octets(tag)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_numbers_take_few_octets() {
        let mut writer = Writer::default();
        writer.number(1, 0);
        writer.number(2, 255);
        writer.number(3, 256);
        assert_eq!(writer.into_octets(), [1, 0, 0, 2, 1, 0, 255, 3, 2, 0, 0, 1]);
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_what_is_cut_short_ends() {
        let reader = Reader(&[9, 1, 0, 7, 2, 1, 0, 5, 3, 200, 0, 1]);
        assert_eq!(reader.number(2), Some(5));
        assert_eq!(reader.number(3), None);
        assert_eq!(reader.all().count(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_number_is_read_back(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            let mut writer = Writer::default();
            writer.number(7, number);
            prop_assert_eq!(Reader(&writer.into_octets()).number(7), Some(number));
        }

        #[test]
        fn foreign_octets_are_no_fault(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let reader = Reader(&octets);
            for (tag, _) in reader.all() {
                let read = (reader.number(tag), reader.small::<u8>(tag), reader.text(tag));
                let inner = reader.nested(tag).map_or(0, |inner| inner.all().count());
                prop_assert!(inner <= octets.len(), "{read:?}");
            }
        }
    }
}
