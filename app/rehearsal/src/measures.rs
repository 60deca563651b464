//! The figures of one run.

use postlane_mail::Stream;
use postlane_receivers::Ms;

use crate::run::{Fate, Run, Sent};

/// The figures of one run. What is infinite, or has nothing to be measured on, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// The seed of the run.
    pub seed: u64,
    /// Whether nothing was queued or in flight at the horizon, and T99 is finite.
    pub is_finished: bool,
    /// After how long half of the mail that is not transactional was accepted.
    pub t50: Option<Ms>,
    /// The same for 99 %: what policies are compared by.
    pub t99: Option<Ms>,
    /// The same for all of it.
    pub t_all: Option<Ms>,
    /// 250s heard over messages with a recipient that exists, all kinds of mail; 1 without any.
    pub delivered_share: f64,
    /// Messages that grew too old.
    pub expired: u64,
    /// Messages queued or in flight at the end.
    pub left: u64,
    /// Dispatches.
    pub attempts: u64,
    /// Connections tried.
    pub connections: u64,
    /// 4xx for rate over 250s; `None` if there were refusals and nothing was accepted.
    pub r4xx: Option<f64>,
    /// The same for all 4xx.
    pub all4xx: Option<f64>,
    /// Transactional mail's median time to its 250.
    pub tx_p50: Option<Ms>,
    /// The 99th percentile, what was unfinished at the horizon counted with its age.
    pub tx_p99: Option<Ms>,
    /// Transactional messages expired or unfinished.
    pub tx_lost: u64,
    /// The longest time a key was in a penalty box without a break.
    pub longest_penalty: Ms,
    /// The most dispatches in any one second.
    pub most_in_a_second: u64,
    /// How often the operator's ceilings were exceeded.
    pub ceiling_violations: u64,
}

impl Measures {
    /// The figures of that run.
    pub fn of(run: &Run) -> Self {
        let bulk = Latencies::of_bulk(run);
        let tx = transactional(run);
        let count =
            |fate: fn(&Sent) -> bool| run.messages.iter().filter(|s| fate(s)).count() as u64;
        let left = count(|sent| sent.fate == Fate::Unfinished);
        let known = count(|sent| sent.is_known);
        let delivered = count(|sent| matches!(sent.fate, Fate::Delivered(_)));
        let t99 = bulk.quantile(99);
        Self {
            seed: run.seed,
            is_finished: left == 0 && (t99.is_some() || bulk.messages == 0),
            t50: bulk.quantile(50),
            t99,
            t_all: bulk.quantile(100),
            delivered_share: if known == 0 { 1.0 } else { delivered as f64 / known as f64 },
            expired: count(|sent| sent.fate == Fate::Expired),
            left,
            attempts: run.attempts,
            connections: run.connections,
            r4xx: per(run.refused_for_rate, run.accepted),
            all4xx: per(run.refused, run.accepted),
            tx_p50: tx.get(tx.len() / 2).copied(),
            tx_p99: tx.get((tx.len() * 99 / 100).min(tx.len().saturating_sub(1))).copied(),
            tx_lost: count(|sent| {
                sent.stream == Stream::Transactional
                    && matches!(sent.fate, Fate::Expired | Fate::Unfinished)
            }),
            longest_penalty: run.longest_penalty,
            most_in_a_second: run.most_in_a_second,
            ceiling_violations: run.ceiling_violations,
        }
    }
}

/// How long the mail took that is not transactional and has a recipient that exists.
struct Latencies {
    delivered: Vec<Ms>,
    messages: usize,
}

impl Latencies {
    fn of_bulk(run: &Run) -> Self {
        let bulk =
            || run.messages.iter().filter(|s| s.stream != Stream::Transactional && s.is_known);
        let mut delivered: Vec<Ms> = bulk().filter_map(latency).collect();
        delivered.sort_unstable();
        Self { delivered, messages: bulk().count() }
    }

    /// Element ⌈x·N⌉ (1-based) of all N, with x in percent; what was not delivered took for ever.
    fn quantile(&self, percent: usize) -> Option<Ms> {
        let rank = (self.messages * percent).div_ceil(100);
        self.delivered.get(rank.checked_sub(1)?).copied()
    }
}

fn latency(sent: &Sent) -> Option<Ms> {
    match sent.fate {
        Fate::Delivered(at) => Some(at.since(sent.arrived)),
        _ => None,
    }
}

/// Delivered transactional mail's latencies and the ages of what was unfinished, sorted.
fn transactional(run: &Run) -> Vec<Ms> {
    let spans = run.messages.iter().filter(|s| s.stream == Stream::Transactional);
    let mut spans: Vec<Ms> = spans
        .filter_map(|sent| match sent.fate {
            Fate::Unfinished => Some(run.ended.since(sent.arrived)),
            _ => latency(sent),
        })
        .collect();
    spans.sort_unstable();
    spans
}

/// So many for each; none for nothing is none.
fn per(count: u64, each: u64) -> Option<f64> {
    match (count, each) {
        (0, _) => Some(0.0),
        (_, 0) => None,
        _ => Some(count as f64 / each as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(stream: Stream, is_known: bool, fate: Fate) -> Sent {
        Sent { arrived: Ms(0), stream, is_known, fate }
    }

    fn at(s: u64) -> Fate {
        Fate::Delivered(Ms(0) + Ms::from_s(s))
    }

    fn run(messages: Vec<Sent>) -> Run {
        Run { ended: Ms::from_h(1), messages, ..Run::new(1) }
    }

    #[test]
    fn what_was_not_delivered_took_for_ever() {
        let mut all: Vec<Sent> = (1..=99).map(|s| sent(Stream::Engaged, true, at(s))).collect();
        all.push(sent(Stream::Cold, true, Fate::Expired));
        let measures = Measures::of(&run(all));
        assert_eq!(measures.t50, Some(Ms::from_s(50)));
        assert_eq!(measures.t99, Some(Ms::from_s(99)));
        assert_eq!(measures.t_all, None);
        assert!(measures.is_finished);
    }

    #[test]
    fn unknown_recipients_and_transactional_mail_are_not_in_t99() {
        let mut all = vec![sent(Stream::Engaged, true, at(7))];
        all.push(sent(Stream::Engaged, false, Fate::Bounced));
        all.push(sent(Stream::Transactional, true, at(500)));
        let measures = Measures::of(&run(all));
        assert_eq!(measures.t99, Some(Ms::from_s(7)));
        assert_eq!(measures.tx_p99, Some(Ms::from_s(500)));
    }

    #[test]
    fn transactional_mail_left_at_the_end_counts_with_its_age_and_is_lost() {
        let mut all: Vec<Sent> =
            (1..=9).map(|s| sent(Stream::Transactional, true, at(s))).collect();
        all.push(sent(Stream::Transactional, true, Fate::Unfinished));
        let measures = Measures::of(&run(all));
        assert_eq!(measures.tx_p50, Some(Ms::from_s(6)));
        assert_eq!(measures.tx_p99, Some(Ms::from_h(1)));
        assert_eq!((measures.tx_lost, measures.left), (1, 1));
        assert!(!measures.is_finished);
    }

    #[test]
    fn refusals_without_a_delivery_have_no_finite_share() {
        let mut only_refused = run(Vec::new());
        (only_refused.refused, only_refused.refused_for_rate) = (7, 0);
        let measures = Measures::of(&only_refused);
        assert_eq!((measures.r4xx, measures.all4xx), (Some(0.0), None));
    }
}
