//! Messages that were just accepted, at hand for their first attempt.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{Envelope, QueueId};
use smallvec::SmallVec;

use crate::intake::facts::Facts;

/// A message on its way to a host.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) facts: Facts,
    /// In pieces, to be joined: what the relay put in front, then what came.
    pub(crate) message: SmallVec<[Bytes; 2]>,
}

impl Letter {
    /// The header section, 16 KiB at most.
    pub(crate) fn headers(&self) -> Bytes {
        const OCTETS_MAX: usize = 16 << 10;
        let header = (self.facts.header_octets as usize).min(OCTETS_MAX);
        match &self.message[..] {
            [] => Bytes::new(),
            [only] => only.slice(..header.min(only.len())),
            pieces => {
                let all = pieces.iter().flat_map(|piece| &piece[..]);
                all.take(header).copied().collect()
            }
        }
    }

    /// Octets of the message.
    pub(crate) fn octets(&self) -> usize {
        self.message.iter().map(Bytes::len).sum()
    }
}

/// Keeps the youngest messages in memory, up to a limit in octets; the spool has them all.
/// Most mail leaves within the second it came, and re-reading it costs a copy and a look at
/// the page cache (2 µs measured while the house was planned).
pub(crate) struct Cache {
    octets_max: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    letters: HashMap<QueueId, Letter>,
    /// In order of arrival; may name letters that are gone.
    arrived: VecDeque<(QueueId, u32)>,
    octets: usize,
}

impl Cache {
    /// Octets of each letter beyond its message: names, table entries, the envelope. Chosen
    /// from the sizes of the types, not measured.
    const OVERHEAD_OCTETS: usize = 512;

    pub(crate) fn new(octets_max: usize) -> Self {
        let inner = Inner { letters: HashMap::new(), arrived: VecDeque::new(), octets: 0 };
        Self { octets_max, inner: Mutex::new(inner) }
    }

    pub(crate) fn keep(&self, id: QueueId, letter: Letter) {
        let octets = letter.octets() + Self::OVERHEAD_OCTETS;
        let Ok(counted) = u32::try_from(octets) else { return };
        if octets > self.octets_max / 4 {
            return;
        }
        let mut dropped = SmallVec::<[Letter; 4]>::new();
        let mut inner = self.inner.lock();
        while inner.octets + octets > self.octets_max {
            let Some((oldest, octets)) = inner.arrived.pop_front() else { break };
            inner.octets -= octets as usize;
            dropped.extend(inner.letters.remove(&oldest));
        }
        inner.octets += octets;
        inner.arrived.push_back((id, counted));
        inner.letters.insert(id, letter);
    }

    pub(crate) fn find(&self, id: QueueId) -> Option<Letter> {
        self.inner.lock().letters.get(&id).cloned()
    }

    /// Forgets a letter that is done or has been refused by the spool.
    pub(crate) fn forget(&self, ids: impl Iterator<Item = QueueId>) {
        let mut dropped = SmallVec::<[Letter; 16]>::new();
        let mut inner = self.inner.lock();
        for id in ids {
            dropped.extend(inner.letters.remove(&id));
        }
        // Room is given back from the front, where most of those who are gone stand.
        while let Some((oldest, octets)) = inner.arrived.front().copied() {
            if inner.letters.contains_key(&oldest) {
                break;
            }
            inner.octets -= octets as usize;
            inner.arrived.pop_front();
        }
        drop(inner);
    }

    /// Octets it holds.
    pub(crate) fn octets(&self) -> usize {
        self.inner.lock().octets
    }
}
