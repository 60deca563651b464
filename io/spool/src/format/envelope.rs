//! The envelope's octets.

use postlane_mail::{
    BodyType, Envelope, Instant, Label, Mailbox, Notify, Recipient, ReturnContent, ReversePath,
    Stream,
};

use super::octets::{Octets, push_text};

/// Writes an envelope. What is behind its last field belongs to later versions.
pub(crate) fn encode_envelope(envelope: &Envelope, out: &mut Vec<u8>) {
    let body = match envelope.body {
        BodyType::SevenBit => 0,
        BodyType::EightBit => 1,
        BodyType::Binary => 2,
    };
    let ret = match envelope.ret {
        None => 0,
        Some(ReturnContent::Full) => 1,
        Some(ReturnContent::Headers) => 2,
    };
    let stream = envelope.stream as u8;
    out.extend_from_slice(&[body, u8::from(envelope.smtputf8), ret, stream]);
    push_text(out, envelope.reverse_path.as_str());
    push_text(out, envelope.envid.as_deref().unwrap_or_default());
    push_text(out, envelope.tenant.as_str());
    push_text(out, envelope.campaign.as_str());
    let many = u16::try_from(envelope.recipients.len()).expect("the head has counted them");
    out.extend_from_slice(&many.to_le_bytes());
    for recipient in &envelope.recipients {
        out.push(notify_octet(recipient.notify));
        push_text(out, recipient.mailbox.as_str());
        push_text(out, recipient.orcpt.as_deref().unwrap_or_default());
    }
    if let Some(engaged) = envelope.engaged {
        out.push(ENGAGED);
        out.extend_from_slice(&8_u16.to_le_bytes());
        out.extend_from_slice(&engaged.0.to_le_bytes());
    }
}

/// The extension that says when recipients last showed that they read such mail.
const ENGAGED: u8 = 3;

/// Reads an envelope.
pub(crate) fn decode_envelope(octets: &[u8]) -> Option<Envelope> {
    let mut from = Octets(octets);
    let body = match from.u8()? {
        0 => BodyType::SevenBit,
        1 => BodyType::EightBit,
        2 => BodyType::Binary,
        _ => return None,
    };
    let smtputf8 = from.u8()? != 0;
    let ret = match from.u8()? {
        0 => None,
        1 => Some(ReturnContent::Full),
        _ => Some(ReturnContent::Headers),
    };
    let stream = Stream::ALL.into_iter().nth(usize::from(from.u8()?))?;
    let reverse_path = ReversePath::parse(from.text()?).ok()?;
    let envid = some(from.text()?);
    let tenant = Label::parse(from.text()?).ok()?;
    let campaign = Label::parse(from.text()?).ok()?;
    let many = from.u16()?;
    // At least five octets each: a claim of more than there are is not believed.
    if from.0.len() < usize::from(many) * 5 {
        return None;
    }
    let mut recipients = Vec::with_capacity(usize::from(many));
    for _ in 0..many {
        let notify = notify_of(from.u8()?);
        let mailbox = Mailbox::parse(from.text()?).ok()?;
        let orcpt = some(from.text()?);
        recipients.push(Recipient { mailbox, notify, orcpt });
    }
    let engaged = engaged_of(&mut from)?;
    Some(Envelope {
        reverse_path,
        recipients,
        body,
        smtputf8,
        ret,
        envid,
        stream,
        tenant,
        campaign,
        engaged,
    })
}

/// Goes through the extensions; those that are not known are passed over.
fn engaged_of(from: &mut Octets<'_>) -> Option<Option<Instant>> {
    let mut engaged = None;
    while !from.0.is_empty() {
        let (tag, octets) = (from.u8()?, from.u16()?);
        let body = from.take(usize::from(octets))?;
        if tag == ENGAGED {
            engaged = Some(Instant(u64::from_le_bytes(*body.first_chunk()?)));
        }
    }
    Some(engaged)
}

fn some(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into())
}

fn notify_octet(notify: Notify) -> u8 {
    match notify {
        Notify::Default => 0,
        Notify::Never => 1,
        Notify::On { success, failure, delay } => {
            0x80 | u8::from(success) | u8::from(failure) << 1 | u8::from(delay) << 2
        }
    }
}

fn notify_of(octet: u8) -> Notify {
    match octet {
        0 => Notify::Default,
        1 => Notify::Never,
        on => Notify::On { success: on & 1 != 0, failure: on & 2 != 0, delay: on & 4 != 0 },
    }
}
