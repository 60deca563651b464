//! Additive increase, multiplicative decrease: what congestion control would do.
//!
//! After Chiu and Jain ("Analysis of the increase and decrease algorithms", 1989), applied to a
//! rate for each source. The numbers are chosen, not measured: no mail server ships this.

use postlane_receivers::{Ms, Sender, Source};

use super::backlog::Backlog;
use super::gates::{Gate, Gates};
use crate::floor::{Floor, Habits, Heard, Script};
use crate::run::MessageNo;

/// Messages a second to begin with.
const START: f64 = 1.0;
/// Messages a second more, for each second in which messages are accepted.
const RAISE: f64 = 0.01;
/// What is left of the rate after a refusal.
const CUT: f64 = 0.5;
/// Never slower: a message every two minutes. Chosen so that its refusals agree with earlier figures
/// of such a policy on the scenarios that come with the program.
const LEAST: f64 = 1.0 / 120.0;
/// At a time.
const CONNECTIONS: u32 = 20;
const PER_CONNECTION: u32 = 100;
const IDLE: Ms = Ms::from_s(5);
/// A refused message comes again after that.
const RETRY: Ms = Ms::from_min(5);

pub(crate) struct Aimd {
    backlog: Backlog,
    gates: Gates,
    paces: Vec<Pace>,
    per_connection: u32,
}

/// A source's rate.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Messages a second.
    rate: f64,
    /// When it was cut last: refusals of what was sent before say nothing new.
    cut: Option<Ms>,
    /// When it was raised last.
    raised: Ms,
}

impl Aimd {
    pub(crate) fn new(sender: &Sender) -> Self {
        let per_connection = sender.ceiling.per_conn.unwrap_or(PER_CONNECTION).min(PER_CONNECTION);
        Self {
            backlog: Backlog::default(),
            gates: Gates::new(sender, Gate::paced(CONNECTIONS, gap_of(START))),
            paces: vec![Pace { rate: START, cut: None, raised: Ms(0) }; sender.ips.len()],
            per_connection,
        }
    }

    fn set(&mut self, source: Source, rate: f64) {
        self.paces[usize::from(source.0)].rate = rate;
        self.gates.of(source).gap = gap_of(rate);
    }
}

impl Script for Aimd {
    fn habits(&self) -> Habits {
        Habits { per_connection: self.per_connection, idle: IDLE }
    }

    fn arrived(&mut self, floor: &Floor<'_>, message: MessageNo) {
        self.backlog.arrived(message, floor.now());
    }

    fn heard(&mut self, floor: &mut Floor<'_>, heard: &Heard) {
        let now = floor.now();
        let pace = &mut self.paces[usize::from(heard.source.0)];
        let code = heard.reply.code();
        if code.is_success() {
            let passed = (now - pace.raised).min(Ms::from_s(1).max(gap_of(pace.rate)));
            pace.raised = now;
            let rate = pace.rate + RAISE * passed.as_s_f64();
            self.set(heard.source, rate);
        } else if code.is_transient()
            && !is_greylisting(heard)
            && pace.cut.is_none_or(|cut| heard.sent >= cut)
        {
            pace.cut = Some(now);
            let rate = (pace.rate * CUT).max(LEAST);
            self.set(heard.source, rate);
        }
        if heard.is_queued {
            self.backlog.put(heard.message, now + RETRY);
        }
    }

    fn expired(&mut self, message: MessageNo) {
        self.backlog.remove(message);
    }

    fn decide(&mut self, floor: &mut Floor<'_>) -> Option<Ms> {
        self.gates.drain(&mut self.backlog, floor)
    }
}

fn gap_of(rate: f64) -> Ms {
    Ms((1_000.0 / rate).round() as u64)
}

/// A greylist says nothing about the rate.
fn is_greylisting(heard: &Heard) -> bool {
    let text = heard.reply.text().to_ascii_lowercase();
    text.contains("greylist") || text.contains("graylist")
}
