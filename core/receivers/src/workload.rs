//! What there is to send: every message of a run, in the order of arrival. It depends on the
//! scenario and the seed alone, never on how mail is sent.

use postlane_mail::{Chance, Label, Stream};

use crate::chance::{Purpose, stream, wait};
use crate::ms::Ms;
use crate::receiver::Addressee;
use crate::scenario::{Mail, Quantity, Scenario};

/// All messages of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// In the order of arrival; a message's number is its place here.
    pub arrivals: Vec<Arrival>,
}

/// A message that arrives to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// When.
    pub at: Ms,
    /// Its number in the run, from 0.
    pub id: u32,
    /// How urgent it is.
    pub stream: Stream,
    /// Whose mail it is.
    pub tenant: Label,
    /// Which campaign it belongs to.
    pub campaign: Label,
    /// Whom it is for.
    pub to: Addressee,
    /// How long it is wanted; `None`: to the end of the run.
    pub max_age: Option<Ms>,
}

impl Workload {
    /// The messages of the run with this seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut arrivals = Vec::new();
        let mut next_rcpt = 0;
        for (mail, number) in scenario.mail.iter().zip(0..) {
            let chance = stream(seed, Purpose::Workload, number);
            block(mail, chance, &mut next_rcpt, &mut arrivals);
        }
        // Stable: what arrives together keeps the order of the file.
        arrivals.sort_by_key(|arrival| arrival.at);
        for (arrival, id) in arrivals.iter_mut().zip(0..) {
            arrival.id = id;
        }
        Self { arrivals }
    }

    /// How many messages of a stream arrive in `(after, to]`.
    pub fn count_between(&self, stream: Stream, after: Ms, to: Ms) -> usize {
        let first = self.arrivals.partition_point(|arrival| arrival.at <= after);
        let end = self.arrivals.partition_point(|arrival| arrival.at <= to);
        let between = self.arrivals.get(first..end).unwrap_or_default();
        between.iter().filter(|arrival| arrival.stream == stream).count()
    }
}

fn block(mail: &Mail, mut chance: Chance, next_rcpt: &mut u32, arrivals: &mut Vec<Arrival>) {
    let times = times(mail.quantity, &mut chance);
    let unknown = (times.len() as f64 * mail.unknown).round() as usize;
    let mut recipients = Recipients::of(mail, next_rcpt, times.len());
    // Selection sampling: exactly so many, each set equally likely (Knuth, TAOCP 2, 3.4.2).
    let (mut left, mut wanted) = (times.len(), unknown);
    for at in times {
        let is_unknown = chance.below(left as u64) < wanted as u64;
        left -= 1;
        wanted -= usize::from(is_unknown);
        let to = Addressee { number: recipients.draw(&mut chance, is_unknown), known: !is_unknown };
        arrivals.push(Arrival {
            at,
            id: 0,
            stream: mail.stream,
            tenant: mail.tenant.clone(),
            campaign: mail.campaign.clone(),
            to,
            max_age: mail.max_age,
        });
    }
}

fn times(quantity: Quantity, chance: &mut Chance) -> Vec<Ms> {
    match quantity {
        Quantity::Batch { count, at } => vec![at; count as usize],
        Quantity::Stream { rate, from, to } => {
            let mut times = Vec::new();
            let mut at = from.0 as f64;
            loop {
                at += wait(chance, rate.per_ms());
                if at >= to.0 as f64 {
                    return times;
                }
                times.push(Ms(at as u64));
            }
        }
    }
}

/// Where recipients come from: everybody new, or a pool, of which some do not exist.
enum Recipients {
    New { next: u32 },
    Pool { first: u32, known: u32, all: u32 },
}

impl Recipients {
    fn of(mail: &Mail, next_rcpt: &mut u32, messages: usize) -> Self {
        let first = *next_rcpt;
        match mail.unique_rcpts {
            None => {
                *next_rcpt = first.saturating_add(messages as u32);
                Self::New { next: first }
            }
            Some(all) => {
                *next_rcpt = first.saturating_add(all);
                let unknown = (f64::from(all) * mail.unknown).round() as u32;
                Self::Pool { first, known: all - unknown.min(all), all }
            }
        }
    }

    fn draw(&mut self, chance: &mut Chance, is_unknown: bool) -> u32 {
        match self {
            Self::New { next } => {
                let number = *next;
                *next = next.saturating_add(1);
                number
            }
            // A share of a small pool may be nobody: then all of it is drawn from.
            Self::Pool { first, known, all } => {
                let (from, to) = if is_unknown { (*known, *all) } else { (0, *known) };
                let (from, to) = if from < to { (from, to) } else { (0, *all) };
                first.saturating_add(from + chance.below(u64::from(to - from)) as u32)
            }
        }
    }
}
