//! Sessions with hosts: what the engine asks for, done on the asynchronous ring.

pub(crate) mod evidence;
pub(crate) mod faults;
pub(crate) mod routing;
pub(crate) mod signing;
pub(crate) mod tls_policy;
pub(crate) mod unreached;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_engine::{
    AttemptId, HostId, Input, Outcome as Verdict, RecipientOutcome as Judged, SlotId, SourceId,
    Unreached,
};
use postlane_mail::{Envelope, Instant, Place, QueueId, Reply, Stage, Status};
use postlane_net::outbound::{Call, ConnectError, End, Events, Session, SessionFacts};
use postlane_replies::Diagnosis;
use postlane_smtp::client::{
    Finished, Outcome, SessionEnd, Settings, TlsPolicy, Transaction, Transcript,
};
use postlane_spool::{Store, Stored};
use smallvec::SmallVec;
use tokio::runtime;
use tokio::sync::watch;

use crate::engine::names::Names;
use crate::engine::world::EngineMailbox;
use crate::ground::clock::Clock;
use crate::identity::preflight::{Aim, Departing, Preflight};
use crate::intake::cache::{Cache, Letter};
use crate::intake::facts::Facts;
use crate::intake::rights::HouseRights;
use crate::outbound::evidence::{Attempted, Evidence, Unsent, lacking};
use crate::outbound::faults::{Broken, Faults};
use crate::outbound::routing::NextHop;
use crate::outbound::signing::sign;
use crate::outbound::tls_policy::{Published, Tallies, Went};
use crate::outcome::diagnosing::Diagnosing;
use crate::outcome::reports::message_id;
use crate::outcome::suppression::{Parted, Stops};
use crate::setup::{Live, Setup, SourceSetup};

/// How long a host is spoken to in the clear after a handshake with it failed. Chosen, not
/// measured: long enough that a broken host is not asked in vain each time.
const PLAIN_FOR: postlane_mail::Span = postlane_mail::Span::from_h(1);

/// The spool cannot give the message (RFC 3463 §3.4, X.3.0).
const UNREADABLE: Status = Status::new(4, 3, 0);

/// The message cannot be signed, and unsigned it would be taken for a forgery (RFC 3463 §3.8, X.7.5).
const UNSIGNED: Status = Status::new(4, 7, 5);

/// Sessions with hosts.
pub(crate) struct Outbound {
    pub(crate) ring: runtime::Handle,
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    pub(crate) names: Arc<Names>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) mailbox: EngineMailbox,
    pub(crate) sessions: HashMap<SlotId, Held>,
    pub(crate) plain: Arc<Mutex<BTreeMap<HostId, Instant>>>,
    pub(crate) diagnosing: Arc<Diagnosing>,
    pub(crate) rights: watch::Receiver<Arc<HouseRights>>,
    pub(crate) stops: Stops,
    pub(crate) published: Published,
    pub(crate) preflight: Preflight,
    pub(crate) faults: Arc<Faults>,
}

/// A session and what is under way on it.
pub(crate) struct Held {
    session: Arc<Session>,
    under_way: UnderWay,
    /// Before whose gate its mail comes; none where nobody knows what is asked for there.
    aim: Option<Arc<Aim>>,
}

/// Who is asked before a message goes.
struct Doorkeepers {
    rights: Arc<HouseRights>,
    stops: Stops,
    preflight: Preflight,
    mailbox: EngineMailbox,
}

/// Attempts that have not finished: two at most.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<SmallVec<[Sent; 2]>>>);

/// What was given to a session.
struct Sent {
    attempt: AttemptId,
    message: QueueId,
    recipients: SmallVec<[u16; 4]>,
    envelope: Arc<Envelope>,
    headers: Bytes,
    octets: u64,
    /// What becomes of recipients that were left out.
    left_out: SmallVec<[Judged; 1]>,
    unsent: Option<Box<Unsent>>,
}

/// An attempt that the engine has asked for.
struct Attempt {
    slot: SlotId,
    attempt: AttemptId,
    message: QueueId,
    place: Place,
    recipients: SmallVec<[u16; 4]>,
}

