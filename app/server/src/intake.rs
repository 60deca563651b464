//! Taking mail: what a client or a program hands over becomes ours, or is refused.

pub(crate) mod arrivals;
pub(crate) mod cache;
pub(crate) mod facts;
pub(crate) mod logins;
pub(crate) mod on_its_way;
mod ours;
mod returned;
pub(crate) mod rights;
mod roles;
mod suppressed;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use postlane_mail::{
    BodyType, Code, Envelope, Instant, Label, QueueId, QueueIdSource, Status, Stream,
};
use postlane_message::{Arrival as Stamp, Client, HeaderRefused, Prepared, TlsWords, prepare};
use postlane_net::listener;
use postlane_smtp::auth::{Nonce, Secret};
use postlane_smtp::server::{Login, Lookup, Pressure, Refusal, Standing, Submission, Verdict};
use postlane_spool::{Changes, Insertion, Store, StoreError, Urgency};
use tokio::sync::watch;

use crate::ground::clock::Clock;
use crate::ground::secret;
use crate::identity::tester::Tester;
use crate::intake::cache::{Cache, Letter};
use crate::intake::facts::Facts;
use crate::intake::logins::Logins;
use crate::intake::rights::HouseRights;
use crate::outbound::signing;
use crate::outcome::meaning::Meanings;
use crate::outcome::suppression::{Noticed, Suppressions, Writing};
use crate::setup::{Live, Setup};
use crate::telling::counters::Counters;
use crate::telling::events::Events;
use crate::telling::history::History;
use crate::telling::journal::{Journal, alarm};

pub(crate) use on_its_way::OnItsWay;
pub(crate) use ours::Aside;
pub(crate) use roles::kept_messages;

/// Where all mail comes in.
pub(crate) struct Intake {
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) ids: Mutex<QueueIdSource>,
    pub(crate) counters: Arc<Counters>,
    /// Messages on their way to the spool.
    pub(crate) on_its_way: OnItsWay,
    /// Who has tried wrong passwords.
    pub(crate) logins: Logins,
    /// Whose mail is taken, and which is for us.
    pub(crate) rights: watch::Receiver<Arc<HouseRights>>,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) history: History,
    pub(crate) meanings: Meanings,
    pub(crate) suppressions: Suppressions,
    /// How what has been learned from mail that came back is written down.
    pub(crate) writing: Writing,
}

/// One listener's way in.
pub(crate) struct Door {
    pub(crate) intake: Arc<Intake>,
    /// Who takes mail to test addresses, where that comes in here.
    pub(crate) tester: Option<Arc<Tester>>,
}

/// How a message came.
pub(crate) struct Origin<'a> {
    pub(crate) client: Client<'a>,
    pub(crate) protocol: &'a str,
    pub(crate) tls: Option<TlsWords<'a>>,
    /// Whose it is for certain; what the message says of it counts for nothing then.
    pub(crate) tenant: Label,
    /// Who has authenticated.
    pub(crate) user: Option<&'a str>,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    Header(#[from] HeaderRefused),
    #[error("No room on disk now, try again later")]
    DiskFull,
    #[error("The message may or may not have been kept, try again later")]
    Unknown,
    #[error("The message cannot be kept now, try again later")]
    Closed,
    #[error("The message has more octets or recipients than the spool takes, send less at once")]
    TooLarge,
    #[error("The recipient has been quiet for too long (engagement.dormant), write to others")]
    Dormant,
}

impl Door {
    /// Whether a client may try a password: neither who it is nor what it says is looked at where it may
    /// not.
    fn may_try(&self, from: IpAddr, setup: &Setup) -> bool {
        let Intake { logins, clock, counters, .. } = &*self.intake;
        let may = logins.take(clock.now(), from, setup.failed_logins);
        if !may {
            counters.logins_turned_away.inc();
        }
        may
    }
}

impl Intake {
    /// Makes a message ours. When this says so, it is durable.
    pub(crate) async fn accept(
        &self,
        origin: Origin<'_>,
        envelope: Envelope,
        message: &[u8],
    ) -> Result<QueueId, Refused> {
        let octets = message.len() as u64;
        let sender = envelope.reverse_path.clone();
        self.on_its_way.come(octets);
        let accepted = self.keep(&origin, envelope, message).await;
        self.on_its_way.go(octets);
        if let Err(refused) = &accepted {
            self.note_refused(&origin, &sender, refused);
        }
        accepted
    }

    async fn keep(
        &self,
        origin: &Origin<'_>,
        envelope: Envelope,
        message: &[u8],
    ) -> Result<QueueId, Refused> {
        let insertion = self.insertion(origin, envelope, message)?;
        let (id, arrival) = (insertion.id, self.arrival(&insertion));
        match self.store.insert(insertion).await {
            Ok(_) => {
                self.note_accepted(origin, &arrival);
                Ok(id)
            }
            Err(error) => {
                self.cache.forget(std::iter::once(id));
                Err(Refused::from(&error))
            }
        }
    }

