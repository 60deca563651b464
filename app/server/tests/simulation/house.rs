//! The house in virtual time: clients, the committer, the reports, and what happens when the
//! program is killed. The engine is driven as the server drives it; the spool is the one in
//! memory, which makes durable what it is told to and when.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use postlane_engine::{Action, Engine, Input, Operator, Selection, SlotId, drive};
use postlane_mail::{
    BodyType, Envelope, Instant, Label, Mailbox, QueueId, QueueIdSource, Recipient, ReversePath,
    Shard, Span, Stream,
};
use postlane_spool::{
    Change, Changes, Commits, Inserted, Insertion, Kept, Memory, Seq, Store, StoreError, Ticket,
    Urgency,
};

use crate::dice::Dice;
use crate::hosts::Session;
use crate::laws::{Addressee, Laws};
use crate::plan::{Fault, Plan};
use crate::submission::{fresh, recovered, settings};

pub(crate) const START: Instant = Instant::from_unix_s(1_800_000_000);

/// Everything around the engine.
pub(crate) struct House {
    pub(crate) plan: Plan,
    pub(crate) now: Instant,
    pub(crate) dice: Dice,
    later: BTreeMap<(Instant, u64), Happening>,
    serial: u64,
    happened: u64,
    pub(crate) diary: String,
    ids: QueueIdSource,
    pub(crate) spool: Arc<Memory>,
    ear: Ear,
    /// Clients that wait for the answer to their dot.
    clients: Vec<Client>,
    /// The committer is about to write.
    commits: bool,
    batches: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) sessions: BTreeMap<SlotId, Session>,
    pub(crate) inputs: Vec<Input<()>>,
    pub(crate) laws: Laws,
    life: Life,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Runs,
    Crashed,
    Over,
}

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A client ends a message with its dot.
    Dot,
    /// The committer writes.
    Commit,
    /// The reports' thread comes to what it owes.
    Report(Changes),
    /// The engine is told.
    Told(Input<()>),
    /// A host has a whole message.
    AtHost(SlotId),
    /// A host's answer is there.
    Answer(SlotId),
    /// A connection is lost.
    Lost(SlotId),
    /// The engine hears that a session has ended.
    Closed(SlotId),
    /// An operator wants everything that waits to be tried now.
    Retry,
    /// The program is restarted after the disk failed.
    Restart,
}

struct Client {
    message: QueueId,
    recipients: u16,
    ticket: Ticket,
}

/// Hears what the spool says; nothing of it has reached anybody.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    inserted: Vec<Inserted>,
    committed: Option<Seq>,
    failed: bool,
}

impl Commits for Ear {
    fn inserted(&mut self, messages: Vec<Inserted>) {
        self.0.lock().inserted.extend(messages);
    }

    fn committed(&mut self, upto: Seq) {
        let mut heard = self.0.lock();
        assert!(heard.committed < Some(upto), "a batch was committed out of turn");
        heard.committed = Some(upto);
    }

    fn failed(&mut self, _: StoreError) {
        self.0.lock().failed = true;
    }
}

impl House {
    /// Runs a plan from its first message to its end, through all crashes.
    pub(crate) fn run(plan: Plan) -> Self {
        let mut house = Self::new(plan);
        let settings = Arc::new(settings());
        loop {
            let seed = house.dice.roll(u64::MAX);
            let mut engine = Engine::new(settings.clone(), seed);
            drive(&mut engine, &mut house);
            if !house.restart() {
                return house;
            }
        }
    }

    fn new(plan: Plan) -> Self {
        let ear = Ear::default();
        let mut house = Self {
            now: START,
            dice: Dice::new(!plan.seed),
            later: BTreeMap::new(),
            serial: 0,
            happened: 0,
            diary: String::new(),
            ids: QueueIdSource::new(Shard(0), None),
            spool: Arc::new(Memory::new(Kept::default(), ear.clone())),
            ear,
            clients: Vec::new(),
            commits: false,
            batches: 0,
            changes: Vec::new(),
            sessions: BTreeMap::new(),
            inputs: Vec::new(),
            laws: Laws::default(),
            life: Life::Runs,
            plan,
        };
        for _ in 0..house.plan.messages {
            let wait = Span(house.dice.roll(house.plan.arrive_within.0));
            house.after(wait, Happening::Dot);
        }
        for _ in 0..house.dice.roll(10) {
            let wait = Span(house.dice.roll(Span::from_h(24).0));
            house.after(wait, Happening::Retry);
        }
        house
    }

