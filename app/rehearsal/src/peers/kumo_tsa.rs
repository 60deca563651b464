//! KumoMTA with its traffic shaping automation: words in a reply override the shaping of a source
//! towards a site for a fixed time; afterwards the full rate is back at once.
//!
//! Numbers from KumoMTA's `assets/policy-extras/shaping.toml` and `assets/community/shaping.toml`
//! (read 2026-08) for the providers that have rules there, and its defaults for the rest. What is
//! suspended waits and is not retried in the meantime. The automation acts at once, though in the
//! real one it takes seconds until an override lands.

use postlane_receivers::{Ms, Scenario, Source};

use super::backlog::Backlog;
use super::gates::{Gate, Gates};
use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

/// `retry_interval`, the default: 20 minutes, doubled each time, with no longest one.
const RETRY: Ms = Ms::from_min(20);
/// `idle_timeout`, the default.
const IDLE: Ms = Ms::from_s(60);
/// `max_connection_rate = "100/min"`, the default.
const CONNECTION_GAP: Ms = Ms(600);
/// `max_message_rate = "100/s"`, the default.
const GAP: Ms = Ms(10);
/// The window of every trigger.
const HOUR: Ms = Ms::from_h(1);

/// What a site's mail is shaped to.
struct Shaping {
    connections: u32,
    per_connection: u32,
    rules: &'static [&'static [Rule]],
}

/// An automation: words, in this order; after so many within an hour; what then; for how long.
struct Rule {
    words: &'static [&'static str],
    threshold: usize,
    action: Action,
    duration: Ms,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Suspend,
    /// The least time between two messages, and connections if they change, too.
    Slow(Ms, Option<u32>),
    Connections(u32),
}

const fn rule(
    words: &'static [&'static str],
    threshold: usize,
    action: Action,
    duration: Ms,
) -> Rule {
    Rule { words, threshold, action, duration }
}

const A_MINUTE: Action = Action::Slow(Ms::from_min(1), None);
const TEN_A_MINUTE: Action = Action::Slow(Ms::from_s(6), None);
const CRAWL: Action = Action::Slow(Ms::from_min(1), Some(1));

const DEFAULT: &[Rule] = &[
    rule(&["Messages from ", " temporarily deferred"], 1, CRAWL, Ms::from_min(90)),
    rule(&["temporarily rate limited due to IP reputation"], 1, CRAWL, Ms::from_min(90)),
    rule(&["Server busy. Please try again later from"], 1, CRAWL, Ms::from_min(90)),
];
const UNITED_INTERNET: &[Rule] = &[
    rule(&["Too many connections"], 3, Action::Connections(1), Ms::from_min(30)),
    rule(&["Reject due to policy restrictions"], 5, A_MINUTE, HOUR),
    rule(&["Reject due to policy violations"], 5, Action::Suspend, HOUR),
];
const YAHOO: &[Rule] = &[
    rule(&["[TSS04]"], 2, Action::Suspend, Ms::from_h(2)),
    rule(&["Max message per connection reached"], 3, TEN_A_MINUTE, HOUR),
];
const GMAIL: &[Rule] = &[
    rule(&["Our system has detected that this message"], 5, Action::Suspend, HOUR),
    rule(&["Our system has detected an unusual rate"], 2, TEN_A_MINUTE, Ms::from_min(30)),
];
const OUTLOOK: &[Rule] = &[
    rule(&["Server busy. Please try again later"], 5, Action::Suspend, Ms::from_min(30)),
    rule(&["exceeded the maximum number of connections"], 2, Action::Connections(1), HOUR),
];

impl Shaping {
    fn of(site: &str) -> Self {
        let ends = |suffix: &str| site.ends_with(suffix);
        if ends(".web.de") || ends(".gmx.net") {
            Self { connections: 4, per_connection: 20, rules: &[DEFAULT, UNITED_INTERNET] }
        } else if ends(".yahoodns.net") {
            Self { connections: 10, per_connection: 20, rules: &[DEFAULT, YAHOO] }
        } else if ends(".google.com") || ends(".googlemail.com") {
            Self { connections: 5, per_connection: 50, rules: &[DEFAULT, GMAIL] }
        } else if ends(".protection.outlook.com") || ends(".mx.microsoft") {
            Self { connections: 5, per_connection: 50, rules: &[DEFAULT, OUTLOOK] }
        } else {
            Self { connections: 10, per_connection: 100, rules: &[DEFAULT] }
        }
    }

    fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        self.rules.iter().flat_map(|rules| rules.iter())
    }
}

/// A script that follows fixed rules.
pub(crate) struct KumoTsa {
    backlog: Backlog,
    gates: Gates,
    shaping: Shaping,
    /// By source and rule: when its words were heard, and until when it holds.
    heard: Vec<Vec<(Vec<Ms>, Ms)>>,
    gate: Gate,
    per_connection: u32,
}

impl KumoTsa {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let sender = &scenario.sender;
        let shaping = Shaping::of(&scenario.receiver.site);
        let connections = shaping.connections.min(sender.ceiling.conns_per_ip);
        let gate = Gate::paced(connections, GAP).connecting_every(CONNECTION_GAP);
        let heard = vec![vec![(Vec::new(), Ms(0)); shaping.rules().count()]; sender.ips.len()];
        let most = sender.ceiling.per_conn.unwrap_or(u32::MAX);
        Self {
            backlog: Backlog::default(),
            gates: Gates::new(sender, gate),
            per_connection: shaping.per_connection.min(most),
            shaping,
            heard,
            gate,
        }
    }

    /// What the words of a reply set off.
    fn automate(&mut self, now: Ms, source: Source, line: &str) {
        let heard = &mut self.heard[usize::from(source.0)];
        for (rule, (times, until)) in self.shaping.rules().zip(heard) {
            if !has_in_order(line, rule.words) {
                continue;
            }
            times.retain(|time| *time + HOUR > now);
            times.push(now);
            if times.len() >= rule.threshold {
                times.clear();
                *until = now + rule.duration;
            }
        }
    }

    /// Sets a source's gate by the overrides that hold. Says when the first of them ends.
    fn shape(&mut self, now: Ms, source: Source) -> Option<Ms> {
        let (mut gap, mut connections) = (GAP, self.gate.connections);
        let mut closed_until = Ms(0);
        let mut first_end: Option<Ms> = None;
        for (rule, (_, until)) in self.shaping.rules().zip(&self.heard[usize::from(source.0)]) {
            if *until <= now {
                continue;
            }
            first_end = first_end.into_iter().chain([*until]).min();
            match rule.action {
                Action::Suspend => closed_until = closed_until.max(*until),
                Action::Slow(slow, few) => {
                    gap = gap.max(slow);
                    connections = connections.min(few.unwrap_or(connections));
                }
                Action::Connections(few) => connections = connections.min(few),
            }
        }
        let gate = self.gates.of(source);
        (gate.gap, gate.connections, gate.closed_until) = (gap, connections, closed_until);
        first_end
    }
}

impl Script for KumoTsa {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo) {
        self.backlog.arrived(message, floor.now());
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        if !heard.reply.code().is_success() {
            self.automate(floor.now(), heard.source, &heard.reply.to_string());
        }
        if heard.is_queued {
            let refused = self.backlog.refused(heard.message);
            let doubled = 1_u64.checked_shl(refused - 1).unwrap_or(u64::MAX);
            let retry = Ms(RETRY.0.saturating_mul(doubled));
            self.backlog.put(heard.message, floor.now() + retry);
        }
    }

    fn expired(&mut self, message: MessageNo) {
        self.backlog.remove(message);
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        let now = floor.now();
        let ends = floor.sources().filter_map(|source| self.shape(now, source)).min();
        let drained = self.gates.drain(&mut self.backlog, floor);
        drained.into_iter().chain(ends).min()
    }
}

/// Whether a line has these words, one behind the other.
fn has_in_order(line: &str, words: &[&str]) -> bool {
    let mut rest = Some(line);
    for word in words {
        rest = rest.and_then(|rest| rest.split_once(word)).map(|(_, behind)| behind);
    }
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_their_order_only() {
        let line = "421 4.7.0 Messages from 203.0.113.7 temporarily deferred. Try again later";
        assert!(has_in_order(line, &["Messages from ", " temporarily deferred"]));
        assert!(!has_in_order(line, &["temporarily deferred", "Messages from "]));
    }
}
