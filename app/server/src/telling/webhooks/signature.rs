//! How a webhook's messages are signed, so that whoever gets one knows that it is ours and new.
//!
//! `Postlane-Signature: t=1795239545,v1=HEX`: the HMAC-SHA256 (RFC 2104) of the time, a dot and the
//! body, under the webhook's secret as it was shown. While a secret is changed there are two `v1`.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use postlane_mail::Instant;

/// The header field that carries it.
pub const SIGNATURE_FIELD: &str = "postlane-signature";

/// What the field says of a body that is sent now.
pub fn signature(secrets: &[&str], at: Instant, body: &[u8]) -> String {
    let time = at.unix_s();
    let mut field = format!("t={time}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut signed = hmac::Context::with_key(&key);
        signed.update(time.to_string().as_bytes());
        signed.update(b".");
        signed.update(body);
        field.push_str(",v1=");
        for octet in signed.sign().as_ref() {
            // Writing into a String cannot fail.
            let _ = write!(field, "{octet:02x}");
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with: printf '1795239545.{"a":1}' | openssl dgst -sha256 -hmac whs_secret
    const KNOWN: &str = include_str!("signature/known.txt");

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        let at = Instant::from_unix_s(1_795_239_545);
        let one = signature(&["whs_secret"], at, b"{\"a\":1}");
        assert_eq!(one, format!("t=1795239545,v1={}", KNOWN.trim()));
        let both = signature(&["whs_secret", "whs_old"], at, b"{\"a\":1}");
        assert!(both.starts_with(&format!("{one},v1=")) && both.len() == one.len() + 68);
    }

    #[test]
    fn another_time_or_body_or_secret_is_another_signature() {
        let at = Instant::from_unix_s(1_795_239_545);
        let one = signature(&["whs_secret"], at, b"{}");
        assert_ne!(one, signature(&["whs_secret"], Instant::from_unix_s(1_795_239_546), b"{}"));
        assert_ne!(one, signature(&["whs_secret"], at, b"{ }"));
        assert_ne!(one, signature(&["whs_other"], at, b"{}"));
    }
}
