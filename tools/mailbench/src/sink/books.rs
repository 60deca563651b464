//! The books of a sink: what arrived, how often, when, and what was refused.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::rule::Open;
use crate::clock::{Cpu, monotonic_ns};
use crate::latency::Summary;
use crate::mark::Mark;
use crate::report::{rate, seconds};

/// Addresses listed under `open_max_by`.
const OPEN_BY_MAX: usize = 200;

/// Everything the sessions of one run count together.
pub(super) struct Books {
    pub(super) begun: Instant,
    run: String,
    listeners: Vec<SocketAddr>,
    connections: AtomicU64,
    open: AtomicU64,
    open_max: AtomicU64,
    messages: AtomicU64,
    recipients: AtomicU64,
    octets: AtomicU64,
    chunks: AtomicU64,
    replies_4xx: AtomicU64,
    replies_5xx: AtomicU64,
    without_mark: AtomicU64,
    first_ns: AtomicU64,
    last_ns: AtomicU64,
    /// Deliveries of each message number, up to 255.
    deliveries: Vec<AtomicU8>,
    /// Connections open now and at most, by address.
    open_by: Mutex<HashMap<String, (u64, u64)>>,
    domains: Option<Mutex<BTreeMap<String, DomainCount>>>,
    /// By listener, by second since the start.
    timeline: Mutex<Vec<Vec<Second>>>,
    latencies_us: Mutex<Vec<u64>>,
}

/// What happened to recipients of one domain.
#[derive(Default)]
pub(super) struct DomainCount {
    pub(super) tried: u64,
    pub(super) taken: u64,
    pub(super) delivered: u64,
    pub(super) refused: u64,
}

/// What happened at one listener in one second.
#[derive(Default, Clone, Copy)]
pub(super) struct Second {
    pub(super) connections: u64,
    pub(super) messages: u64,
    pub(super) recipients: u64,
    pub(super) replies_4xx: u64,
    pub(super) replies_5xx: u64,
    pub(super) open_max: u64,
}

/// A message that has been taken.
pub(super) struct Taken<'a> {
    pub(super) listener: usize,
    /// The first octets of it, in which the mark is looked for.
    pub(super) head: &'a [u8],
    pub(super) octets: u64,
    pub(super) domains: &'a [String],
}

impl Books {
    pub(super) fn new(run: &str, ids: usize, listeners: Vec<SocketAddr>, per_domain: bool) -> Self {
        Self {
            begun: Instant::now(),
            run: run.to_owned(),
            timeline: Mutex::new(vec![Vec::new(); listeners.len()]),
            listeners,
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            open_max: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            recipients: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            chunks: AtomicU64::new(0),
            replies_4xx: AtomicU64::new(0),
            replies_5xx: AtomicU64::new(0),
            without_mark: AtomicU64::new(0),
            first_ns: AtomicU64::new(u64::MAX),
            last_ns: AtomicU64::new(0),
            deliveries: (0..ids).map(|_| AtomicU8::new(0)).collect(),
            open_by: Mutex::default(),
            domains: per_domain.then(Mutex::default),
            latencies_us: Mutex::default(),
        }
    }

    /// Counts a new connection; `closed` must follow with the same keys.
    pub(super) fn opened(&self, listener: usize, client: &str, local: &str) -> Open {
        let in_all = self.open.fetch_add(1, Relaxed) + 1;
        self.open_max.fetch_max(in_all, Relaxed);
        self.connections.fetch_add(1, Relaxed);
        let mut by = self.open_by.lock();
        let mut one_more = |key: String| {
            let count = by.entry(key).or_default();
            count.0 += 1;
            count.1 = count.1.max(count.0);
            count.0
        };
        let by_client = one_more(format!("ip {client}"));
        let by_listener = one_more(format!("listen {local}"));
        drop(by);
        self.in_this_second(listener, |second| {
            second.connections += 1;
            second.open_max = second.open_max.max(by_listener);
        });
        Open { by_client, by_listener, in_all }
    }

