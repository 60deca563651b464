//! Octets in base 64, as signatures and keys have them: with or without `=` at the end (RFC 6376
//! §2.10 lets it be left out, and mail is found without it).

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};

const READER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The octets of a text without blanks.
///
/// # Errors
///
/// If it is no base 64.
pub(super) fn octets(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    READER.decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equals_signs_at_the_end_may_be_left_out() {
        for text in ["YQ==", "YQ=", "YQ"] {
            assert_eq!(octets(text.as_bytes()).unwrap(), b"a", "{text}");
        }
    }

    #[test]
    fn what_is_no_base_64_is_refused() {
        for text in ["Y", "=YQ=", "Y-==", "YQ==="] {
            assert!(octets(text.as_bytes()).is_err(), "{text}");
        }
    }
}