impl Outbound {
    pub(crate) fn open(
        &mut self,
        slot: SlotId,
        source: SourceId,
        host: HostId,
        address: std::net::SocketAddr,
    ) {
        let Some((call, events)) = self.session(slot, source, host, address) else { return };
        let (under_way, aim) = (events.under_way.clone(), events.aim.clone());
        let _entered = self.ring.enter();
        let session = Arc::new(Session::open(call, events));
        self.sessions.insert(slot, Held { session, under_way, aim });
    }

    /// Whom to call, and who hears of it; nobody where the source is gone.
    fn session(
        &self,
        slot: SlotId,
        source: SourceId,
        host: HostId,
        address: std::net::SocketAddr,
    ) -> Option<(Call, SlotEvents)> {
        let hop = self.names.hop_of(host);
        let setup = self.live.borrow().clone();
        let from = setup.sources.get(usize::from(source.0))?;
        let now = self.clock.now();
        let plain = self.plain.lock().get(&host).is_some_and(|until| *until > now);
        let tls = match hop.policy.demand.session(hop.policy.tls.policy) {
            TlsPolicy::Opportunistic if plain => TlsPolicy::Never,
            policy => policy,
        };
        let call = self.call(&setup, from, &hop, address, tls);
        let aim = Aim::of(&hop.provider, from);
        let events = SlotEvents {
            slot,
            host,
            hop,
            source,
            clock: self.clock,
            mailbox: self.mailbox.clone(),
            under_way: UnderWay::default(),
            plain: self.plain.clone(),
            live: self.live.clone(),
            diagnosing: self.diagnosing.clone(),
            tallies: setup.published_tls.count.then(|| self.published.tallies().clone()),
            tls,
            aim,
            faults: self.faults.clone(),
            is_open: false,
            is_over: false,
            has_cut: false,
            began: now,
        };
        Some((call, events))
    }

    /// How a host is called: from which address, as whom, and how guarded.
    fn call(
        &self,
        setup: &Setup,
        from: &SourceSetup,
        hop: &NextHop,
        address: std::net::SocketAddr,
        tls: TlsPolicy,
    ) -> Call {
        let clock = self.clock;
        Call {
            source: from.address,
            address,
            host: hop.name.to_string().into(),
            smtp: Settings {
                ehlo_name: from.ehlo.as_str().into(),
                own_name: hop.is_exchanger.then(|| setup.hostname.as_str().into()),
                tls,
                auth: hop.policy.auth.clone(),
                // To a smart host on this machine nobody can listen.
                auth_without_tls: address.ip().is_loopback(),
                chunking: setup.chunking,
                timeouts: setup.timeouts.clone(),
            },
            tls: self
                .published
                .client_tls(&hop.policy.demand, &hop.policy.tls)
                .unwrap_or_else(|| setup.client_tls(&hop.policy.tls)),
            connect_timeout: setup.connect_timeout.to_std(),
            now: Arc::new(move || clock.now()),
        }
    }

    pub(crate) fn attempt(
        &mut self,
        slot: SlotId,
        attempt: AttemptId,
        message: QueueId,
        place: Place,
        recipients: SmallVec<[u16; 4]>,
    ) {
        let Some(held) = self.sessions.get(&slot) else { return };
        let attempt = Attempt { slot, attempt, message, place, recipients };
        let doorkeepers = Doorkeepers {
            rights: self.rights.borrow().clone(),
            stops: self.stops.clone(),
            preflight: self.preflight.clone(),
            mailbox: self.mailbox.clone(),
        };
        let setup = self.live.borrow().clone();
        let cached = self.cache.find(message);
        let broken = attempt.broken(held, cached.as_ref());
        if let Some(letter) = cached.clone().filter(|_| setup.signing.is_empty()) {
            self.faults.watch(broken, || held.begin(attempt, letter, &doorkeepers));
            return;
        }
        // A signature takes the time of five messages, and a disk any.
        let (held, store, now) = (held.clone(), self.store.clone(), self.clock.now());
        let faults = self.faults.clone();
        let begin = move || {
            let letter = match cached {
                Some(letter) => Ok(letter),
                None => store.read(place).map(Letter::from).map_err(|_| UNREADABLE),
            };
            let signed = letter.and_then(|letter| {
                let to = &attempt.recipients;
                sign(&setup.signing, letter, message, to, now).map_err(|_| UNSIGNED)
            });
            match signed {
                Ok(letter) => held.begin(attempt, letter, &doorkeepers),
                Err(status) => attempt.fail(&doorkeepers.mailbox, status),
            }
        };
        self.ring.spawn_blocking(move || faults.watch(broken, begin));
    }

