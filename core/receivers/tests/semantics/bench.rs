//! A receiver to be tried out: limits in, answers out.

use postlane_receivers::{
    Addressee, Answer, Asking, Cause, ConnId, Ms, Receiver, Room, Scenario, Source,
};

/// A receiver, and recipients who have never been written to.
pub(crate) struct Bench {
    pub(crate) scenario: Scenario,
    pub(crate) receiver: Receiver,
    next_rcpt: u32,
}

/// The scenario with these tables behind `[receiver]`, and three sources.
pub(crate) fn scenario(limits: &str) -> Scenario {
    with("ips = [\"a\", \"b\", \"c\"]", "", limits)
}

/// The scenario with this sender, these lines of `[receiver]` and the tables behind it.
pub(crate) fn with(sender: &str, receiver: &str, limits: &str) -> Scenario {
    let text = format!(
        "[meta]\nid = \"t\"\nhorizon = \"30d\"\n[sender]\n{sender}\n[receiver]\nsite = \"mx.example\"\n{receiver}\n{limits}"
    );
    Scenario::parse(&text).unwrap()
}

/// A limit with these keys, and what it says.
pub(crate) fn limit(id: &str, keys: &str) -> String {
    format!("[[receiver.limit]]\nid = \"{id}\"\nreply = \"450 {id}\"\n{keys}\n")
}

impl Bench {
    pub(crate) fn new(limits: &str) -> Self {
        Self::of(scenario(limits), 1)
    }

    pub(crate) fn of(scenario: Scenario, seed: u64) -> Self {
        let receiver = Receiver::new(&scenario, seed);
        Self { scenario, receiver, next_rcpt: 1_000_000 }
    }

    pub(crate) fn somebody(&mut self) -> Addressee {
        self.next_rcpt += 1;
        Addressee { number: self.next_rcpt, known: true }
    }

    /// A message to somebody new on a connection of its own, closed at once.
    pub(crate) fn send(&mut self, at: u64) -> Answer {
        self.send_from(0, at)
    }

    pub(crate) fn send_from(&mut self, source: u16, at: u64) -> Answer {
        let to = self.somebody();
        self.send_to(source, at, to)
    }

    pub(crate) fn send_to(&mut self, source: u16, at: u64, to: Addressee) -> Answer {
        let answer = self.receiver.dispatch(Ms(at), Source(source), None, to);
        if let Some(conn) = answer.conn {
            self.receiver.close(Ms(at), conn);
        }
        answer
    }

    /// A message to somebody new on this connection.
    pub(crate) fn send_on(&mut self, conn: ConnId, at: u64) -> Answer {
        let to = self.somebody();
        self.receiver.transact(Ms(at), Source(0), conn, to)
    }

    /// A message to somebody new on a new connection, which stays open.
    pub(crate) fn open(&mut self, at: u64) -> Answer {
        let to = self.somebody();
        self.receiver.dispatch(Ms(at), Source(0), None, to)
    }

    /// Whether each of these moments' messages is taken.
    pub(crate) fn taken(&mut self, moments: &[u64]) -> Vec<bool> {
        moments.iter().map(|at| self.send(*at).is_accepted()).collect()
    }

    pub(crate) fn look(&mut self, at: u64) -> Room {
        self.look_with(at, 0)
    }

    pub(crate) fn look_with(&mut self, at: u64, reserve: u32) -> Room {
        let to = Addressee { number: 0, known: true };
        self.receiver.would_take(Ms(at), Asking { source: Source(0), conn: None, to, reserve })
    }
}

/// Whether a limit refused because the key was in its box.
pub(crate) fn is_boxed(answer: &Answer) -> bool {
    matches!(answer.cause, Cause::Limit { boxed: true, .. })
}

/// Moments from gaps.
pub(crate) fn moments(gaps: &[u64]) -> Vec<u64> {
    gaps.iter()
        .scan(0, |at, gap| {
            *at += gap;
            Some(*at)
        })
        .collect()
}

/// How often a law is tried; nothing is written beside the tests.
pub(crate) fn law() -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        failure_persistence: None,
        ..proptest::test_runner::Config::with_cases(128)
    }
}
