//! What a message is declared to be: no more than the host understands, and no less than it is.

use super::*;
use crate::capability::Capabilities;

/// A host, and a message, of every kind.
struct Case {
    host: Capabilities,
    message: Transaction,
    utf8_address: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    (0..1_u8 << 6).map(|bits| {
        let on = |bit: u8| bits & (1 << bit) != 0;
        let host = Capabilities { eight_bit: on(0), smtputf8: on(1), ..Capabilities::default() };
        let utf8_address = on(2);
        let to = if utf8_address { "\u{fc}@example.net" } else { "b@example.net" };
        let mut message = message(1, &[to], b"x\r\n");
        let mut envelope = (*message.envelope).clone();
        envelope.smtputf8 = on(3);
        message.envelope = Arc::new(envelope);
        (message.eight_bit_body, message.eight_bit_header) = (on(4), on(5));
        Case { host, message, utf8_address }
    })
}

#[test]
fn a_host_hears_of_8bitmime_and_smtputf8_only_where_it_has_them_and_the_message_needs_them() {
    let mut taken = 0;
    for Case { host, message, utf8_address } in cases() {
        let wide = message.eight_bit_body || message.eight_bit_header;
        let declared = message.envelope.smtputf8;
        let unfit = message.unfit(&host);
        // What is above 127 and not declared as SMTPUTF8 is carried as 8BITMIME, like a body.
        let lacks = match () {
            () if utf8_address && !host.smtputf8 => Some(Unable::Utf8Addresses),
            () if message.eight_bit_header && declared && !host.smtputf8 => {
                Some(Unable::Utf8Headers)
            }
            () if wide && !host.eight_bit => Some(Unable::EightBitBody),
            () => None,
        };
        assert_eq!(unfit, lacks.map(Outcome::Unable), "{message:?}, {host:?}");
        if unfit.is_some() {
            continue;
        }
        taken += 1;
        let mut line = Vec::new();
        message.write_mail(&host, &mut line);
        let line = String::from_utf8(line).unwrap();
        let (eight_bit, utf8) = (line.contains(" BODY=8BITMIME"), line.contains(" SMTPUTF8"));
        assert!(host.eight_bit || !eight_bit, "not offered: {line}");
        assert!(host.smtputf8 || !utf8, "not offered: {line}");
        assert_eq!(eight_bit, wide, "{line}");
        // Plain text to a plain address is plain, whatever its sender had said of it.
        assert_eq!(utf8, host.smtputf8 && (utf8_address || declared && wide), "{line}");
    }
    assert!(taken > 20, "{taken}");
}

#[test]
fn a_message_of_exactly_what_a_host_takes_is_given_to_it_and_one_octet_more_is_not() {
    let text: &[u8] = b"12345\r\n";
    let message = message(1, &["b@example.net"], text);
    let with = |most: u64| Capabilities { size: Some(Some(most)), ..Capabilities::default() };
    let octets = text.len() as u64;
    assert_eq!(message.unfit(&with(octets)), None);
    assert_eq!(message.unfit(&with(octets - 1)), Some(Outcome::TooLarge { most: octets - 1 }));
    // SIZE without a number says nothing of how much (RFC 1870 §4).
    let unsaid = Capabilities { size: Some(None), ..Capabilities::default() };
    assert_eq!(message.unfit(&unsaid), None);
}
