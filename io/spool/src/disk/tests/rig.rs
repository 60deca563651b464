//! A store without threads: it writes when it is told to, and time passes when it is told to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_mail::{
    BodyType, Code, Envelope, Label, LastReply, Mailbox, Progress, QueueId, Recipient, Reply,
    ReversePath, Stage, Stream,
};

use super::super::chores::Chores;
use super::super::committer::Committer;
use super::super::faulty::Faulty;
use super::super::recovery::{Opening, Report};
use super::super::shared::Until;
use super::super::{Disk, OpenError, Settings};
use crate::error::StoreError;
use crate::recovered::Recovered;
use crate::store::{Commits, Inserted, Insertion, Seq};

/// Segments so small that every test has several of them.
pub(super) const SETTINGS: Settings = Settings {
    segment_octets: 4096,
    free_octets_min: 0,
    free_percent_min: 0,
    reserve_octets: 0,
    backlog_octets_max: 64 << 20,
};

/// What the store has said.
#[derive(Clone, Default)]
pub(super) struct Ear(pub(super) Arc<Mutex<Heard>>);

#[derive(Default)]
pub(super) struct Heard {
    pub(super) inserted: Vec<Inserted>,
    pub(super) upto: Seq,
    pub(super) failed: Option<StoreError>,
    /// Whether the disk was full, each time that was told.
    pub(super) full: Vec<bool>,
}

impl Commits for Ear {
    fn inserted(&mut self, messages: Vec<Inserted>) {
        self.0.lock().inserted.extend(messages);
    }

    fn committed(&mut self, upto: Seq) {
        self.0.lock().upto = upto;
    }

    fn filled(&mut self, is_full: bool) {
        self.0.lock().full.push(is_full);
    }

    fn failed(&mut self, error: StoreError) {
        self.0.lock().failed = Some(error);
    }
}

/// A store, its committer in hand.
pub(super) struct Rig {
    pub(super) disk: Disk,
    pub(super) ear: Ear,
    committer: Committer,
    now: Instant,
}

/// A store that has been opened, and what was in it.
pub(super) struct Opened {
    pub(super) rig: Rig,
    pub(super) recovered: Vec<Recovered>,
    pub(super) report: Report,
}

impl Rig {
    pub(super) fn open(volume: &Faulty, settings: Settings) -> Result<Opened, OpenError> {
        let ear = Ear::default();
        let volume = Arc::new(volume.clone());
        let chores = Chores::at_once(volume.clone());
        let opening = Opening { volume, settings, commits: Box::new(ear.clone()), chores };
        let (shared, committer, recovery) = opening.open(Path::new("spool"))?;
        let report = recovery.report.clone();
        let all = Mutex::new(Vec::new());
        assert_eq!(recovery.drain(|batch| all.lock().extend(batch)), []);
        let disk = Disk { shared, committer: Mutex::new(None) };
        let rig = Self { disk, ear, committer, now: Instant::now() };
        Ok(Opened { rig, recovered: all.into_inner(), report })
    }

    /// The committer does what it does at once, and 7 ms pass.
    pub(super) fn step(&mut self) {
        let (requests, _) = self.disk.shared.take(Until::Now);
        if self.ear.0.lock().failed.is_some() {
            return;
        }
        self.now += Duration::from_millis(7);
        if let Err(error) = self.committer.step(requests, self.now) {
            self.committer.fail(&error);
        }
    }

    /// Whether the committer does nothing more by itself.
    pub(super) fn sleeps_until_something(&self) -> bool {
        matches!(self.committer.until(), Until::Something)
    }

    /// Closes it as at an orderly end.
    pub(super) fn end(mut self) -> Result<(), StoreError> {
        self.step();
        self.committer.end()
    }

    /// Time passes.
    pub(super) fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// Records and octets written so far.
    pub(super) fn written(&self) -> (u64, u64) {
        let tally = self.disk.tally();
        (tally.records.load(Ordering::Relaxed), tally.octets.load(Ordering::Relaxed))
    }
}

fn envelope(recipients: u16) -> Envelope {
    let address = |n| Mailbox::parse(&format!("r{n}@example.net")).unwrap();
    Envelope {
        reverse_path: ReversePath::parse("sender@example.com").unwrap(),
        recipients: (0..recipients).map(|n| Recipient::new(address(n))).collect(),
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::Engaged,
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    }
}

pub(super) fn id(number: u64) -> QueueId {
    QueueId::from_bits(number << 8)
}

pub(super) fn text(number: u64, octets: usize) -> Vec<u8> {
    (0..octets).map(|at| b'a' + ((at as u64 + number) % 26) as u8).collect()
}

pub(super) fn message(number: u64, recipients: u16, octets: usize) -> Insertion {
    Insertion {
        id: id(number),
        envelope: Arc::new(envelope(recipients)),
        facts: Box::from(*b"f"),
        message: vec![text(number, octets).into()],
        tag: octets as u64,
    }
}

pub(super) fn progress(attempts: u16) -> Progress {
    Progress { attempts, due: postlane_mail::Instant(attempts.into()), ..Progress::default() }
}

pub(super) fn reply(attempts: u16) -> LastReply {
    LastReply {
        stage: Stage::Dot,
        reply: Reply::new(Code::new(450).unwrap(), format!("4.2.0 try {attempts}")),
        host: "mx.example.net".into(),
        at: postlane_mail::Instant(attempts.into()),
    }
}

/// Recipients that are not done, and how far each has come.
pub(super) fn shape(recovered: &[Recovered]) -> BTreeMap<QueueId, BTreeMap<u16, Progress>> {
    let each = recovered.iter().map(|r| (r.id, r.recipients.iter().copied().collect()));
    let shape: BTreeMap<_, _> = each.collect();
    assert_eq!(shape.len(), recovered.len(), "a message comes back twice");
    shape
}
