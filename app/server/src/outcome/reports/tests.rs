//! That whoever is owed a report hears, whatever becomes of the message it is about.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use postlane_net::listener::Intake as _;
use postlane_spool::{Memory, Ticket, Usage};

use super::*;
use crate::intake::tests::{door, spool, submission};

/// A spool that now and then cannot be read.
struct Mute {
    store: Arc<Memory>,
    message: AtomicBool,
    head: AtomicBool,
    /// Whoever reads a message breaks.
    breaks: AtomicBool,
}

impl Store for Mute {
    fn insert(&self, insertion: Insertion) -> Ticket {
        self.store.insert(insertion)
    }

    fn commit(&self, changes: Changes) {
        self.store.commit(changes);
    }

    fn read(&self, place: Place) -> Result<Stored, StoreError> {
        assert!(!self.breaks.load(Ordering::Relaxed), "a fault of ours");
        match self.message.load(Ordering::Relaxed) {
            true => Err(StoreError::Io("read: no answer".to_owned())),
            false => self.store.read(place),
        }
    }

    fn read_head(&self, place: Place) -> Result<Stored, StoreError> {
        match self.head.load(Ordering::Relaxed) {
            true => Err(StoreError::Io("read: no answer".to_owned())),
            false => self.store.read_head(place),
        }
    }

    fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        self.store.progress(place)
    }

    fn usage(&self) -> Usage {
        self.store.usage()
    }

    fn is_full(&self) -> bool {
        self.store.is_full()
    }
}

/// A spool with one message, what writes its reports, and what is owed of it.
fn given_up() -> (Arc<Mute>, Reports, Owed) {
    let kept = spool();
    let door = door(&kept);
    let mut context = Context::from_waker(Waker::noop());
    let mut answer = pin!(door.submit(submission()));
    assert!(Future::poll(answer.as_mut(), &mut context).is_pending());
    kept.pump(1);
    let recovered = kept.kept().recovered();
    let (message, place) = (recovered[0].id, recovered[0].place);
    let (store, intake) = (kept, door.intake.clone());
    let store =
        Arc::new(Mute { store, message: false.into(), head: false.into(), breaks: false.into() });
    let reports = Reports {
        store: store.clone(),
        intake: intake.clone(),
        live: intake.live.clone(),
        names: Arc::new(Names::new()),
        failures: Failures::default(),
        unreached: Unreached::default(),
        awaited: Awaited::default(),
        counters: intake.counters.clone(),
        journal: intake.journal.clone(),
        events: intake.events.clone(),
        history: History::none(),
    };
    let owed = Owed {
        now: intake.clock.now(),
        message,
        place,
        recipients: SmallVec::from_iter([(0, Fate::Ended(End::BouncedByOperator))]),
        evidence: Evidence::default(),
        standing: Standing { attempts_before: 1, provider: None },
    };
    (store, reports, owed)
}

/// What is in the spool when all is durable: to whom each message goes.
fn waits(store: &Memory) -> Vec<String> {
    store.pump(usize::MAX);
    let all = store.kept().recovered();
    all.iter().map(|one| one.envelope.recipients[0].mailbox.as_str().to_owned()).collect()
}

#[test]
fn of_a_message_whose_octets_are_lost_its_sender_still_hears() {
    let (store, reports, owed) = given_up();
    store.message.store(true, Ordering::Relaxed);
    assert!(reports.settle(owed).is_none());
    assert_eq!(waits(&store.store), ["app@example.com"]);
    let place = store.store.kept().recovered()[0].place;
    let report = store.store.read(place).unwrap().message;
    let text = String::from_utf8_lossy(&report);
    assert!(text.contains("Final-Recipient: rfc822; jo@example.net"), "{text}");
    assert!(text.contains("cannot be read any more"), "{text}");
}

#[test]
fn where_nothing_can_be_read_nothing_is_over_and_it_is_tried_again() {
    let (store, reports, owed) = given_up();
    store.message.store(true, Ordering::Relaxed);
    store.head.store(true, Ordering::Relaxed);
    let again = reports.settle(owed).expect("the disk may answer later");
    // A restart finds it as it was.
    assert_eq!(waits(&store.store), ["jo@example.net"]);
    let again = reports.settle(again).expect("it does not yet");
    store.message.store(false, Ordering::Relaxed);
    assert!(reports.settle(again).is_none());
    assert_eq!(waits(&store.store), ["app@example.com"]);
}

#[test]
fn a_fault_over_one_report_ends_no_thread_and_keeps_what_was_delivered_and_what_was_given_up_apart()
{
    for (fate, is_over) in
        [(Fate::Ended(End::BouncedByOperator), false), (Fate::Ended(End::Delivered), true)]
    {
        let (store, reports, mut owed) = given_up();
        owed.recipients = SmallVec::from_iter([(0, fate)]);
        store.breaks.store(true, Ordering::Relaxed);
        assert!(reports.settle(owed).is_none());
        assert_eq!(waits(&store.store).is_empty(), is_over, "what was delivered is not sent again");
    }
}
