//! Logins that fail: limited by address, over all sessions.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use postlane_mail::{Instant, Rate, client_of};

/// Clients that are remembered. Chosen, not measured: less than a megabyte.
const CLIENTS_MAX: usize = 10_000;

/// When each client that has failed lately would have all its tries again.
#[derive(Debug, Default)]
pub(crate) struct Logins(Mutex<HashMap<IpAddr, Instant>>);

impl Logins {
    /// Takes a try from a client; false where it has none left. It is taken before it is known what
    /// comes of it, or many sessions at once would have one each: [`Self::give_back`] where it was right.
    pub(crate) fn take(&self, now: Instant, client: IpAddr, rate: Rate) -> bool {
        let client = client_of(client);
        let mut clients = self.0.lock();
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            make_room(&mut clients, now);
        }
        let rested = clients.entry(client).or_insert(now);
        let tries = rate.gap().times(u64::from(rate.messages().saturating_sub(1)));
        if *rested > now + tries {
            return false;
        }
        *rested = (*rested).max(now) + rate.gap();
        true
    }

    /// It was no failure.
    pub(crate) fn give_back(&self, client: IpAddr, rate: Rate) {
        if let Some(rested) = self.0.lock().get_mut(&client_of(client)) {
            *rested = *rested - rate.gap();
        }
    }
}

/// Forgets clients that have all their tries again; if there are none, the one that will be first: a
/// thousand machines that guess must not shut out who has never tried.
fn make_room(clients: &mut HashMap<IpAddr, Instant>, now: Instant) {
    clients.retain(|_, rested| *rested > now);
    if clients.len() >= CLIENTS_MAX {
        let first = clients.iter().min_by_key(|(client, rested)| (**rested, **client));
        if let Some(client) = first.map(|(client, _)| *client) {
            clients.remove(&client);
        }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_600);

    fn rate() -> Rate {
        Rate::parse("3/30m").unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_that_fails_too_often_waits_and_others_do_not() {
        let logins = Logins::default();
        let take = |at, client| logins.take(at, ip(client), rate());
        assert!((0..3).all(|_| take(NOW, "192.0.2.1")));
        assert!(!take(NOW, "192.0.2.1") && !take(NOW, "::ffff:192.0.2.1"));
        assert!(take(NOW, "192.0.2.2"));
        assert!(take(NOW + Span::from_min(10), "192.0.2.1"), "one every ten minutes");
        assert!(!take(NOW + Span::from_min(10), "192.0.2.1"));
    }

    #[test]
    fn who_has_a_network_has_no_more_tries_than_who_has_an_address() {
        let logins = Logins::default();
        assert!((0..3).all(|n| logins.take(NOW, ip(&format!("2001:db8::{n}")), rate())));
        assert!(!logins.take(NOW, ip("2001:db8::ffff:1"), rate()));
        assert!(logins.take(NOW, ip("2001:db8:0:1::1"), rate()));
    }

    #[test]
    fn a_right_password_costs_no_try() {
        let logins = Logins::default();
        for _ in 0..100 {
            assert!(logins.take(NOW, ip("192.0.2.1"), rate()));
            logins.give_back(ip("192.0.2.1"), rate());
        }
    }

    #[test]
    fn a_thousand_machines_that_guess_shut_nobody_out_and_fill_no_memory() {
        let logins = Logins::default();
        let of = |n: u32| IpAddr::V4(n.into());
        for n in 0..2 * CLIENTS_MAX as u32 {
            assert!(logins.take(NOW, of(n), rate()), "{n}");
        }
        assert_eq!(logins.0.lock().len(), CLIENTS_MAX);
    }

    #[test]
    fn who_guesses_most_is_forgotten_last() {
        let logins = Logins::default();
        let worst = ip("192.0.2.1");
        while logins.take(NOW, worst, rate()) {}
        for n in 0..CLIENTS_MAX as u32 {
            logins.take(NOW, IpAddr::V4(n.into()), rate());
        }
        assert!(!logins.take(NOW, worst, rate()));
    }
}