    /// Happenings so far.
    pub(crate) fn happened(&self) -> u64 {
        self.happened
    }

    pub(crate) fn after(&mut self, wait: Span, happening: Happening) {
        self.serial += 1;
        self.later.insert((self.now + wait, self.serial), happening);
    }

    /// After as long as a host takes to answer.
    pub(crate) fn soon(&mut self, happening: Happening) {
        let wait = 1 + self.dice.roll(self.plan.temper.latency_ms * 1000);
        self.after(Span(wait), happening);
    }

    pub(crate) fn next_id(&mut self) -> QueueId {
        self.ids.next(self.now)
    }

    pub(crate) fn note(&mut self, what: impl std::fmt::Debug) {
        writeln!(self.diary, "{} {what:?}", self.now.0).expect("a String takes what is written");
    }

    /// The next moment at which something happens, until the end.
    pub(crate) fn advance(&mut self, deadline: Option<Instant>) -> bool {
        let event = self.later.keys().next().map(|(at, _)| *at);
        let at = event.into_iter().chain(deadline).min();
        let end = START + self.plan.lasts;
        let Some(at) = at.filter(|at| *at <= end) else {
            self.now = end;
            self.life = Life::Over;
            return false;
        };
        self.now = self.now.max(at);
        true
    }

    /// Lets happen what is due. Not, if the program is killed meanwhile.
    pub(crate) fn go_on(&mut self) -> bool {
        while self.later.keys().next().is_some_and(|(at, _)| *at <= self.now) {
            let fault = self.plan.faults.get(&self.happened).copied();
            // What has happened before the disk fails has its effect before.
            if fault == Some(Fault::DiskFails) && !self.inputs.is_empty() {
                return true;
            }
            self.plan.faults.remove(&self.happened);
            self.happened += 1;
            if let Some(fault) = fault {
                self.suffer(fault);
            }
            if self.life != Life::Runs {
                return false;
            }
            let Some((_, happening)) = self.later.pop_first() else { break };
            self.happen(happening);
            if self.life != Life::Runs {
                return false;
            }
        }
        true
    }

