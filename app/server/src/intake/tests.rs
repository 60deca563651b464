//! A client hears 250 when its message is durable, and not before.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use postlane_mail::{Envelope, Mailbox, QueueIdSource, Recipient, ReversePath, Shard, Stream};
use postlane_net::dns::{NameServers, Resolver, ResolverSettings};
use postlane_net::listener::Intake as _;
use postlane_smtp::server::{Standing, Submission, Verdict};
use postlane_spool::{Commits, Inserted, Kept, Memory, Seq, StoreError};
use tokio::sync::watch;

use super::*;
use crate::config::{Config, Overrides};
use crate::engine::submitting::Awaited;
use crate::ground::secret::HouseSecret;
use crate::identity::tester::{NewTest, Tester};
use crate::outcome::suppression::{Teller, Writing};
use crate::setup::Setup;

/// Nobody who hears what the spool says.
struct Nobody;

impl Commits for Nobody {
    fn inserted(&mut self, _: Vec<Inserted>) {}
    fn committed(&mut self, _: Seq) {}
    fn failed(&mut self, _: StoreError) {}
}

pub(crate) fn spool() -> Arc<Memory> {
    Arc::new(Memory::new(Kept::default(), Nobody))
}

pub(crate) fn door(store: &Arc<Memory>) -> Door {
    door_of(store, &Overrides::default())
}

fn door_of(store: &Arc<Memory>, overrides: &Overrides) -> Door {
    let text = "[relay]\nhostname = \"relay.example\"\n[tester]\ndomain = \"tests.example\"\n";
    let setup = Setup::of(&Config::parse(text, None, overrides).unwrap());
    let rights = HouseRights::new(&setup, &HouseSecret([7; 32]));
    let (clock, journal, events) = (setup.clock, Journal::start(&setup.log), Events::new());
    let live = Live(watch::Sender::new(Arc::new(setup)).subscribe());
    let writing = Writing {
        store: store.clone(),
        awaited: Awaited::default(),
        list: Suppressions::new(),
        teller: Teller {
            journal: journal.clone(),
            events: events.clone(),
            history: History::none(),
            live: live.clone(),
        },
        live: live.clone(),
        counters: Arc::default(),
    };
    let intake = Intake {
        logins: Default::default(),
        clock,
        journal,
        live,
        store: store.clone(),
        cache: Arc::new(Cache::new(1 << 20)),
        ids: Mutex::new(QueueIdSource::new(Shard(0), None)),
        counters: Arc::default(),
        on_its_way: OnItsWay::default(),
        rights: watch::Sender::new(Arc::new(rights)).subscribe(),
        events,
        history: History::none(),
        meanings: Meanings::built_in(),
        suppressions: Suppressions::new(),
        writing,
    };
    Door { intake: Arc::new(intake), tester: None }
}

