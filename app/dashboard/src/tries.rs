//! How often somebody may try to sign in: counted for each account and for each address.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_api::Origin;

/// Tries that have failed, by account and by address.
#[derive(Default)]
pub(crate) struct Tries {
    accounts: Counted<String>,
    addresses: Counted<Origin>,
}

/// So many in a row may fail, and then one in each span. Chosen, not measured: whoever mistypes
/// notices nothing, and a password of twelve characters is not guessed at one try a minute.
const BY_ACCOUNT: Limit = Limit { at_once: 10, then_every: Duration::from_secs(60) };

/// A proxy's address stands for all behind it.
const BY_ADDRESS: Limit = Limit { at_once: 50, then_every: Duration::from_secs(10) };

/// Accounts and addresses that are remembered. Chosen, not measured: about a megabyte.
const REMEMBERED_MAX: usize = 10_000;

#[derive(Clone, Copy)]
struct Limit {
    at_once: u32,
    then_every: Duration,
}

/// When each will have all its tries again.
struct Counted<K>(Mutex<HashMap<K, Instant>>);

impl Tries {
    /// How long to wait before anything is tried, where too much has failed.
    pub(crate) fn wait(&self, account: &str, origin: Origin, now: Instant) -> Option<Duration> {
        let account = self.accounts.wait(&account.to_owned(), BY_ACCOUNT, now);
        account.max(self.addresses.wait(&origin.counted(), BY_ADDRESS, now))
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, account: &str, origin: Origin, now: Instant) {
        self.accounts.failed(account.to_owned(), BY_ACCOUNT, now);
        self.addresses.failed(origin.counted(), BY_ADDRESS, now);
    }

    /// Forgets what has failed before: the password was right.
    pub(crate) fn succeeded(&self, account: &str) {
        self.accounts.0.lock().remove(account);
    }
}

impl<K: Eq + Hash> Counted<K> {
    fn wait(&self, key: &K, limit: Limit, now: Instant) -> Option<Duration> {
        let known = self.0.lock();
        let Some(full_at) = known.get(key) else {
            // Who there is no room for waits, too.
            return (known.len() >= REMEMBERED_MAX).then_some(limit.then_every);
        };
        let room = limit.then_every * limit.at_once.saturating_sub(1);
        full_at.checked_duration_since(now + room).filter(|wait| !wait.is_zero())
    }

    fn failed(&self, key: K, limit: Limit, now: Instant) {
        let mut known = self.0.lock();
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, full_at| *full_at > now);
        }
        if known.len() < REMEMBERED_MAX || known.contains_key(&key) {
            let full_at = known.entry(key).or_insert(now);
            *full_at = (*full_at).max(now) + limit.then_every;
        }
    }
}

impl<K> Default for Counted<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Origin {
        Origin::Address(text.parse().unwrap())
    }

    #[test]
    fn an_account_that_failed_too_often_waits_wherever_it_is_tried_from() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..10 {
            assert_eq!(tries.wait("jo", from("192.0.2.1"), now), None, "try {n}");
            tries.failed("jo", from("192.0.2.1"), now);
        }
        assert!(tries.wait("jo", from("198.51.100.9"), now).is_some());
        assert_eq!(tries.wait("al", from("192.0.2.1"), now), None, "others do not wait");
        let later = now + Duration::from_secs(61);
        assert_eq!(tries.wait("jo", from("192.0.2.1"), later), None);
        tries.succeeded("jo");
        assert_eq!(tries.wait("jo", from("192.0.2.1"), now), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..50 {
            tries.failed(&format!("user-{n}"), from("2001:db8::1"), now);
        }
        assert!(tries.wait("jo", from("2001:db8::2"), now).is_some(), "of the same network");
        assert_eq!(tries.wait("jo", from("2001:db8:0:1::2"), now), None);
    }

    #[test]
    fn memory_has_its_bounds_whoever_tries() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..20_000 {
            tries.failed(&format!("user-{n}"), from("192.0.2.1"), now);
        }
        assert!(tries.accounts.0.lock().len() <= REMEMBERED_MAX);
        assert!(tries.wait("new", from("192.0.2.9"), now).is_some());
    }
}