    fn suffer(&mut self, fault: Fault) {
        self.note(fault);
        match fault {
            Fault::Crash => self.life = Life::Crashed,
            Fault::CrashUnheard => {
                let many = self.dice.roll(self.spool.waiting() as u64 + 1);
                self.spool.pump(many as usize);
                self.life = Life::Crashed;
            }
            Fault::DiskFails => {
                self.spool.fail();
                self.listen();
                let wait = Span::from_s(self.dice.roll(1800));
                self.after(wait, Happening::Restart);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Dot => self.dot(),
            Happening::Commit => {
                self.commits = false;
                self.answer_clients();
                // Now and then the disk is slow, and takes all that has gathered.
                let waiting = self.spool.waiting() as u64;
                let many = if self.dice.chance(20) { waiting } else { self.dice.roll(waiting + 1) };
                self.spool.pump(many as usize);
                self.listen();
                self.wake_committer();
            }
            Happening::Report(changes) => self.commit(changes),
            Happening::Told(input) => self.inputs.push(input),
            Happening::AtHost(slot) => self.at_host(slot),
            Happening::Answer(slot) => self.answered(slot),
            Happening::Lost(slot) => self.lost(slot),
            Happening::Closed(slot) => self.closed(slot),
            Happening::Retry => {
                let (action, selection) = (Action::Retry, Selection::default());
                self.inputs.push(Input::Operator(Operator { request: 0, action, selection }));
            }
            Happening::Restart => self.life = Life::Crashed,
        }
    }

    /// A client ends its message, and waits for the answer.
    fn dot(&mut self) {
        let message = self.next_id();
        let recipients = 1 + if self.dice.chance(30) { self.dice.roll(5) as u16 } else { 0 };
        let reverse_path = if self.dice.chance(10) {
            ReversePath::Null
        } else {
            ReversePath::Mailbox(mailbox(&mut self.dice))
        };
        let stream = Stream::ALL[self.dice.roll(3) as usize];
        let to = (0..recipients).map(|_| mailbox(&mut self.dice)).collect();
        let insertion = insertion(message, reverse_path, to, stream);
        self.note(&insertion);
        let ticket = self.spool.insert(insertion);
        self.clients.push(Client { message, recipients, ticket });
        self.wake_committer();
        self.answer_clients();
    }

    /// What is owed is queued as one batch, in the order of the calls.
    pub(crate) fn commit(&mut self, mut changes: Changes) {
        self.batches += 1;
        changes.seq = Seq(self.batches);
        self.note(&changes);
        self.spool.commit(changes);
        self.wake_committer();
    }

    /// What has gathered since the last turn goes out as one batch.
    pub(crate) fn flush(&mut self) {
        if !self.changes.is_empty() {
            let recipients = std::mem::take(&mut self.changes);
            let urgency = Urgency::Soon;
            self.commit(Changes { urgency, recipients, ..Changes::default() });
        }
    }

    fn wake_committer(&mut self) {
        if self.spool.waiting() > 0 && !self.commits {
            self.commits = true;
            let slow = if self.dice.chance(5) { 60_000_000 } else { 5_000 };
            let wait = Span(100 + self.dice.roll(slow));
            self.after(wait, Happening::Commit);
        }
    }

    /// What the spool has said reaches the engine and the clients.
    fn listen(&mut self) {
        let Heard { inserted, committed, failed } = std::mem::take(&mut *self.ear.0.lock());
        assert!(committed <= Some(Seq(self.batches)), "a batch was committed that never was");
        if !inserted.is_empty() {
            let submissions = inserted.iter().map(fresh).collect();
            for message in &inserted {
                let indices = 0..message.envelope.recipients.len() as u16;
                self.laws.submitted(&Addressee::of(message.id, indices));
            }
            self.inputs.push(Input::Submitted(submissions));
        }
        if failed {
            self.inputs.push(Input::StoreFailed);
            self.laws.store_failed();
        }
        self.answer_clients();
    }

    /// 250 to everybody whose ticket has come true, if that is so.
    fn answer_clients(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for mut client in std::mem::take(&mut self.clients) {
            match Pin::new(&mut client.ticket).poll(&mut context) {
                Poll::Pending => self.clients.push(client),
                Poll::Ready(Ok(place)) => {
                    let Client { message, recipients, .. } = client;
                    let kept = self.spool.kept().recovered();
                    let is_kept = kept.iter().any(|m| {
                        m.id == message
                            && m.place == place
                            && m.recipients.len() == usize::from(recipients)
                    });
                    assert!(is_kept, "{message} is answered 250 and not durable");
                    self.note(("250", message));
                    self.laws.accepted(Addressee::of(message, 0..recipients));
                }
                Poll::Ready(Err(error)) => self.note(("451", client.message, error)),
            }
        }
    }

    /// What is left when the program is gone, and another begins with it. Not after the end.
    fn restart(&mut self) -> bool {
        // What is on the wire when we die may yet arrive.
        for slot in self.sessions.keys().copied().collect::<Vec<_>>() {
            if self.dice.chance(50) {
                self.at_host(slot);
            }
        }
        let kept = self.spool.kept();
        let messages = kept.recovered();
        self.note(("the spool has", &messages));
        self.laws.crashed(&messages);
        if self.life == Life::Over {
            return false;
        }
        self.later.retain(|_, happening| matches!(happening, Happening::Dot | Happening::Retry));
        self.sessions.clear();
        self.clients.clear();
        self.changes.clear();
        self.inputs.clear();
        self.commits = false;
        self.batches = 0;
        self.ear = Ear::default();
        self.spool = Arc::new(Memory::new(kept, self.ear.clone()));
        self.life = Life::Runs;
        for message in &messages {
            let indices = message.recipients.iter().map(|(index, _)| *index);
            self.laws.submitted(&Addressee::of(message.id, indices));
        }
        let submissions = messages.iter().map(recovered).collect();
        self.after(Span::ZERO, Happening::Told(Input::Submitted(submissions)));
        true
    }
}

/// Somebody at one of twenty domains.
fn mailbox(dice: &mut Dice) -> Mailbox {
    let (who, domain) = (dice.roll(1000), dice.roll(20));
    Mailbox::parse(&format!("a{who}@d{domain}.example")).expect("a mailbox")
}

/// A message for the spool.
pub(crate) fn insertion(
    id: QueueId,
    reverse_path: ReversePath,
    recipients: Vec<Mailbox>,
    stream: Stream,
) -> Insertion {
    let envelope = Envelope {
        reverse_path,
        recipients: recipients.into_iter().map(Recipient::new).collect(),
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream,
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    let message = format!("X-Queue-Id: {id}\r\n\r\n").into_bytes();
    let message = vec![message.into()];
    Insertion { id, envelope: Arc::new(envelope), facts: [].into(), message, tag: 0 }
}
