//! Tries with wrong tokens: counted by address, and limited.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_mail::Rate;

use super::bucket::Bucket;
use super::origin::Origin;

/// Tries with wrong tokens, by address. The right token always opens: 256 bits of chance are not
/// guessed, and who shares a proxy's address with a client that has gone astray is not shut out.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<Origin, Bucket>>);

/// Addresses that are remembered. Chosen, not measured: some hundred kilobytes.
const ADDRESSES_MAX: usize = 10_000;

impl Failures {
    /// Counts a try; how long the address is to wait where it has made too many. An address that
    /// there is no room for is told to wait, too.
    pub(super) fn count(&self, origin: Origin, rate: Rate) -> Result<(), Duration> {
        let now = Instant::now();
        let mut known = self.0.lock();
        if known.len() >= ADDRESSES_MAX && !known.contains_key(&origin.counted()) {
            known.retain(|_, bucket| !bucket.is_full(now));
            if known.len() >= ADDRESSES_MAX {
                return Err(rate.gap().to_std());
            }
        }
        let bucket = known.entry(origin.counted()).or_insert_with(|| Bucket::full(now));
        bucket.take(now, rate, rate.messages())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_tries_too_often_waits_and_others_do_not() {
        let failures = Failures::default();
        let rate = Rate::parse("10/h").unwrap();
        let bad = Origin::Address("192.0.2.1".parse().unwrap());
        assert!((0..10).all(|_| failures.count(bad, rate).is_ok()));
        assert!(failures.count(bad, rate).is_err());
        assert!(failures.count(Origin::Socket, rate).is_ok());
    }

    #[test]
    fn memory_has_its_bounds_whoever_tries() {
        let failures = Failures::default();
        let rate = Rate::parse("10/h").unwrap();
        let of = |n: u32| Origin::Address(std::net::IpAddr::V4(n.into()));
        assert!((0..10_000).all(|n| failures.count(of(n), rate).is_ok()));
        assert!(failures.count(of(10_000), rate).is_err());
        assert!(failures.count(of(7), rate).is_ok(), "who is known has their tries");
    }
}
