//! The first two laws: no ceiling is ever exceeded; first attempts, retries, canaries and
//! connections draw on one budget.

use std::collections::{BTreeMap, VecDeque};

use crate::runs::{SEEDS, events, hold, scenario};
use crate::scenarios::{all, under_ceilings};
use crate::trace::{Event, What};

/// Moments within the last so many milliseconds.
struct Window {
    span_ms: u64,
    moments: VecDeque<u64>,
}

impl Window {
    fn new(span_ms: u64) -> Self {
        Self { span_ms, moments: VecDeque::new() }
    }

    fn join(&mut self, t_ms: u64) -> usize {
        self.moments.push_back(t_ms);
        while self.moments.front().is_some_and(|first| first + self.span_ms <= t_ms) {
            self.moments.pop_front();
        }
        self.moments.len()
    }
}

/// As many as a ceiling allows in a span, and one for where the span begins.
fn allowed(count: f64, per_ms: u64, span_ms: u64) -> f64 {
    (count * span_ms as f64 / per_ms as f64).ceil().max(1.0)
}

#[test]
fn no_ceiling_is_exceeded_in_any_second_or_minute() {
    for text in under_ceilings() {
        let ceiling = scenario(&text).sender.ceiling;
        for seed in 0..SEEDS {
            let per_ms = ceiling.rate.per.0;
            let spans = [per_ms, 1_000.max(per_ms), 60_000.max(per_ms)];
            let mut windows = spans.map(Window::new);
            let mut open: BTreeMap<String, u32> = BTreeMap::new();
            let mut carried: BTreeMap<u64, u32> = BTreeMap::new();
            for Event { t_ms, what } in events(&text, seed) {
                match what {
                    What::Dispatch { conn, .. } => {
                        for window in &mut windows {
                            let most = allowed(ceiling.rate.count, per_ms, window.span_ms);
                            let many = window.join(t_ms);
                            assert!(many as f64 <= most, "{many} at {t_ms} ms");
                        }
                        let on = carried.entry(conn).or_default();
                        *on += 1;
                        assert!(ceiling.per_conn.is_none_or(|most| *on <= most));
                    }
                    What::Connect { source, .. } => {
                        let open = open.entry(source).or_default();
                        *open += 1;
                        assert!(*open <= ceiling.conns_per_ip, "{open} at {t_ms} ms");
                    }
                    What::Close { source, .. } => *open.entry(source).or_default() -= 1,
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_connection_that_carries_nothing_has_cost_a_unit() {
    for text in under_ceilings() {
        let ceiling = scenario(&text).sender.ceiling;
        let sources = scenario(&text).sender.ips.len() as f64;
        for seed in 0..SEEDS {
            let events = events(&text, seed);
            let dispatched = |event: &Event| match event.what {
                What::Dispatch { conn, .. } => Some(conn),
                _ => None,
            };
            let used: std::collections::BTreeSet<u64> =
                events.iter().filter_map(dispatched).collect();
            let mut window = Window::new(60_000.max(ceiling.rate.per.0));
            for Event { t_ms, what } in &events {
                let costs = match what {
                    What::Dispatch { .. } => true,
                    What::Connect { conn, .. } => !used.contains(conn),
                    _ => false,
                };
                if !costs {
                    continue;
                }
                // What was paid for when its session began to open may go a little later.
                let late = f64::from(ceiling.conns_per_ip) * sources;
                let most = allowed(ceiling.rate.count, ceiling.rate.per.0, window.span_ms) + late;
                let many = window.join(*t_ms);
                assert!(many as f64 <= most, "{many} at {t_ms} ms");
            }
        }
    }
}

#[test]
fn retries_keep_to_the_pace_that_first_attempts_keep_to() {
    hold(&all(), |events| {
        // A lane's pace over five minutes, counting everything that goes, is never above twice
        // what it says it keeps to, and five that were under way when that fell.
        let mut rates: BTreeMap<String, f64> = BTreeMap::new();
        let mut highest: BTreeMap<String, VecDeque<(u64, f64)>> = BTreeMap::new();
        let mut windows: BTreeMap<String, Window> = BTreeMap::new();
        for Event { t_ms, what } in events {
            match what {
                What::Lane { source, rate, .. } => {
                    rates.insert(source.clone(), *rate);
                    highest.entry(source.clone()).or_default().push_back((*t_ms, *rate));
                }
                What::Dispatch { source, .. } => {
                    let window =
                        windows.entry(source.clone()).or_insert_with(|| Window::new(300_000));
                    let many = window.join(*t_ms);
                    let marks = highest.entry(source.clone()).or_default();
                    while marks.len() > 1 && marks[1].0 + 300_000 <= *t_ms {
                        marks.pop_front();
                    }
                    let most = marks.iter().map(|(_, rate)| *rate).fold(0.1, f64::max);
                    assert!(many as f64 <= most * 300.0 * 2.0 + 5.0, "{many} at {t_ms}, {most}/s");
                }
                _ => {}
            }
        }
    });
}
