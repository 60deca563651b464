//! The name of a message in the queue.

use std::fmt;

use crate::time::Instant;

/// Names one message for as long as it is remembered: in the 250, in `Received`, in every
/// log line.
///
/// The upper 56 bits are the microsecond of acceptance since the Unix epoch (moved on when
/// it is taken), the lower 8 the spool's shard, so that ids sort by time and say where they
/// are kept. Written as 13 characters of Crockford's base 32 in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(u64);

/// Which part of the spool keeps a message, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shard(pub u8);

/// A text is no queue id: 13 characters of `0-9 a-z` without `i l o u`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a queue id: 13 characters of 0-9 and a-z without i, l, o, u")]
pub struct QueueIdError;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl QueueId {
    /// The id with that number, as the spool wrote it.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The id's number, as the spool writes it.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The shard that keeps the message.
    pub const fn shard(self) -> Shard {
        Shard((self.0 & 0xff) as u8)
    }

    /// The moment of acceptance, give or take the microseconds it was moved on.
    pub const fn moment(self) -> Instant {
        Instant(self.0 >> 8)
    }

    /// Reads an id as printed; upper case is read as well.
    pub fn parse(text: &str) -> Result<Self, QueueIdError> {
        if text.len() != 13 {
            return Err(QueueIdError);
        }
        let mut bits: u64 = 0;
        for (i, b) in text.bytes().enumerate() {
            let b = b.to_ascii_lowercase();
            let value = ALPHABET.iter().position(|a| *a == b).ok_or(QueueIdError)? as u64;
            // 13 characters hold 65 bits; the first may use only 4 of its 5.
            if i == 0 && value > 15 {
                return Err(QueueIdError);
            }
            bits = (bits << 5) | value;
        }
        Ok(Self(bits))
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 13];
        for (i, slot) in text.iter_mut().enumerate() {
            *slot = ALPHABET[(self.0 >> (60 - 5 * i) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Hands out ids, each larger than the last, whatever the clock does.
#[derive(Debug)]
pub struct QueueIdSource {
    last: u64,
    shard: Shard,
}

impl QueueIdSource {
    /// A source that goes on behind `last`, the largest id the spool has ever seen.
    pub fn new(shard: Shard, last: Option<QueueId>) -> Self {
        Self { last: last.map_or(0, |id| id.0 >> 8), shard }
    }

    /// The next id at `now`.
    pub fn next(&mut self, now: Instant) -> QueueId {
        self.last = now.0.max(self.last + 1);
        QueueId(self.last << 8 | u64::from(self.shard.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let mut source = QueueIdSource::new(Shard(3), None);
        let first = source.next(Instant(1_000_000));
        let second = source.next(Instant(10));
        assert!(second > first);
        assert_eq!(second.shard(), Shard(3));
        assert!(QueueIdSource::new(Shard(3), Some(second)).next(Instant(0)) > second);
    }

    #[test]
    fn an_id_is_read_back_from_its_print() {
        for bits in [0, 1, 0xff, 0x0123_4567_89ab_cdef, u64::MAX] {
            let id = QueueId::from_bits(bits);
            assert_eq!(QueueId::parse(&id.to_string()), Ok(id));
            assert_eq!(QueueId::parse(&id.to_string().to_uppercase()), Ok(id));
        }
    }

    #[test]
    fn ids_sort_as_text_as_they_do_as_numbers() {
        let (a, b) = (QueueId::from_bits(0x1ff << 8), QueueId::from_bits(0x200 << 8));
        assert!(a < b && a.to_string() < b.to_string());
    }

    #[test]
    fn what_was_never_printed_is_refused() {
        for text in ["", "0", "ilou000000000", "zzzzzzzzzzzzz", "00000000000000", "00000000000é"] {
            assert_eq!(QueueId::parse(text), Err(QueueIdError), "{text}");
        }
    }
}