    pub(crate) fn close(&self, slot: SlotId) {
        if let Some(held) = self.sessions.get(&slot) {
            held.session.quit();
        }
    }

    /// The session is gone, and the engine has heard of it.
    pub(crate) fn forget(&mut self, slot: SlotId) {
        self.sessions.remove(&slot);
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        let Self { session, under_way, aim } = self;
        Self { session: session.clone(), under_way: under_way.clone(), aim: aim.clone() }
    }
}

impl Held {
    /// Writes to those recipients that may be written to; without any it is over at once.
    fn begin(&self, attempt: Attempt, letter: Letter, doorkeepers: &Doorkeepers) {
        let Doorkeepers { rights, stops, preflight, mailbox } = doorkeepers;
        let parted = stops.part(&letter.envelope, attempt.recipients.clone());
        if parted.go.is_empty() {
            return attempt.end(mailbox, parted.outcomes, Evidence(None, parted.unsent));
        }
        let Attempt { attempt: number, message, place, .. } = attempt;
        let reverse_path = rights.reverse_path(&letter.envelope, message, &parted.go);
        if let Some(aim) = &self.aim {
            let departing = Departing {
                letter: &letter,
                id: message,
                place,
                recipients: &parted.go,
                reverse_path: reverse_path.as_ref(),
            };
            if let Some(waits) = preflight.ask(aim, &departing) {
                let Parted { outcomes, unsent, .. } = parted.with_all_waiting(&letter, &waits);
                return attempt.end(mailbox, outcomes, Evidence(None, unsent));
            }
        }
        let Parted { go: recipients, outcomes, unsent } = parted;
        self.under_way.0.lock().push(Sent {
            attempt: number,
            message,
            recipients: recipients.clone(),
            envelope: letter.envelope.clone(),
            headers: letter.headers(),
            octets: letter.octets() as u64,
            left_out: outcomes,
            unsent,
        });
        // A session that has ended has said so, and the engine takes back what it had given it.
        drop(self.session.begin(Transaction {
            id: number.0,
            reverse_path,
            envelope: letter.envelope,
            recipients,
            message: letter.message,
            eight_bit_body: letter.facts.eight_bit_body,
            eight_bit_header: letter.facts.eight_bit_header,
        }));
    }
}

impl From<Stored> for Letter {
    fn from(stored: Stored) -> Self {
        Self {
            envelope: Arc::new(stored.envelope),
            facts: Facts::from_octets(&stored.facts),
            message: SmallVec::from_iter([stored.message]),
        }
    }
}

impl Attempt {
    /// What is told of it where a fault of ours breaks it before its session has all of it.
    fn broken(&self, held: &Held, cached: Option<&Letter>) -> impl FnOnce() -> Broken + use<> {
        let Self { slot, attempt, message, recipients, .. } = self;
        let (slot, attempt, message, recipients) = (*slot, *attempt, *message, recipients.clone());
        let envelope = cached.map(|letter| letter.envelope.clone());
        let under_way = held.under_way.clone();
        move || {
            // It is told of once.
            drop(under_way.take(attempt));
            let (left_out, unsent) = (SmallVec::new(), None);
            Broken { slot, attempt, message, recipients, left_out, unsent, envelope }
        }
    }

    /// Nobody was written to, for a reason of our own.
    fn fail(self, mailbox: &EngineMailbox, status: Status) {
        let judged = |index: &u16| Judged { index: *index, outcome: Verdict::Ours(status) };
        let outcomes = self.recipients.iter().map(judged).collect();
        self.end(mailbox, outcomes, Evidence::default());
    }

    /// Nobody was written to.
    fn end(self, mailbox: &EngineMailbox, outcomes: SmallVec<[Judged; 1]>, evidence: Evidence) {
        let Self { slot, attempt, .. } = self;
        mailbox.tell(Input::Finished { slot, attempt, outcomes, evidence });
    }
}