    /// A message as the spool is to keep it, and at hand for its first attempt.
    pub(crate) fn insertion(
        &self,
        origin: &Origin<'_>,
        mut envelope: Envelope,
        message: &[u8],
    ) -> Result<Insertion, Refused> {
        let now = self.clock.now();
        let id = self.ids.lock().next(now);
        let setup = self.live.borrow().clone();
        let recipient = match &envelope.recipients[..] {
            [one] => Some(&one.mailbox),
            _ => None,
        };
        let (client, protocol, tls) = (origin.client, origin.protocol, origin.tls);
        let arrival = Stamp { id, at: now, client, protocol, tls, recipient };
        let prepared = prepare(message, &setup.edits, &arrival)?;
        label(&mut envelope, &prepared, &origin.tenant);
        if setup.excludes(now, &envelope) {
            return Err(Refused::Dormant);
        }
        let mut facts = Facts::of(&prepared.facts);
        let mut joined = Vec::new();
        prepared.write_to(&mut joined);
        let joined = Bytes::from(joined);
        let author = prepared.facts.from_domain.as_ref();
        if author.is_some_and(|author| setup.signing.may_sign(author)) {
            // Behind the empty line, if there is one.
            let body = joined.get(prepared.facts.header_octets + 2..).unwrap_or_default();
            facts.body_hash = Some(signing::hash_of(body));
        }
        let envelope = Arc::new(envelope);
        let letter = Letter {
            envelope: envelope.clone(),
            facts,
            message: smallvec::SmallVec::from_iter([joined.clone()]),
        };
        self.cache.keep(id, letter);
        let facts = facts.to_octets();
        Ok(Insertion { id, envelope, facts, message: vec![joined], tag: 0 })
    }

    pub(crate) fn next_id(&self, now: Instant) -> QueueId {
        self.ids.lock().next(now)
    }

    /// Whether new mail can be taken from somebody.
    pub(crate) fn pressure(&self, standing: &Standing) -> Pressure {
        if self.store.is_full() {
            return Pressure::DiskFull;
        }
        let setup = self.live.borrow();
        let message = setup.limits.message_octets as u64;
        self.on_its_way.pressure(standing, setup.intake_octets_max, message)
    }
}

/// What the message says of itself, where nobody knows better.
fn label(envelope: &mut Envelope, prepared: &Prepared<'_>, tenant: &Label) {
    let facts = &prepared.facts;
    // What a program has said by the API counts more than what stands in its message.
    if let Some(stream) = facts.stream.filter(|_| envelope.stream == Stream::default()) {
        envelope.stream = stream;
    }
    if let Some(campaign) = facts.campaign.clone().filter(|_| envelope.campaign.is_none()) {
        envelope.campaign = campaign;
    }
    envelope.engaged = envelope.engaged.or(facts.engaged);
    if !tenant.is_none() {
        envelope.tenant = tenant.clone();
    } else if let Some(said) = facts.tenant.clone().filter(|_| envelope.tenant.is_none()) {
        envelope.tenant = said;
    }
    if facts.header.eight_bit || facts.body.eight_bit {
        envelope.body = BodyType::EightBit;
    }
}

impl listener::Intake for Door {
    async fn submit(&self, mut submission: Submission) -> Verdict {
        let mut tests = None;
        if let Some(tester) = &self.tester {
            tests = match tester.set_aside(&mut submission).await {
                Err(refused) => return Verdict::Refused(refused),
                Ok(Some(tests)) if submission.envelope.recipients.is_empty() => {
                    return match tests.publish().await {
                        Ok(()) => Verdict::Kept("taken for a test, and never sent on".into()),
                        Err(refused) => Verdict::Refused(refused),
                    };
                }
                Ok(tests) => tests,
            };
        }
        let taken = self.intake.take(submission).await;
        match taken {
            Ok(id) => {
                // A client that was put off now would bring again what is ours already.
                if let Some(tests) = tests
                    && tests.publish().await.is_err()
                {
                    alarm(&format!(
                        "message {id} is not looked at as a test: it could not be kept"
                    ));
                }
                Verdict::Accepted(id)
            }
            Err(refused) => refused.verdict(),
        }
    }

    async fn authenticate(&self, from: IpAddr, user: Box<str>, password: Secret) -> Login {
        let setup = self.intake.live.borrow().clone();
        if !self.may_try(from, &setup) {
            return Login::Unavailable;
        }
        let known = setup.user(&user).cloned();
        // As slow for a user that is not known, so that nobody learns who is.
        let Some(checked) = known.clone().or_else(|| setup.users.first().cloned()) else {
            return Login::Wrong;
        };
        let verifier = checked.verifier;
        let check = move || verifier.accepts(password.reveal());
        match (tokio::task::spawn_blocking(check).await, known) {
            (Ok(true), Some(known)) => {
                self.proven(from);
                Login::Known(known.identity())
            }
            (Ok(_), _) => Login::Wrong,
            (Err(_), _) => Login::Unavailable,
        }
    }