    /// Counts the end of a connection.
    pub(super) fn closed(&self, client: &str, local: &str) {
        self.open.fetch_sub(1, Relaxed);
        let mut by = self.open_by.lock();
        for key in [format!("ip {client}"), format!("listen {local}")] {
            if let Some(count) = by.get_mut(&key) {
                count.0 = count.0.saturating_sub(1);
            }
        }
    }

    /// Counts a reply line by its first digit.
    pub(super) fn said(&self, listener: usize, line: &str) {
        match line.as_bytes().first() {
            Some(b'4') => {
                self.replies_4xx.fetch_add(1, Relaxed);
                self.in_this_second(listener, |second| second.replies_4xx += 1);
            }
            Some(b'5') => {
                self.replies_5xx.fetch_add(1, Relaxed);
                self.in_this_second(listener, |second| second.replies_5xx += 1);
            }
            _ => {}
        }
    }

    /// Counts a message that is about to be answered with 250.
    pub(super) fn taken(&self, message: &Taken<'_>) {
        let now_ns = monotonic_ns();
        let recipients = message.domains.len() as u64;
        self.first_ns.fetch_min(now_ns, Relaxed);
        self.last_ns.fetch_max(now_ns, Relaxed);
        self.recipients.fetch_add(recipients, Relaxed);
        self.octets.fetch_add(message.octets, Relaxed);
        let mark = Mark::find(message.head).filter(|mark| mark.run == self.run);
        match mark.and_then(|mark| Some((self.deliveries.get(mark.seq as usize)?, mark.begun_ns))) {
            Some((deliveries, begun_ns)) => {
                let more = recipients.min(255) as u8;
                let _ = deliveries
                    .fetch_update(Relaxed, Relaxed, |before| Some(before.saturating_add(more)));
                self.latencies_us.lock().push(now_ns.saturating_sub(begun_ns) / 1000);
            }
            None => {
                self.without_mark.fetch_add(1, Relaxed);
            }
        }
        for domain in message.domains {
            self.domain(domain, |count| count.delivered += 1);
        }
        self.in_this_second(message.listener, |second| {
            second.messages += 1;
            second.recipients += recipients;
        });
        self.messages.fetch_add(1, Relaxed);
    }

    /// Counts a BDAT command.
    pub(super) fn chunk(&self) {
        self.chunks.fetch_add(1, Relaxed);
    }

    /// Counts at one recipient domain, when that was asked for.
    pub(super) fn domain(&self, domain: &str, count: impl FnOnce(&mut DomainCount)) {
        if let Some(domains) = self.domains.as_ref().filter(|_| !domain.is_empty()) {
            let mut domains = domains.lock();
            match domains.get_mut(domain) {
                Some(known) => count(known),
                None => count(domains.entry(domain.to_owned()).or_default()),
            }
        }
    }

    fn in_this_second(&self, listener: usize, count: impl FnOnce(&mut Second)) {
        let at = self.begun.elapsed().as_secs() as usize;
        let mut timeline = self.timeline.lock();
        let seconds = &mut timeline[listener];
        if seconds.len() <= at {
            seconds.resize(at + 1, Second::default());
        }
        count(&mut seconds[at]);
    }