/// What becomes of one session, told to the engine.
struct SlotEvents {
    slot: SlotId,
    host: HostId,
    hop: Arc<NextHop>,
    source: SourceId,
    clock: Clock,
    mailbox: EngineMailbox,
    under_way: UnderWay,
    plain: Arc<Mutex<BTreeMap<HostId, Instant>>>,
    /// A session that is used again goes by rules that were read since it began.
    live: Live,
    diagnosing: Arc<Diagnosing>,
    /// Where sessions are counted for the recipients' domains.
    tallies: Option<Tallies>,
    tls: TlsPolicy,
    aim: Option<Arc<Aim>>,
    faults: Arc<Faults>,
    is_open: bool,
    /// The engine has heard that it is over.
    is_over: bool,
    /// A message was cut short by its end, and no reply tells of it.
    has_cut: bool,
    began: Instant,
}

impl Events for SlotEvents {
    fn opened(&mut self, facts: &Arc<SessionFacts>) {
        self.count(facts, None);
        if let (Some(aim), Some(local)) = (&self.aim, facts.local) {
            aim.is_seen_as(local.ip());
        }
        self.is_open = true;
        self.mailbox.tell(Input::Opened { slot: self.slot });
    }

    fn finished(&mut self, finished: Finished, facts: &Arc<SessionFacts>) {
        let attempt = AttemptId(finished.id);
        let Some(headers) = self.under_way.headers_of(attempt) else { return };
        // It is under way until this is over: it may break.
        let message_id = self.message_id(&headers);
        let judged = |o: &postlane_smtp::client::RecipientOutcome| Judged {
            index: o.index,
            outcome: self.judge(&o.outcome),
        };
        let judged: SmallVec<[Judged; 1]> = finished.recipients.iter().map(judged).collect();
        let ended = finished.began + finished.took;
        let Some(sent) = self.under_way.take(attempt) else { return };
        let Sent { envelope, headers, octets, left_out, unsent, .. } = sent;
        let outcomes: SmallVec<[Judged; 1]> = left_out.into_iter().chain(judged).collect();
        let refused = |of: &Judged| match &of.outcome {
            Verdict::Refused(diagnosis) => Some((of.index, diagnosis.clone())),
            _ => None,
        };
        let is_cut = |of: &Outcome| matches!(of, Outcome::NotTried | Outcome::CutOff(_));
        self.has_cut |= finished.recipients.iter().any(|o| is_cut(&o.outcome));
        let evidence = Attempted {
            envelope: Some(envelope),
            message_id,
            headers,
            octets,
            outcomes: finished.recipients,
            dsn_relayed: finished.dsn_relayed,
            session: facts.clone(),
            hop: self.hop.clone(),
            source: self.source,
            transcript: finished.transcript,
            began: finished.began,
            ended,
            diagnoses: outcomes.iter().filter_map(refused).collect(),
            end: None,
            turned_away: None,
        };
        let evidence = Evidence(Some(Box::new(evidence)), unsent);
        self.mailbox.tell(Input::Finished { slot: self.slot, attempt, outcomes, evidence });
    }

    fn ended(&mut self, end: End, facts: &Arc<SessionFacts>, transcript: &Transcript) {
        let slot = self.slot;
        if self.is_open {
            let said = match &end {
                End::Session(SessionEnd::TurnedAway { stage, reply }) => {
                    Some(self.diagnose(*stage, reply))
                }
                _ => None,
            };
            let is_told = said.is_some() || !self.has_cut;
            let evidence = (!is_told).then(|| self.evidence(end, None, facts, transcript));
            self.is_over = true;
            return self.mailbox.tell(Input::Closed { slot, said, evidence });
        }
        self.count(facts, Some(&end));
        let why = self.unreached(&end);
        let turned_away = match &why {
            Unreached::TurnedAway(diagnosis) => Some(diagnosis.clone()),
            _ => None,
        };
        let evidence = self.evidence(end, turned_away, facts, transcript);
        self.is_over = true;
        self.mailbox.tell(Input::ConnectFailed { slot, why, evidence });
    }

    fn broken(&mut self, facts: &Arc<SessionFacts>) {
        if self.is_over {
            return;
        }
        let slot = self.slot;
        for sent in std::mem::take(&mut *self.under_way.0.lock()) {
            self.faults.broke(sent.broken(slot));
        }
        self.is_over = true;
        if self.is_open {
            return self.mailbox.tell(Input::Closed { slot, said: None, evidence: None });
        }
        let end =
            End::NotConnected(ConnectError::Other("a fault of ours, told as an alarm".to_owned()));
        let evidence = self.evidence(end, None, facts, &Transcript::default());
        self.mailbox.tell(Input::ConnectFailed { slot, why: Unreached::Network, evidence });
    }
}

