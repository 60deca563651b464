//! Hosts that say anything.

use proptest::prelude::*;

use super::*;

/// What a host may say next: mostly what is expected, so that a dialogue goes far.
fn said() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just("250 ok\r\n".to_owned()),
        2 => Just("354 go\r\n".to_owned()),
        1 => Just("220 mx\r\n".to_owned()),
        1 => Just("334 \r\n".to_owned()),
        1 => Just("235 in\r\n".to_owned()),
        1 => "(421|450|503|550|552)[- ][a-z]{0,3}\r?\n",
        1 => Just("25".to_owned()),
        1 => "[\\x00-\\xff]{0,9}\r\n",
        2 => (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(offers),
    ]
}

fn offers((pipelining, chunking, starttls, auth): (bool, bool, bool, bool)) -> String {
    let mut lines = "250-mx\r\n".to_owned();
    for (on, word) in [
        (pipelining, "PIPELINING"),
        (chunking, "CHUNKING"),
        (starttls, "STARTTLS"),
        (auth, "AUTH LOGIN PLAIN"),
    ] {
        if on {
            lines.push_str(&format!("250-{word}\r\n"));
        }
    }
    lines + "250 HELP\r\n"
}

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    Said(String),
    Begin,
    Sent,
    Quit,
    Cut(u64),
    Late,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => said().prop_map(Event::Said),
        8 => Just(Event::Begin),
        20 => Just(Event::Sent),
        1 => Just(Event::Quit),
        1 => (0u64..100).prop_map(Event::Cut),
        1 => Just(Event::Late),
    ]
}

/// Plays the machine's surroundings, and keeps the books.
struct World {
    client: Client,
    begun: u64,
    under_way: u32,
    outcomes: Vec<(u64, u16)>,
    closed: bool,
}

impl World {
    fn happens(&mut self, event: Event) {
        match event {
            Event::Said(text) => self.client.received(NOW, text.as_bytes()),
            Event::Begin if self.under_way < 2 => {
                let text = b".x\r\n";
                let message = message(self.begun, &["b@example.net", "c@example.net"], text);
                self.client.begin(NOW, message);
                self.begun += 1;
                self.under_way += 1;
            }
            Event::Begin => {}
            Event::Sent => self.client.output().clear(),
            Event::Quit => self.client.quit(NOW),
            Event::Cut(unsent) => self.client.closed(unsent),
            Event::Late => self.client.timed_out(0),
        }
        while let Some(step) = self.client.poll() {
            assert!(!self.closed || matches!(step, Step::Finished(_)), "{step:?} after the end");
            match step {
                Step::Finished(finished) => {
                    self.under_way -= 1;
                    for recipient in finished.recipients {
                        if let Outcome::Accepted(reply) = &recipient.outcome {
                            assert!(reply.code().is_success());
                        }
                        self.outcomes.push((finished.id, recipient.index));
                    }
                }
                Step::StartTls => {
                    self.client.output().clear();
                    self.client.tls_started(NOW);
                }
                Step::Ready => {}
                Step::Close(_) => self.closed = true,
            }
        }
        assert!(self.client.deadline().is_none() || !self.closed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    /// Whatever a host says and whenever it is cut off, each message has one outcome for each
    /// recipient, and nothing comes behind the end.
    #[test]
    fn every_recipient_has_one_outcome_whatever_the_host_says(
        tls in prop_oneof![Just(TlsPolicy::Opportunistic), Just(TlsPolicy::Required)],
        auth in any::<bool>(),
        opening in prop_oneof![3 => Just("220 mx\r\n"), 1 => Just("")],
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let auth = auth
            .then(|| crate::auth::Credentials { user: "u".into(), password: "p".into() });
        let settings = Settings { tls, auth, ..settings() };
        let mut world = World {
            client: Client::new(NOW, settings, NONCE),
            begun: 0,
            under_way: 0,
            outcomes: Vec::new(),
            closed: false,
        };
        world.happens(Event::Said(opening.to_owned()));
        events.into_iter().for_each(|event| world.happens(event));
        world.happens(Event::Cut(0));
        world.happens(Event::Begin);
        prop_assert!(world.closed && world.client.deadline().is_none());
        world.outcomes.sort_unstable();
        let expected: Vec<_> = (0..world.begun).flat_map(|id| [(id, 0), (id, 1)]).collect();
        prop_assert_eq!(world.outcomes, expected);
    }
}