    /// Messages answered with 250 so far.
    pub(super) fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }

    /// Connections open now.
    pub(super) fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// The result of the run.
    pub(super) fn json(&self, cpu: Cpu) -> Value {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let (mut once, mut twice, mut more) = (0, 0, 0);
        for deliveries in &self.deliveries {
            match deliveries.load(Relaxed) {
                0 => {}
                1 => once += 1,
                2 => twice += 1,
                _ => more += 1,
            }
        }
        let messages = self.messages();
        let first_ns = if messages > 0 { read(&self.first_ns) } else { 0 };
        let span_ns = read(&self.last_ns) - first_ns;
        let mut result = json!({
            "mode": "sink",
            "messages": messages,
            "recipients": read(&self.recipients),
            "bytes": read(&self.octets),
            "bdat_chunks": read(&self.chunks),
            "ids_once": once,
            "ids_twice": twice,
            "ids_more": more,
            "without_id": read(&self.without_mark),
            "connections": read(&self.connections),
            "open_max": read(&self.open_max),
            "replies_4xx": read(&self.replies_4xx),
            "replies_5xx": read(&self.replies_5xx),
            "t_first_ns": first_ns,
            "t_last_ns": read(&self.last_ns),
            "span_s": seconds(span_ns),
            "rate": rate(messages, span_ns as f64 / 1e9),
            "e2e_us": Summary::of(self.latencies_us.lock().clone()).json(),
            "cpu_user_us": cpu.user_us,
            "cpu_sys_us": cpu.system_us,
            "open_max_by": self.open_max_by(),
        });
        if let Some(domains) = &self.domains {
            result["domains"] = domains
                .lock()
                .iter()
                .map(|(domain, count)| (domain.clone(), count.json()))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        result
    }

    fn open_max_by(&self) -> Value {
        let by: BTreeMap<String, u64> =
            self.open_by.lock().iter().map(|(key, count)| (key.clone(), count.1)).collect();
        by.into_iter().take(OPEN_BY_MAX).collect()
    }

    /// One line `seq deliveries` for each message number that arrived.
    pub(super) fn ids(&self) -> String {
        let counts = self.deliveries.iter().map(|deliveries| deliveries.load(Relaxed));
        let arrived = counts.enumerate().filter(|(_, deliveries)| *deliveries > 0);
        arrived.map(|(seq, deliveries)| format!("{seq} {deliveries}\n")).collect()
    }

    /// One row per listener and second in which anything happened.
    pub(super) fn timeline_csv(&self) -> String {
        let mut csv = String::from("listen,second,conns,msgs,rcpts,r4xx,r5xx,open_max\n");
        for (listener, seconds) in self.listeners.iter().zip(self.timeline.lock().iter()) {
            for (at, s) in seconds.iter().enumerate() {
                if s.connections + s.messages + s.replies_4xx + s.replies_5xx > 0 {
                    csv.push_str(&format!(
                        "{listener},{at},{},{},{},{},{},{}\n",
                        s.connections,
                        s.messages,
                        s.recipients,
                        s.replies_4xx,
                        s.replies_5xx,
                        s.open_max
                    ));
                }
            }
        }
        csv
    }
}

impl DomainCount {
    fn json(&self) -> Value {
        json!({
            "rcpt_tried": self.tried,
            "rcpt_ok": self.taken,
            "delivered": self.delivered,
            "refused": self.refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        Books::new("r1", 10, vec!["127.0.0.1:25".parse().unwrap()], true)
    }

    fn take(books: &Books, head: &str) {
        let domains = ["x.test".to_owned()];
        books.taken(&Taken { listener: 0, head: head.as_bytes(), octets: 9, domains: &domains });
    }

    #[test]
    fn a_second_delivery_of_a_number_is_a_duplicate() {
        let books = books();
        for head in
            ["X-Mailbench: r1 3 1\r\n", "X-Mailbench: r1 4 1\r\n", "X-Mailbench: r1 3 1\r\n"]
        {
            take(&books, head);
        }
        let result = books.json(Cpu::now());
        assert_eq!((&result["ids_once"], &result["ids_twice"]), (&json!(1), &json!(1)));
        assert_eq!(books.ids(), "3 2\n4 1\n");
    }

    #[test]
    fn a_message_of_another_run_or_out_of_range_counts_without_a_number() {
        let books = books();
        take(&books, "X-Mailbench: r2 3 1\r\n");
        take(&books, "X-Mailbench: r1 10 1\r\n");
        let result = books.json(Cpu::now());
        assert_eq!(result["without_id"], 2);
        assert_eq!(result["domains"]["x.test"]["delivered"], 2);
    }

    #[test]
    fn a_closed_connection_is_no_longer_counted_as_open() {
        let books = books();
        assert_eq!(books.opened(0, "a", "b").by_client, 1);
        assert_eq!(books.opened(0, "a", "b").by_client, 2);
        books.closed("a", "b");
        assert_eq!(books.opened(0, "a", "b").by_client, 2);
        assert_eq!(books.json(Cpu::now())["open_max_by"]["ip a"], 2);
    }
}
