//! Idempotency keys: a request that is repeated is answered, and no second message is taken.
//!
//! A key is kept in the spool beside its message, in the same batch, for a day; after that it
//! is forgotten there, too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crc32c::crc32c;
use parking_lot::Mutex;
use postlane_mail::{Instant, Label, QueueId, Span};
use postlane_spool::{Changes, Key};
use tokio::sync::OwnedMutexGuard;

use super::{Handle, NewMessage};

/// How long an idempotency key is remembered. Chosen, not measured: longer than any client
/// retries one request.
const REMEMBERED_FOR: Span = Span::from_h(24);

/// From one look for keys that are too old to the next. Chosen, not measured.
const FORGET_EVERY_S: u64 = 600;

/// Keys forgotten in one batch.
const FORGET_KEYS: usize = 1000;

/// Where the spool keeps them.
const SPACE: &str = "idempotency/";

/// What is kept of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) id: QueueId,
    pub(super) digest: u32,
}

impl Remembered {
    /// The name under which a tenant's key is kept.
    pub(super) fn key(tenant: &Label, key: &str) -> Key {
        Key(format!("{SPACE}{tenant}/{key}").into())
    }

    /// Tells a repetition from another message under the same key. A checksum is enough:
    /// whoever holds the token fools only themselves.
    pub(super) fn digest(new: &NewMessage) -> u32 {
        crc32c(format!("{:?} {:?}", new.envelope, new.content).as_bytes())
    }

    pub(super) fn write(self) -> Bytes {
        [&self.id.bits().to_le_bytes()[..], &self.digest.to_le_bytes()].concat().into()
    }

    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let (id, digest) = octets.split_first_chunk()?;
        let id = QueueId::from_bits(u64::from_le_bytes(*id));
        Some(Self { id, digest: u32::from_le_bytes(digest.try_into().ok()?) })
    }

    pub(super) fn holds(&self, now: Instant) -> bool {
        now.since(self.id.moment()) < REMEMBERED_FOR
    }
}

/// Requests with the same key wait for each other, so that none is taken twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<BTreeMap<Key, Arc<tokio::sync::Mutex<()>>>>>);

/// The turn of one request. Its key is given up with the last that waits for it.
pub(super) struct Turn {
    turns: Turns,
    key: Key,
    /// Let go of before the key is looked at.
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    pub(super) async fn take(&self, key: Key) -> Turn {
        let lock = self.0.lock().entry(key.clone()).or_default().clone();
        // Made before it waits: whoever gives up waiting gives up the key, too.
        let mut turn = Turn { turns: self.clone(), key, held: None };
        turn.held = Some(lock.lock_owned().await);
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut turns = self.turns.0.lock();
        if turns.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            turns.remove(&self.key);
        }
    }
}

impl Handle {
    /// Forgets keys that are too old, from time to time, until the server closes.
    pub(crate) async fn forget_keys(self) {
        let mut stop = self.0.stop.subscribe();
        let mut look = tokio::time::interval(Duration::from_secs(FORGET_EVERY_S));
        loop {
            tokio::select! {
                _ = look.tick() => self.forget_old_keys(),
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn forget_old_keys(&self) {
        let old = too_old(self.0.store.keyed(SPACE), self.0.clock.now());
        for keys in old.chunks(FORGET_KEYS) {
            let keyed = keys.iter().map(|key| (key.clone(), None)).collect();
            let changes = Changes { keyed, ..Changes::default() };
            self.0.awaited.commit(&*self.0.store, changes);
        }
    }
}

/// The keys that hold no more; one that cannot be read is of no use either.
fn too_old(keyed: Vec<(Key, Bytes)>, now: Instant) -> Vec<Key> {
    let holds = |value: &Bytes| Remembered::read(value).is_some_and(|known| known.holds(now));
    keyed.into_iter().filter(|(_, value)| !holds(value)).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use postlane_mail::{QueueIdSource, Shard};

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_800_000_000);

    fn key(text: &str) -> Key {
        Remembered::key(&Label::NONE, text)
    }

    #[test]
    fn a_key_is_too_old_after_a_day() {
        let mut ids = QueueIdSource::new(Shard(0), None);
        let mut kept = |text: &str, at: Instant| {
            (key(text), Remembered { id: ids.next(at), digest: 7 }.write())
        };
        let keyed = vec![
            kept("old", NOW - Span::from_h(25)),
            kept("fresh", NOW - Span::from_h(23)),
            (key("spoiled"), Bytes::from_static(b"?")),
        ];
        assert_eq!(too_old(keyed, NOW), [key("old"), key("spoiled")]);
    }

    #[tokio::test]
    async fn keys_are_given_up_with_the_last_request_that_has_them() {
        let turns = Turns::default();
        let first = turns.take(key("a")).await;
        let given_up = turns.take(key("a"));
        assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
        let other = turns.clone();
        let second = tokio::spawn(async move { drop(other.take(key("a")).await) });
        tokio::task::yield_now().await;
        assert_eq!(turns.0.lock().len(), 1);
        drop(first);
        second.await.unwrap();
        assert!(turns.0.lock().is_empty());
    }
}
