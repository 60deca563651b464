//! How many may be inside: in all, and of one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::client_of;

/// Counts sessions. A client is an IPv4 address or an IPv6 /64: one who has one address there
/// has them all.
pub struct Gate {
    inner: Mutex<Inside>,
}

struct Inside {
    all: u32,
    all_max: u32,
    of_client: HashMap<IpAddr, u32>,
    of_client_max: u32,
}

/// A place inside, until it is dropped.
pub struct Pass {
    gate: Arc<Gate>,
    client: IpAddr,
}

impl Gate {
    /// Up to so many sessions in all, and so many of one client.
    pub fn new(all_max: u32, of_client_max: u32) -> Arc<Self> {
        let inside = Inside { all: 0, all_max, of_client: HashMap::new(), of_client_max };
        Arc::new(Self { inner: Mutex::new(inside) })
    }

    /// Other limits from now on; who is inside stays.
    pub fn limit(&self, all_max: u32, of_client_max: u32) {
        let mut inside = self.inner.lock();
        inside.all_max = all_max;
        inside.of_client_max = of_client_max;
    }

    /// Sessions inside.
    pub fn inside(&self) -> u32 {
        self.inner.lock().all
    }

    /// A place for a client, if there is one.
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Pass> {
        let client = client_of(from);
        let mut inside = self.inner.lock();
        let of_client = inside.of_client.get(&client).copied().unwrap_or(0);
        if inside.all >= inside.all_max || of_client >= inside.of_client_max {
            return None;
        }
        inside.all += 1;
        inside.of_client.insert(client, of_client + 1);
        Some(Pass { gate: self.clone(), client })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.gate.inner.lock();
        inside.all -= 1;
        if let Some(of_client) = inside.of_client.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                inside.of_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_take_all_places_and_gives_them_back() {
        let gate = Gate::new(3, 2);
        let ip = |text: &str| text.parse().unwrap();
        let first = gate.enter(ip("2001:db8::1")).unwrap();
        let _second = gate.enter(ip("2001:db8::ffff")).unwrap();
        assert!(gate.enter(ip("2001:db8::2")).is_none());
        let _third = gate.enter(ip("192.0.2.1")).unwrap();
        assert!(gate.enter(ip("192.0.2.2")).is_none());
        drop(first);
        assert!(gate.enter(ip("2001:db8::3")).is_some());
        assert_eq!(gate.inside(), 2);
    }
}
