//! A session that a fault of ours breaks: what the engine hears of it.

use std::time::{Duration, Instant as Moment};

use postlane_mail::{Domain, Host};

use super::*;
use crate::engine::world::tests::heard;
use crate::intake::tests::{insertion_of, spool, submission};
use crate::outbound::faults::why_broken;
use crate::outbound::routing::Exchange;
use crate::outbound::tls_policy::Demand;
use crate::server::tests::{greeting_host, outbound};
use crate::setup::{HopPolicy, TlsSetup};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Breaks when its session is open.
struct Breaks(SlotEvents);

impl Events for Breaks {
    fn opened(&mut self, facts: &Arc<SessionFacts>) {
        self.0.opened(facts);
        panic!("a fault of ours");
    }

    fn finished(&mut self, finished: Finished, facts: &Arc<SessionFacts>) {
        self.0.finished(finished, facts);
    }

    fn ended(&mut self, end: End, facts: &Arc<SessionFacts>, transcript: &Transcript) {
        self.0.ended(end, facts, transcript);
    }

    fn broken(&mut self, facts: &Arc<SessionFacts>) {
        self.0.broken(facts);
    }
}

fn hop(outbound: &Outbound, port: u16) -> HostId {
    let policy = HopPolicy { tls: TlsSetup::default(), auth: None, demand: Demand::Nothing };
    let hop = NextHop {
        name: Host::Domain(Domain::parse("mx.example.net").unwrap()),
        port,
        provider: "example.net".into(),
        limits: postlane_engine::Limits::OfSource,
        is_exchanger: true,
        policy: Arc::new(policy),
    };
    outbound.names.exchange(&Exchange { hops: vec![(hop, 10)] }).1[0]
}

#[tokio::test]
async fn a_session_that_breaks_is_over_and_gives_back_what_was_under_way() {
    let data = tempfile::tempdir().unwrap();
    let store = spool();
    let mut outbound = outbound(data.path(), store.clone());
    let insertion = insertion_of(submission());
    let (message, letter) = (
        insertion.id,
        Letter {
            envelope: insertion.envelope.clone(),
            facts: Facts::from_octets(&[]),
            message: SmallVec::from_iter(insertion.message.clone()),
        },
    );
    let ticket = Store::insert(&*store, insertion);
    store.pump(1);
    ticket.await.unwrap();
    let place = store.kept().recovered()[0].place;
    outbound.cache.keep(message, letter);
    let (slot, attempt, address) = (SlotId(3), AttemptId(9), greeting_host());
    let host = hop(&outbound, address.port());
    let (call, events) = outbound.session(slot, SourceId(0), host, address).unwrap();
    let (under_way, aim) = (events.under_way.clone(), events.aim.clone());
    // Nothing of it runs before this test waits: it has its message when it opens.
    let session = Arc::new(Session::open(call, Breaks(events)));
    outbound.sessions.insert(slot, Held { session, under_way, aim });
    outbound.attempt(slot, attempt, message, place, [0].into_iter().collect());
    let mailbox = outbound.mailbox.clone();
    let told = tokio::task::spawn_blocking(move || {
        let (mut told, until) = (Vec::new(), Moment::now() + PATIENCE);
        while Moment::now() < until && !matches!(told.last(), Some(Input::Closed { .. })) {
            told.extend(heard(&mailbox, until));
        }
        told
    });
    let told = told.await.unwrap();
    let [Input::Opened { .. }, Input::Finished { attempt: of, outcomes, evidence, .. }, closed] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*of, attempt);
    assert!(matches!(outcomes[..], [Judged { index: 0, outcome: Verdict::Ours(UNREADABLE) }]));
    let says = evidence.last_reply(0).unwrap();
    assert_eq!(why_broken(&says), Some("a fault of ours has broken the attempt; please report it"));
    assert!(matches!(closed, Input::Closed { slot: SlotId(3), said: None, evidence: None }));
}
