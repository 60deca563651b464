//! `xtext`: ASCII with `+` and two hexadecimal digits for what is not plain (RFC 3461 §4).

/// Whether a text is xtext.
pub(crate) fn is_xtext(text: &str) -> bool {
    let octets = text.as_bytes();
    let mut i = 0;
    while i < octets.len() {
        match octets[i] {
            b'+' => {
                let digits = octets.get(i + 1..i + 3).unwrap_or_default();
                if digits.len() != 2
                    || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'A'..=b'F'))
                {
                    return false;
                }
                i += 3;
            }
            b'!'..=b'~' if octets[i] != b'=' => i += 1,
            _ => return false,
        }
    }
    true
}

/// A text as xtext.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    for octet in text.bytes() {
        match octet {
            b'+' | b'=' => out.extend_from_slice(format!("+{octet:02X}").as_bytes()),
            b'!'..=b'~' => out.push(octet),
            _ => out.extend_from_slice(format!("+{octet:02X}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_escapes_plus_equals_and_what_is_not_plain() {
        let mut out = Vec::new();
        encode("a+b=c d", &mut out);
        assert_eq!(out, b"a+2Bb+3Dc+20d");
        assert!(is_xtext("a+2Bb+3Dc+20d"));
        for text in ["a b", "a+2", "a+2g", "a=b", "\u{e4}", "+"] {
            assert!(!is_xtext(text), "{text}");
        }
    }
}
