//! How often somebody may try to sign in: counted for each account and for each address.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_api::Origin;

/// Tries that have failed or are not over yet, by account and by address.
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
    /// Counts a try before anything is looked at; how long to wait where too much has failed.
    ///
    /// It counts as failed until it has succeeded: of many that come at once no more get through than of
    /// many that come one after the other.
    pub(crate) fn begin(
        &self,
        account: &str,
        origin: Origin,
        now: Instant,
    ) -> Result<(), Duration> {
        let (account, origin) = (account.to_owned(), origin.counted());
        let (mut accounts, mut addresses) = (self.accounts.0.lock(), self.addresses.0.lock());
        let of_account = BY_ACCOUNT.wait(&accounts, &account, now);
        match of_account.max(BY_ADDRESS.wait(&addresses, &origin, now)) {
            Some(wait) => Err(wait),
            None => {
                BY_ACCOUNT.count(&mut accounts, account, now);
                BY_ADDRESS.count(&mut addresses, origin, now);
                Ok(())
            }
        }
    }

    /// The password was right: what has failed before for the account is forgotten, and the try of the
    /// address is no failure.
    pub(crate) fn succeeded(&self, account: &str, origin: Origin) {
        self.accounts.0.lock().remove(account);
        if let Some(full_at) = self.addresses.0.lock().get_mut(&origin.counted()) {
            *full_at = full_at.checked_sub(BY_ADDRESS.then_every).unwrap_or(*full_at);
        }
    }
}

impl Limit {
    fn wait<K: Eq + Hash>(
        self,
        known: &HashMap<K, Instant>,
        key: &K,
        now: Instant,
    ) -> Option<Duration> {
        let Some(full_at) = known.get(key) else {
            // Who there is no room for waits, too; who has all tries again makes room.
            let is_full = known.len() >= REMEMBERED_MAX && known.values().all(|at| *at > now);
            return is_full.then_some(self.then_every);
        };
        let room = self.then_every * self.at_once.saturating_sub(1);
        full_at.checked_duration_since(now + room).filter(|wait| !wait.is_zero())
    }

    fn count<K: Eq + Hash>(self, known: &mut HashMap<K, Instant>, key: K, now: Instant) {
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, full_at| *full_at > now);
        }
        if known.len() < REMEMBERED_MAX || known.contains_key(&key) {
            let full_at = known.entry(key).or_insert(now);
            *full_at = (*full_at).max(now) + self.then_every;
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

    /// Tries that get through, of so many.
    fn through(many: usize, attempt: impl Fn(usize) -> Result<(), Duration>) -> usize {
        (0..many).filter(|n| attempt(*n).is_ok()).count()
    }

    #[test]
    fn an_account_that_failed_too_often_waits_wherever_it_is_tried_from() {
        let (tries, now) = (Tries::default(), Instant::now());
        assert_eq!(through(30, |_| tries.begin("jo", from("192.0.2.1"), now)), 10);
        assert!(tries.begin("jo", from("198.51.100.9"), now).is_err());
        assert!(tries.begin("al", from("192.0.2.1"), now).is_ok(), "others do not wait");
        let later = now + Duration::from_secs(61);
        assert_eq!(through(5, |_| tries.begin("jo", from("192.0.2.1"), later)), 1);
        tries.succeeded("jo", from("192.0.2.1"));
        assert_eq!(through(30, |_| tries.begin("jo", from("192.0.2.1"), later)), 10);
    }

    #[test]
    fn of_a_burst_no_more_get_through_than_one_after_the_other() {
        let (tries, now) = (Tries::default(), Instant::now());
        let barrier = std::sync::Barrier::new(40);
        let got = std::thread::scope(|scope| {
            let attempt = || {
                barrier.wait();
                tries.begin("jo", from("192.0.2.1"), now).is_ok()
            };
            let all: Vec<_> = (0..40).map(|_| scope.spawn(attempt)).collect();
            all.into_iter().map(|one| one.join().unwrap()).filter(|got| *got).count()
        });
        assert_eq!(got, 10);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_and_right_passwords_do_not_count() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..200 {
            let account = format!("right-{n}");
            tries.begin(&account, from("2001:db8::1"), now).unwrap();
            tries.succeeded(&account, from("2001:db8::1"));
        }
        let guess = |n| tries.begin(&format!("user-{n}"), from("2001:db8::1"), now);
        assert_eq!(through(80, guess), 50);
        assert!(tries.begin("jo", from("2001:db8::2"), now).is_err(), "of the same network");
        assert!(tries.begin("jo", from("2001:db8:0:1::2"), now).is_ok());
    }

    #[test]
    fn memory_has_its_bounds_whoever_tries() {
        let (tries, now) = (Tries::default(), Instant::now());
        let address = |n: usize| from(&format!("10.{}.{}.1", n / 250, n % 250));
        let guess = |n| tries.begin(&format!("user-{n}"), address(n), now);
        assert_eq!(through(12_000, guess), REMEMBERED_MAX);
        assert!(tries.accounts.0.lock().len() <= REMEMBERED_MAX);
        assert!(tries.begin("new", from("192.0.2.9"), now).is_err());
        let later = now + Duration::from_secs(61);
        assert!(tries.begin("new", from("192.0.2.9"), later).is_ok(), "room is made");
    }
}
