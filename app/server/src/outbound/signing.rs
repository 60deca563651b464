//! What leaves, signed: fields that are put above a message when it is about to go.
//!
//! Nothing of the message itself is changed, and nothing is kept: a later attempt signs anew, by
//! the keys of that day. The hash of the body was made while the message was taken in; of one
//! that has none it is made here.

use bytes::Bytes;
use postlane_checks::dkim::{BodyHash, Plan, SignError};
use postlane_mail::{Instant, QueueId};
use postlane_message::{Fields, ListMessage, domain_of};
use smallvec::SmallVec;

use crate::intake::cache::Letter;
use crate::setup::SigningSetup;

/// The hash of a body that has come in whole.
pub(crate) fn hash_of(body: &[u8]) -> [u8; 32] {
    let mut hash = BodyHash::default();
    hash.feed(body);
    hash.finish()
}

/// The letter as it leaves for these recipients.
pub(crate) fn sign(
    setup: &SigningSetup,
    mut letter: Letter,
    id: QueueId,
    recipients: &[u16],
    now: Instant,
) -> Result<Letter, SignError> {
    // Intake joins a message into one piece, and the spool reads it as one. In several it would
    // leave unsigned.
    if letter.message.len() != 1 {
        letter.message = SmallVec::from_iter([Bytes::from(letter.message.concat())]);
    }
    let Some(message) = letter.message.first() else { return Ok(letter) };
    let mut fields = Fields::new(message);
    let (mut author, mut has_way_out) = (None, false);
    for field in fields.by_ref() {
        if author.is_none() && field.is("From") {
            author = Some(domain_of(field.value));
        }
        has_way_out |= field.is("List-Unsubscribe") || field.is("List-Unsubscribe-Post");
    }
    let (header, body) = (fields.at(), fields.body());
    let mut above = Vec::new();
    if let Some(list) = setup.unsubscribe(&letter.envelope).filter(|_| !has_way_out) {
        list.write(&about(&letter, id, recipients), &mut above);
    }
    if let Some(author) = author.flatten() {
        let keys = setup.keys_for(&letter.envelope.tenant, &author, now);
        if !keys.is_empty() {
            let header = message.get(..header).unwrap_or_default();
            let header = [&above[..], header].concat();
            let hash = || hash_of(message.get(body..).unwrap_or_default());
            let hash = letter.facts.body_hash.unwrap_or_else(hash);
            let mut signatures = Vec::with_capacity(1_024);
            for key in keys {
                let counts_for = setup.counts_for(key, letter.envelope.stream);
                let plan = Plan { seconds: Some(counts_for.as_s()), ..Plan::default() };
                let field = key.signer.sign(&header, &hash, &plan, now)?;
                signatures.extend_from_slice(field.as_bytes());
            }
            above = [signatures, above].concat();
        }
    }
    if !above.is_empty() {
        letter.facts.header_octets = u32::try_from(above.len() + header).unwrap_or(u32::MAX);
        letter.message.insert(0, Bytes::from(above));
    }
    Ok(letter)
}

/// What a way out may be about: a message for one of several recipients is for all of them, as
/// far as those can see who get it.
fn about<'a>(letter: &'a Letter, id: QueueId, recipients: &[u16]) -> ListMessage<'a> {
    let envelope = &letter.envelope;
    let recipient = match recipients {
        [one] => envelope.recipients.get(usize::from(*one)).map(|to| &to.mailbox),
        _ => None,
    };
    ListMessage { id, recipient, tenant: &envelope.tenant, campaign: &envelope.campaign }
}

#[cfg(test)]
mod tests;