pub(crate) fn submission() -> Submission {
    let mailbox = |text| Mailbox::parse(text).unwrap();
    let envelope = Envelope {
        reverse_path: ReversePath::Mailbox(mailbox("app@example.com")),
        recipients: vec![Recipient::new(mailbox("jo@example.net"))],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::Engaged,
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    Submission {
        envelope,
        message: b"Subject: hello\r\n\r\nhi\r\n".to_vec(),
        helo: "app.example".into(),
        protocol: "ESMTP",
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        tls: None,
        standing: Standing::Neighbour,
        transcript: None,
    }
}

/// A submission as the spool takes it.
pub(crate) fn insertion_of(submission: Submission) -> Insertion {
    let id = QueueIdSource::new(Shard(0), None).next(Instant::from_unix_s(1_795_239_600));
    let envelope = Arc::new(submission.envelope);
    let message = vec![submission.message.into()];
    Insertion { id, envelope, facts: Box::default(), message, tag: 0 }
}

fn code(verdict: &Poll<Verdict>) -> Option<u16> {
    match verdict {
        Poll::Ready(Verdict::Refused(refusal)) => Some(refusal.code.number()),
        Poll::Ready(Verdict::Accepted(_) | Verdict::Kept(_)) => Some(250),
        Poll::Pending => None,
    }
}

#[test]
fn a_250_is_said_when_the_message_is_durable_and_not_before() {
    let store = spool();
    let door = door(&store);
    let mut context = Context::from_waker(Waker::noop());
    let mut answer = pin!(door.submit(submission()));
    for _ in 0..3 {
        assert_eq!(code(&answer.as_mut().poll(&mut context)), None);
    }
    assert_eq!(store.waiting(), 1);
    store.pump(1);
    let Poll::Ready(Verdict::Accepted(id)) = answer.as_mut().poll(&mut context) else {
        panic!("it is durable")
    };
    let kept = store.kept().recovered();
    assert_eq!((kept.len(), kept[0].id), (1, id));
}

#[test]
fn a_disk_that_fails_gives_no_250_and_takes_nothing_more() {
    let store = spool();
    let door = door(&store);
    let mut context = Context::from_waker(Waker::noop());
    let mut before = pin!(door.submit(submission()));
    assert_eq!(code(&before.as_mut().poll(&mut context)), None);
    store.fail();
    assert_eq!(code(&before.as_mut().poll(&mut context)), Some(451));
    let mut behind = pin!(door.submit(submission()));
    assert_eq!(code(&behind.as_mut().poll(&mut context)), Some(451));
    assert!(store.kept().recovered().is_empty());
}

/// What an operator finds of mail to our desks.
fn on_the_desk(data: &Path) -> usize {
    std::fs::read_dir(data.join("postmaster")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn what_is_put_off_leaves_nothing_on_our_desks_and_comes_there_once_when_it_is_taken() {
    let data = tempfile::tempdir().unwrap();
    let overrides = Overrides { data: Some(data.path().to_owned()), ..Overrides::default() };
    let both = || {
        let mut submission = submission();
        let desk = Mailbox::parse("postmaster@relay.example").unwrap();
        submission.envelope.recipients.push(Recipient::new(desk));
        submission
    };
    let store = spool();
    store.fail();
    let refused = door_of(&store, &overrides).submit(both()).await;
    assert_eq!(code(&Poll::Ready(refused)), Some(451));
    assert_eq!(on_the_desk(data.path()), 0);
    let store = spool();
    let door = door_of(&store, &overrides);
    let taken = tokio::spawn(async move { door.submit(both()).await });
    while store.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(kept_messages(data.path()), 1, "it has its room before it is promised");
    store.pump(1);
    assert_eq!(code(&Poll::Ready(taken.await.unwrap())), Some(250));
    assert_eq!(store.kept().recovered()[0].envelope.recipients.len(), 1);
    let desk = std::fs::read_dir(data.path().join("postmaster")).unwrap();
    let names: Vec<_> = desk.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() == 1 && names[0].to_str().unwrap().ends_with(".eml"), "{names:?}");
}

#[tokio::test]
async fn a_test_beside_other_mail_is_kept_once_however_often_its_client_is_put_off() {
    let data = tempfile::tempdir().unwrap();
    let overrides = Overrides { data: Some(data.path().to_owned()), ..Overrides::default() };
    let door = door_of(&spool(), &overrides);
    let (live, journal) = (&door.intake.live, &door.intake.journal);
    let setup = live.borrow().clone();
    let nobody = NameServers::given(vec!["127.0.0.1:9".parse().unwrap()]).unwrap();
    let resolver = Resolver::new(&nobody, ResolverSettings::default());
    let tester = Tester::start(&setup, live, &HouseSecret([7; 32]), journal, resolver).unwrap();
    let made = tester.make(NewTest { by: "jo".to_owned(), ..NewTest::default() }).await.unwrap();
    let messages = || tester.of(made.test.id, &Label::NONE).unwrap().messages.len();
    for put_off in [true, true, false] {
        let store = spool();
        let mut door = door_of(&store, &overrides);
        door.tester = Some(tester.clone());
        let mut both = submission();
        both.envelope.recipients.push(Recipient::new(Mailbox::parse(&made.address).unwrap()));
        if put_off {
            store.fail();
            assert_eq!(code(&Poll::Ready(door.submit(both).await)), Some(451));
            assert_eq!(messages(), 0);
            continue;
        }
        let taken = tokio::spawn(async move { door.submit(both).await });
        while store.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        store.pump(1);
        assert_eq!(code(&Poll::Ready(taken.await.unwrap())), Some(250));
        assert_eq!(messages(), 1);
    }
    let files = std::fs::read_dir(data.path().join("tests").join(made.test.id.to_string()));
    let names: Vec<_> = files.unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().filter(|name| name.to_str().unwrap().contains(".mail")).count() == 1);
    assert!(names.iter().any(|name| name == "1.mail"), "{names:?}");
}
