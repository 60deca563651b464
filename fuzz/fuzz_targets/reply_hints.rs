//! Any octets as the text of a reply: its hints and fields stay within their limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_mail::Span;
use postlane_replies::{Fields, Hint, Unit};

fuzz_target!(|octets: &[u8]| {
    let text = String::from_utf8_lossy(octets);

    let hint = Hint::find(&text);
    for span in [hint.wait.map(|wait| wait.span), hint.window].into_iter().flatten() {
        assert!(span > Span::ZERO && span <= Hint::SPAN_MAX);
    }
    if let Some(quota) = hint.quota {
        assert!(quota.count > 0);
        assert!(quota.of == Unit::Octets || quota.count <= Hint::COUNT_MAX);
    }

    let fields = Fields::find(&text);
    assert!(fields.ips.len() <= Fields::MAX && fields.lists.len() <= Fields::MAX);
    assert!(fields.urls.len() <= Fields::MAX && fields.contacts.len() <= Fields::MAX);
    assert!(fields.codes.len() <= Fields::MAX);
    let codes = fields.codes.iter().map(|code| code.code);
    for copy in fields.urls.iter().chain(&fields.contacts).copied().chain(codes) {
        assert!(!copy.is_empty() && text.contains(copy));
    }
});