impl UnderWay {
    fn headers_of(&self, attempt: AttemptId) -> Option<Bytes> {
        let under_way = self.0.lock();
        let sent = under_way.iter().find(|sent| sent.attempt == attempt)?;
        Some(sent.headers.clone())
    }

    fn take(&self, attempt: AttemptId) -> Option<Sent> {
        let mut under_way = self.0.lock();
        let at = under_way.iter().position(|sent| sent.attempt == attempt)?;
        Some(under_way.remove(at))
    }
}

impl Sent {
    fn broken(self, slot: SlotId) -> Broken {
        let Self { attempt, message, recipients, envelope, left_out, unsent, .. } = self;
        Broken { slot, attempt, message, recipients, left_out, unsent, envelope: Some(envelope) }
    }
}

impl SlotEvents {
    /// Counts a session that began, or did not, for the recipients' domain.
    fn count(&self, facts: &SessionFacts, end: Option<&End>) {
        let Some(tallies) = &self.tallies else { return };
        if let Some(went) = Went::session(&self.hop, facts, end) {
            tallies.count(self.clock.now(), went);
        }
    }

    /// Here and not on the engine's thread; and not at all where history is off.
    fn message_id(&self, headers: &[u8]) -> Box<str> {
        let keeps = self.live.borrow().ledger.on;
        keeps.then(|| message_id(headers)).flatten().unwrap_or_default()
    }

    /// Of a session that came to nothing.
    fn evidence(
        &self,
        end: End,
        turned_away: Option<Diagnosis>,
        facts: &Arc<SessionFacts>,
        transcript: &Transcript,
    ) -> Evidence {
        let evidence = Box::new(Attempted {
            envelope: None,
            headers: Bytes::new(),
            message_id: Box::default(),
            octets: 0,
            outcomes: SmallVec::new(),
            dsn_relayed: false,
            session: facts.clone(),
            hop: self.hop.clone(),
            source: self.source,
            transcript: transcript.clone(),
            began: self.began,
            ended: self.clock.now(),
            diagnoses: SmallVec::new(),
            end: Some(end),
            turned_away,
        });
        Evidence(Some(evidence), None)
    }

    fn unreached(&self, end: &End) -> Unreached {
        match end {
            End::NotConnected(ConnectError::Source { .. }) => Unreached::Source,
            End::Session(SessionEnd::TurnedAway { stage, reply }) => {
                Unreached::TurnedAway(self.diagnose(*stage, reply))
            }
            End::Session(SessionEnd::Loop) => Unreached::Loop,
            End::Session(SessionEnd::TlsFailed(_)) if self.tls == TlsPolicy::Opportunistic => {
                // Encryption against listeners is better than none, and none is better than no
                // mail (RFC 7435 §3): the next session with this host is in the clear.
                self.plain.lock().insert(self.host, self.clock.now() + PLAIN_FOR);
                Unreached::TryAgain
            }
            _ => Unreached::Network,
        }
    }

    fn diagnose(&self, stage: Stage, reply: &Reply) -> Diagnosis {
        // What is borrowed would hold up a reload.
        let rules = self.live.borrow().rules.clone();
        self.diagnosing.diagnose(rules.book(), self.clock.now(), &self.hop, (stage, reply))
    }

    fn judge(&self, outcome: &Outcome) -> Verdict {
        match outcome {
            Outcome::Accepted(reply) => Verdict::Delivered(Diagnosis::accepted(Stage::Dot, reply)),
            Outcome::Refused { stage, reply } => Verdict::Refused(self.diagnose(*stage, reply)),
            // It counts as an attempt: what may itself have ended the session gives way to the
            // rest.
            Outcome::Unknown | Outcome::Interrupted => Verdict::Unknown,
            Outcome::NotTried => Verdict::NotTried,
            Outcome::CutOff(_) => Verdict::CutOff,
            Outcome::Unable(unable) => Verdict::HostUnable(lacking(*unable).0),
            Outcome::TooLarge { .. } => Verdict::Ours(Status::new(5, 3, 4)),
        }
    }
}
