//! A message in a record: its head, which can be read alone, and its octets.

use crc32c::{crc32c, crc32c_append};
use postlane_mail::QueueId;

use super::envelope::encode_envelope;
use super::octets::Octets;
use super::record::{Kind, Record, octets_of};
use crate::error::StoreError;
use crate::store::Insertion;

/// The largest message that is taken, in octets. Chosen, not measured: far above what any
/// provider accepts, and small enough that offsets stay below 4 GiB.
pub(crate) const MESSAGE_OCTETS_MAX: usize = 256 << 20;

/// Octets that say how long a head is.
pub(crate) const HEAD_CLAIM_OCTETS: u32 = 12;
/// Octets of a head before what has no fixed length.
const FIXED_OCTETS: usize = 28;
/// A recipient has at least this many in an envelope: a claim of more recipients is not believed.
const RECIPIENT_OCTETS_MIN: usize = 5;

/// What stands before a message's octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) id: QueueId,
    pub(crate) recipients: u16,
    pub(crate) facts: &'a [u8],
    pub(crate) envelope: &'a [u8],
    /// The whole head, its checksum included.
    pub(crate) octets: &'a [u8],
    /// Octets of the message behind it.
    pub(crate) message_octets: u32,
    message_crc: u32,
}

impl<'a> Head<'a> {
    /// Reads the head at the front, if it agrees with its checksum. The message behind it
    /// need not be there.
    pub(crate) fn read(octets: &'a [u8]) -> Option<Self> {
        let mut from = Octets(octets);
        let id = QueueId::from_bits(from.u64()?);
        let head_octets = from.u32()? as usize;
        let head = octets.get(..head_octets)?;
        let (said, crc) = head.split_last_chunk()?;
        if u32::from_le_bytes(*crc) != crc32c(said) {
            return None;
        }
        let (message_octets, message_crc, recipients) = (from.u32()?, from.u32()?, from.u16()?);
        let facts_octets = usize::from(from.u8()?);
        from.u8()?;
        let envelope_octets = from.u32()? as usize;
        // What is behind the envelope belongs to later versions.
        let mut from = Octets(said.get(FIXED_OCTETS..)?);
        let (facts, envelope) = (from.take(facts_octets)?, from.take(envelope_octets)?);
        let enough = usize::from(recipients) * RECIPIENT_OCTETS_MIN <= envelope.len();
        (enough && recipients > 0).then_some(Self {
            id,
            recipients,
            facts,
            envelope,
            octets: head,
            message_octets,
            message_crc,
        })
    }

    /// How many octets the head at the front claims to have.
    pub(crate) fn claims(octets: &[u8]) -> Option<u32> {
        let mut from = Octets(octets);
        from.u64()?;
        from.u32()
    }

    /// Octets of head and message together.
    pub(crate) fn octets_in_all(&self) -> Option<u32> {
        u32::try_from(self.octets.len()).ok()?.checked_add(self.message_octets)
    }
}

/// Reads the message at the front: its head, and its octets if they agree with their checksum.
pub(crate) fn read_message(octets: &[u8]) -> Option<(Head<'_>, &[u8])> {
    let head = Head::read(octets)?;
    let message = octets.get(head.octets.len()..head.octets_in_all()? as usize)?;
    (crc32c(message) == head.message_crc).then_some((head, message))
}

/// How many recipients a message has and how many octets of facts, if it can be kept.
pub(crate) fn measure(insertion: &Insertion) -> Result<(u16, u8), StoreError> {
    let octets = octets_of(&insertion.message);
    if octets > MESSAGE_OCTETS_MAX {
        return Err(StoreError::TooLarge(octets as u64));
    }
    let (many, facts) = (insertion.envelope.recipients.len(), insertion.facts.len());
    match (u16::try_from(many), u8::try_from(facts)) {
        (Ok(0), _) => Err(StoreError::Nobody),
        (Ok(recipients), Ok(facts)) => Ok((recipients, facts)),
        (Err(_), _) => Err(StoreError::TooLarge(many as u64)),
        (_, Err(_)) => Err(StoreError::TooLarge(facts as u64)),
    }
}

/// Writes a message: head and octets.
pub(crate) fn push_message(insertion: &Insertion, out: &mut Vec<u8>) -> Result<(), StoreError> {
    let (recipients, facts) = measure(insertion)?;
    let (octets, many) = (octets_of(&insertion.message), usize::from(recipients));
    let begin = out.len();
    // An envelope is rarely larger; if it is, the vector grows once.
    out.reserve(FIXED_OCTETS + 128 + many * 64 + octets);
    let crc = insertion.message.iter().fold(0, |crc, piece| crc32c_append(crc, piece));
    out.extend_from_slice(&insertion.id.bits().to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(octets as u32).to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&recipients.to_le_bytes());
    out.extend_from_slice(&[facts, 0]);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&insertion.facts);
    let envelope_at = out.len();
    encode_envelope(&insertion.envelope, out);
    let envelope = (out.len() - envelope_at) as u32;
    let head = (out.len() - begin + 4) as u32;
    out[begin + 8..begin + 12].copy_from_slice(&head.to_le_bytes());
    out[begin + 24..begin + 28].copy_from_slice(&envelope.to_le_bytes());
    let crc = crc32c(&out[begin..]);
    out.extend_from_slice(&crc.to_le_bytes());
    insertion.message.iter().for_each(|piece| out.extend_from_slice(piece));
    Ok(())
}

/// A record of one message.
pub(crate) fn encode_message(insertion: &Insertion) -> Result<Record, StoreError> {
    let mut body = Vec::new();
    push_message(insertion, &mut body)?;
    let head = body.len() - octets_of(&insertion.message);
    // The head's own checksum is the record's.
    let (said, crc) = body[..head].split_last_chunk().expect("a head ends with its checksum");
    let (checked, check) = (said.len() as u32, u32::from_le_bytes(*crc));
    Ok(Record { kind: Kind::Message, body, checked, check, messages: 1 })
}