    fn look_up(&self, from: IpAddr, user: &str) -> (Lookup, Nonce) {
        let setup = self.intake.live.borrow().clone();
        let lookup = match setup.user(user) {
            _ if !self.may_try(from, &setup) => Lookup::Unavailable,
            Some(known) => Lookup::Found(known.verifier.clone(), known.identity()),
            None => Lookup::Unknown,
        };
        (lookup, Nonce(secret::random()))
    }

    fn proven(&self, from: IpAddr) {
        let rate = self.intake.live.borrow().failed_logins;
        self.intake.logins.give_back(from, rate);
    }

    fn on_its_way(&self, standing: &Standing, was: usize, is: usize) {
        self.intake.on_its_way.amounts_to(standing, was, is);
    }

    fn pressure(&self, standing: &Standing) -> Pressure {
        self.intake.pressure(standing)
    }

    fn now(&self) -> Instant {
        self.intake.clock.now()
    }

    fn admitted(&self, _: IpAddr, admitted: bool) {
        if admitted {
            self.intake.counters.sessions_in.inc();
        } else {
            self.intake.counters.sessions_turned_away.inc();
        }
    }

    fn shut_out(&self, at: SocketAddr, why: &io::Error) {
        alarm(&format!(
            "no client gets in at {at}: {why}; raise the limit of open files (ulimit -n, LimitNOFILE=), or \
             lower limits.sessions and delivery.sessions"
        ));
    }
}

impl Intake {
    async fn take(&self, mut submission: Submission) -> Result<QueueId, Refused> {
        let message: Bytes = submission.message.into();
        let ours = self.set_aside(&mut submission.envelope, &message).await?;
        if submission.envelope.recipients.is_empty() {
            return self.finish(ours.ok_or(Refused::Closed)?, message).await;
        }
        let client = Client::Peer { helo: &submission.helo, address: submission.ip };
        let words =
            |tls: &'_ postlane_smtp::server::TlsFacts| (tls.version, tls.cipher.to_string());
        let words = submission.tls.as_ref().map(words);
        let tls = words.as_ref().map(|(version, cipher)| TlsWords { version, cipher });
        let tenant = submission.envelope.tenant.clone();
        let user = match &submission.standing {
            Standing::Known(identity) => Some(&*identity.user),
            Standing::Stranger | Standing::Neighbour => None,
        };
        let origin = Origin { client, protocol: submission.protocol, tls, tenant, user };
        let id = self.accept(origin, submission.envelope, &message).await?;
        self.finish_beside(ours, message).await;
        Ok(id)
    }

    /// What has been learned from mail that came back. Nobody waits until it is durable: a bounce
    /// that is lost with it teaches no more than one that was never sent.
    fn write_down(&self, noticed: Noticed) {
        self.writing.write_down(noticed, Changes { urgency: Urgency::Now, ..Changes::default() });
    }

    /// A report of our own to one of our own desks is kept, too: by MX it would come back here.
    /// Whether it was one.
    pub(crate) fn keep_report(&self, now: Instant, id: QueueId, report: &Insertion) -> bool {
        let setup = self.live.borrow().clone();
        let mut envelope = (*report.envelope).clone();
        let ours = roles::take_out(&setup, &self.rights.borrow(), &mut envelope);
        if !envelope.recipients.is_empty() {
            return false;
        }
        let message = report.message.concat();
        match roles::keep(&setup.data, id, &envelope, &ours.kept, &message) {
            Ok(path) => self.say_kept(now, id, &ours.kept, &path),
            Err(error) => {
                let (id, says) = (id.to_string(), error.to_string());
                self.journal.event(now, "report-failed", &[("id", &id), ("text", &says)]);
            }
        }
        true
    }

    fn say_kept(&self, now: Instant, id: QueueId, to: &[String], path: &Path) {
        let (id, to, file) = (id.to_string(), to.join(","), path.display().to_string());
        self.journal.event(now, "kept", &[("id", &id), ("to", &to), ("file", &file)]);
    }
}

impl Refused {
    pub(crate) fn verdict(&self) -> Verdict {
        let (code, status) = self.code();
        Verdict::Refused(Refusal { code, status, text: self.to_string().into() })
    }

    fn code(&self) -> (Code, Status) {
        let code = |number| Code::new(number).expect("it lies between 200 and 599");
        match self {
            Self::Header(refused) => (refused.code(), refused.status()),
            // RFC 3463 §3.4, X.3.1 and X.3.0.
            Self::DiskFull => (code(452), Status::new(4, 3, 1)),
            Self::TooLarge => (code(552), Status::new(5, 3, 4)),
            // X.7.1.
            Self::Dormant => (code(554), Status::new(5, 7, 1)),
            Self::Unknown | Self::Closed => (code(451), Status::new(4, 3, 0)),
        }
    }
}

impl From<&StoreError> for Refused {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::DiskFull,
            StoreError::Unknown(_) => Self::Unknown,
            StoreError::TooLarge(_) => Self::TooLarge,
            _ => Self::Closed,
        }
    }
}
