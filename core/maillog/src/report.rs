//! What a log says, provider by provider: figures, for whoever prints them.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Span};
use postlane_replies::Label;

use crate::format::Format;
use crate::refusal::Refusal;
use crate::series::Moment;
use crate::slots::Slot;
use crate::storm::Storm;

/// What all files together say.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Files that were read.
    pub files: u64,
    /// Lines in them.
    pub lines: u64,
    /// Lines that are broken or of another kind of log.
    pub bad_lines: u64,
    /// The first lines that could not be read, for whoever wonders.
    pub bad_examples: Vec<Box<str>>,
    /// Octets that were read.
    pub octets: u64,
    /// What the files were taken for; empty if nothing could be read.
    pub formats: Vec<Format>,
    /// The first and the last moment of an attempt.
    pub from: Option<Instant>,
    /// The last.
    pub to: Option<Instant>,
    /// How long a slot of the counts is, in seconds.
    pub slot_s: u32,
    /// Recipients that waited and were forgotten for there were too many: their next try counts
    /// as a first one.
    pub evicted: u64,
    /// Recipients that still wait at the end.
    pub waiting: u64,
    /// Providers, those with most tries first.
    pub providers: Vec<ProviderFigures>,
    /// The latest refusals of the provider that was asked for, in the order of the log.
    pub refusals: Vec<Refusal>,
}

/// What one provider took and refused. Counts are of recipients.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderFigures {
    /// Its id; `others` for all that came when there were too many.
    pub id: Box<str>,
    /// Its name as people write it.
    pub name: Box<str>,
    /// Whether it is in the table of providers.
    pub is_known: bool,
    /// Taken.
    pub accepted: u64,
    /// Put off, each try counted.
    pub deferred: u64,
    /// Refused for good.
    pub bounced: u64,
    /// Given up after waiting too long.
    pub expired: u64,
    /// Put off by the sending program without a try, as Postfix does while a destination rests.
    pub suspended: u64,
    /// Sessions that a host turned away before the next host was asked.
    pub hosts_refused: u64,
    /// Recipients that were tried for the first time.
    pub first_attempts: u64,
    /// Those of them that were taken at once.
    pub first_accepted: u64,
    /// Tries that were refused for their rate, of first attempts and of retries.
    pub paced_first: u64,
    /// Of retries.
    pub paced_again: u64,
    /// Recipients that still wait at the end.
    pub waiting: u64,
    /// How old the oldest message was that was tried.
    pub oldest: Span,
    /// What refusals meant, each try counted.
    pub labels: BTreeMap<Label, u64>,
    /// The window and quota that the provider's words tell, with how often they did.
    pub told_limit: Option<(Option<Span>, Option<u32>, u64)>,
    /// What was said most.
    pub top_replies: Vec<TopReply>,
    /// Retry storms.
    pub storms: Vec<Storm>,
    /// Who sent, those with most tries first.
    pub sources: Vec<SourceFigures>,
    /// MX hosts by their tries: accepted, and refused.
    pub hosts: Vec<(Box<str>, u64, u64)>,
    /// Recipient domains by their tries.
    pub domains: Vec<(Box<str>, u64)>,
    /// What happened when, over all sources.
    pub moments: Vec<Moment>,
    /// How long a moment is, in seconds.
    pub step_s: u32,
}

impl ProviderFigures {
    /// Tries: recipients that a host said something about, or that it could not be asked about.
    pub fn attempts(&self) -> u64 {
        self.accepted + self.deferred + self.bounced
    }

    /// The share of first attempts that were taken, 0 to 1; `None` without any.
    pub fn first_attempt_share(&self) -> Option<f64> {
        (self.first_attempts > 0).then(|| self.first_accepted as f64 / self.first_attempts as f64)
    }

    /// Tries for each recipient that was taken; `None` if none was.
    pub fn attempts_per_accepted(&self) -> Option<f64> {
        (self.accepted > 0).then(|| self.attempts() as f64 / self.accepted as f64)
    }

    /// Tries that were refused for their rate, or for a bad name that passes.
    pub fn paced(&self) -> u64 {
        self.paced_first + self.paced_again
    }
}

/// What one source sent to a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFigures {
    /// The machine's name, and the instance's or transport's if the log names one.
    pub name: Box<str>,
    /// Taken.
    pub accepted: u64,
    /// Tries.
    pub attempts: u64,
    /// Recipients that were tried for the first time.
    pub first_attempts: u64,
    /// Those of them that were taken at once.
    pub first_accepted: u64,
    /// Tries that were refused for their rate.
    pub paced: u64,
    /// What happened when.
    pub moments: Vec<Moment>,
    /// How long a moment is, in seconds.
    pub step_s: u32,
    /// What came of how many, slot by slot.
    pub slots: Vec<Slot>,
}

/// Replies that differ in numbers and names alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopReply {
    /// One of them, verbatim.
    pub text: Box<str>,
    /// Its code; `None` for the sending program's own words.
    pub code: Option<u16>,
    /// What it means.
    pub label: Label,
    /// The rule that said so.
    pub rule: Option<Box<str>>,
    /// How often it was said.
    pub count: u64,
    /// When first.
    pub first: Instant,
    /// When last.
    pub last: Instant,
}
