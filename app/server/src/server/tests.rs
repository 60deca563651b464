//! A fault of ours over one message, with the engine and all that is around it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant as Moment};

use postlane_engine::{Action, Fate, Operator, Selection};
use postlane_mail::{LastReply, Place, Progress};
use postlane_spool::{Changes, Insertion, Memory, Store, StoreError, Stored, Ticket, Usage};

use super::*;
use crate::config::{Config, Overrides};
use crate::ground::registry::registry_path;
use crate::ground::secret::HouseSecret;
use crate::intake::tests::{insertion_of, spool, submission};
use crate::outbound::Outbound;
use crate::outbound::faults::why_broken;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A spool that breaks whoever reads a message, and tells what it is to keep of recipients.
struct Breaking(Arc<Memory>, mpsc::Sender<postlane_spool::Fate>);

impl Store for Breaking {
    fn insert(&self, insertion: Insertion) -> Ticket {
        self.0.insert(insertion)
    }

    fn commit(&self, changes: Changes) {
        for change in &changes.recipients {
            self.1.send(change.fate.clone()).unwrap();
        }
        self.0.commit(changes);
    }

    fn read(&self, _: Place) -> Result<Stored, StoreError> {
        panic!("a fault of ours")
    }

    fn read_head(&self, place: Place) -> Result<Stored, StoreError> {
        self.0.read_head(place)
    }

    fn progress(
        &self,
        place: Place,
    ) -> Result<Vec<(u16, Progress, Option<LastReply>)>, StoreError> {
        self.0.progress(place)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }

    fn is_full(&self) -> bool {
        self.0.is_full()
    }
}

/// A host that greets whoever calls, and hears them to their end.
pub(crate) fn greeting_host() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.write_all(b"220 mx.example.net\r\n").unwrap();
            let mut heard = BufReader::new(stream.try_clone().unwrap()).lines();
            heard.next().unwrap().unwrap();
            stream.write_all(b"250 mx.example.net\r\n").unwrap();
            heard.for_each(drop);
        }
    });
    address
}

fn fittings(data: &Path, text: &str) -> (Setup, Fittings) {
    let overrides = Overrides { data: Some(data.to_owned()), ..Overrides::default() };
    let text = format!("[relay]\nhostname = \"relay.example\"\n{text}");
    let setup = Setup::of(&Config::parse(&text, None, &overrides).unwrap());
    let live = Live(watch::Sender::new(Arc::new(setup.clone())).subscribe());
    (setup, Fittings::new(live, &Registry::begin(&registry_path(data)).unwrap()).unwrap())
}

fn rights(setup: &Setup) -> watch::Receiver<Arc<HouseRights>> {
    watch::Sender::new(Arc::new(HouseRights::new(setup, &HouseSecret([7; 32])))).subscribe()
}

/// Sessions with hosts, without an engine.
pub(crate) fn outbound(data: &Path, store: Arc<dyn Store>) -> Outbound {
    let (setup, fittings) = fittings(data, "");
    fittings.outbound(store, rights(&setup))
}

/// What the spool keeps of an attempt that broke: why, in words an operator reads.
fn said(kept: &mpsc::Receiver<postlane_spool::Fate>) -> String {
    let fate = kept.recv_timeout(PATIENCE).expect("the attempt is over");
    let postlane_spool::Fate::Waiting(_, Some(last)) = &fate else { panic!("{fate:?}") };
    why_broken(last).expect("it says so").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_that_breaks_attempts_is_tried_three_times_and_held_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let route = format!("[[route]]\npattern = \"*\"\nto = \"{}\"\n", greeting_host());
    let (setup, fittings) = fittings(data.path(), &route);
    let kept = spool();
    let ticket = kept.insert(insertion_of(submission()));
    kept.pump(1);
    ticket.await.unwrap();
    let (tells, told) = mpsc::channel();
    let store: Arc<dyn Store> = Arc::new(Breaking(kept.clone(), tells));
    let (answers, mailbox) = (Answers::default(), fittings.mailbox.clone());
    let around = Around::new(
        setup.clock,
        mailbox.clone(),
        fittings.routing(&setup, Vec::new()).unwrap(),
        fittings.outbound(store.clone(), rights(&setup)),
        fittings.settling(store, &answers),
        answers,
    );
    let engine = Engine::new(Arc::new(engine_settings(&setup, &fittings.names)), setup.seed);
    let engine = thread::spawn(move || around.run(engine));
    let recovered = kept.kept().recovered();
    let submitting = fittings.submitting();
    submitting.tell(recovered.iter().map(|message| submitting.recovered(message)));
    let order = |action| {
        let selection = Selection { ids: Some(vec![recovered[0].id]), ..Selection::default() };
        mailbox.tell(Input::Operator(Operator { request: 0, action, selection }));
    };
    let until_held = || {
        let (mut fates, until) = (Vec::new(), Moment::now() + PATIENCE);
        while Moment::now() < until && !matches!(fates.last(), Some(Fate::Held(_))) {
            let mut owed = Vec::new();
            fittings.owed.take(&mut owed, Some(until));
            fates.extend(owed.into_iter().flat_map(|owed| owed.recipients).map(|(_, fate)| fate));
        }
        fates
    };
    for _ in 0..2 {
        assert!(!said(&told).contains("held"));
        order(Action::Retry);
    }
    assert!(said(&told).contains("held until an operator lets it go"));
    assert!(matches!(until_held()[..], [Fate::Held(_)]));
    // Who lets it go sees it tried once.
    order(Action::Release);
    assert!(said(&told).contains("has broken 4 attempts"));
    assert_eq!(fittings.counters.attempts_broken.value(), 4);
    assert!(matches!(until_held()[..], [Fate::Released(_), Fate::Held(_)]));
    mailbox.end();
    engine.join().unwrap();
}
