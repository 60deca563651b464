//! A message at the door: whether it is looked at, and whether it goes.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use postlane_checks::{Gate, is_public};
use postlane_engine::{Outcome, RecipientOutcome};
use postlane_mail::{
    Code, Domain, Instant, LastReply, Place, QueueId, Reply, ReversePath, Stage, Status, mixed,
};
use postlane_message::{Fields, domain_of};
use smallvec::SmallVec;

use super::book::{Passed, Passing};
use super::held::Held;
use super::look::Sample;
use super::sight::HELD_BY;
use super::{Preflight, Subject, gate_of};
use crate::config::settings::PreflightPolicy;
use crate::intake::cache::Letter;
use crate::setup::SourceSetup;

/// What mail that is held is told with (RFC 3463 §3.8, X.7.0).
const HELD: Status = Status::new(4, 7, 0);

/// Before which gate a session's mail comes, and as whom.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(super) gate: Gate,
    pub(super) provider: Arc<str>,
    pub(super) source: Arc<str>,
    pub(super) helo: Box<str>,
    /// Our address as the host sees it, where that is known.
    address: OnceLock<IpAddr>,
}

/// A message that is about to go to some of its recipients.
pub(crate) struct Departing<'a> {
    pub(crate) letter: &'a Letter,
    pub(crate) id: QueueId,
    pub(crate) place: Place,
    pub(crate) recipients: &'a [u16],
    /// The envelope's sender in this attempt, where it is not the message's own.
    pub(crate) reverse_path: Option<&'a ReversePath>,
}

/// A message that waits instead.
#[derive(Debug, Clone)]
pub(crate) struct Waits {
    at: Instant,
    until: Instant,
    says: String,
}

impl Aim {
    /// None where nothing is known of what the provider asks for: a smart host's lane has no gate.
    pub(crate) fn of(provider: &str, source: &SourceSetup) -> Option<Arc<Self>> {
        let aim = Self {
            gate: gate_of(provider)?,
            provider: provider.into(),
            source: source.name.as_str().into(),
            helo: source.ehlo.as_str().into(),
            address: OnceLock::new(),
        };
        source.seen_as.or(source.address).into_iter().for_each(|address| aim.is_seen_as(address));
        Some(Arc::new(aim))
    }

    /// The session has this address of ours. A private one is not what the host sees.
    pub(crate) fn is_seen_as(&self, address: IpAddr) {
        if is_public(address) {
            // What is set up counts for more than what the system says.
            let _ = self.address.set(address);
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address.get().copied()
    }
}

impl Preflight {
    /// A message is about to leave: it may be looked at, beside; and it may have to wait.
    pub(crate) fn ask(&self, aim: &Arc<Aim>, departing: &Departing<'_>) -> Option<Waits> {
        let setup = self.0.live.borrow().clone();
        let setup = &setup.preflight;
        let envelope = &departing.letter.envelope;
        if setup.policy(&aim.provider, envelope.stream) == PreflightPolicy::Off {
            return None;
        }
        let subject = Subject {
            provider: aim.provider.clone(),
            source: aim.source.clone(),
            stream: envelope.stream,
            author: author_of(departing.letter),
            tenant: envelope.tenant.clone(),
        };
        let id = departing.id;
        let recipient = departing.recipients.first().copied().unwrap_or_default();
        let held = Held { place: departing.place, recipient };
        let passing =
            Passing { id, held, octets: departing.letter.octets(), chance: mixed(id.bits()) };
        let at = self.0.clock.now();
        let Passed { look, hold } = self.0.book.lock().pass(at, &subject, passing, setup);
        if let Some(trust) = look {
            self.look(Sample::of(departing, (subject, trust), (aim.clone(), at)));
        }
        let (until, says) = hold?;
        self.0.figures.held.inc();
        Some(Waits { at, until, says })
    }
}

impl Waits {
    /// What becomes of each recipient.
    pub(crate) fn outcome(&self, index: u16) -> RecipientOutcome {
        RecipientOutcome { index, outcome: Outcome::Waits { status: HELD, until: self.until } }
    }

    /// What is said of each recipient in the place of a host.
    pub(crate) fn reply(&self) -> LastReply {
        let code = Code::new(450).expect("450 lies between 200 and 599");
        let reply = Reply::new(code, format!("{HELD} {}", self.says));
        LastReply { stage: Stage::Mail, reply, host: "".into(), at: self.at }
    }

    /// The same for several recipients.
    pub(crate) fn replies(&self, recipients: &[u16]) -> SmallVec<[(u16, LastReply); 1]> {
        recipients.iter().map(|index| (*index, self.reply())).collect()
    }
}

/// Why a recipient's mail is held, where that is what was said of it last.
pub(crate) fn why_held(last: &LastReply) -> Option<&str> {
    let says = last.reply.text().split_once(' ').map(|(_, says)| says)?;
    (last.host.is_empty() && says.starts_with(HELD_BY)).then_some(says)
}

/// The domain that a letter says it is from. What is put above a message when it leaves has no
/// author in it.
pub(super) fn author_of(letter: &Letter) -> Option<Domain> {
    let message = letter.message.last()?;
    let from = Fields::new(message).find(|field| field.is("From"))?;
    domain_of(from.value)
}
