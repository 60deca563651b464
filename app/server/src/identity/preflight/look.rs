//! A look at one message, beside its way: asks the DNS, and tells what it found.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use postlane_checks::{Client, Finding, GateVerdict, Known};
use postlane_inspection::Asked;
use postlane_mail::{Instant as Moment, QueueId, Stream};
use postlane_net::dns::Freshness;
use smallvec::SmallVec;
use tokio::time::Instant;

use super::book::Trust;
use super::departing::{Aim, Departing};
use super::judge::{Leaving, judge};
use super::turned::{FAILED, READY, Turn, words};
use super::{Preflight, Sight, Subject};
use crate::identity::turnstile::NotInspected;
use crate::lanes::LaneName;
use crate::outcome::reports::message_id;

/// A look comes to an end by then. Chosen, not measured: a name server that is silent is asked for
/// 15 s, and one question leads to the next.
const PATIENCE: Duration = Duration::from_secs(60);

/// A copy of a message that is about to leave.
pub(super) struct Sample {
    subject: Subject,
    trust: Trust,
    aim: Arc<Aim>,
    at: Moment,
    id: QueueId,
    pieces: SmallVec<[Bytes; 2]>,
    headers: Bytes,
    mail_from: Box<str>,
    is_utf8: bool,
}

/// Octets of messages that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Backlog(AtomicUsize);

impl Sample {
    pub(super) fn of(
        departing: &Departing<'_>,
        (subject, trust): (Subject, Trust),
        (aim, at): (Arc<Aim>, Moment),
    ) -> Self {
        let letter = departing.letter;
        let envelope = &letter.envelope;
        let reverse_path = departing.reverse_path.unwrap_or(&envelope.reverse_path);
        Self {
            subject,
            trust,
            aim,
            at,
            id: departing.id,
            pieces: letter.message.iter().cloned().collect(),
            headers: letter.headers(),
            mail_from: reverse_path.as_str().into(),
            is_utf8: envelope.smtputf8,
        }
    }

    fn octets(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

impl Preflight {
    /// Looks at it, beside, if there is room for it.
    pub(super) fn look(&self, sample: Sample) {
        let octets = sample.octets();
        let most = self.0.live.borrow().preflight.backlog_octets_max;
        let waiting = &self.0.backlog.0;
        if waiting.fetch_add(octets, Ordering::Relaxed) + octets > most {
            waiting.fetch_sub(octets, Ordering::Relaxed);
            self.0.figures.dropped.inc();
            self.0.book.lock().not_looked(&sample.subject);
            return;
        }
        let preflight = self.clone();
        self.0.ring.spawn(async move {
            preflight.look_now(sample).await;
            preflight.0.backlog.0.fetch_sub(octets, Ordering::Relaxed);
        });
    }

    async fn look_now(&self, sample: Sample) {
        let named = message_id(&sample.headers).map(String::from).unwrap_or_default();
        let (id, subject) = (sample.id, sample.subject.clone());
        let found = self.find(sample).await;
        let of = (self.0.clock.now(), id, named);
        let sight = match found {
            Ok((verdict, findings)) => Sight::new(of, &verdict, findings),
            Err(_) => Sight::open(of),
        };
        self.0.figures.looks.inc();
        self.learn(&subject, sight);
    }

    /// Takes in what a look has found, and tells when a gate turned.
    fn learn(&self, subject: &Subject, sight: Sight) {
        let setup = self.0.live.borrow().clone();
        let turn = self.0.book.lock().learn(subject, sight.clone(), &setup.preflight);
        // What is held may go.
        self.0.found.notify_one();
        let Some(turn) = turn else { return };
        let provider = (&*subject.provider).into();
        let name = LaneName { provider, source: Some((&*subject.source).into()) };
        let (kind, detail) = match turn {
            Turn::Failed => (FAILED, words(subject, Some(&sight))),
            Turn::Ready => (READY, words(subject, None)),
        };
        self.0.teller.preflight(sight.at, &name, (kind, &subject.tenant), detail);
    }

    /// What there is to be found.
    async fn find(&self, sample: Sample) -> Result<(GateVerdict, Vec<Finding>), NotInspected> {
        let turn = self.0.turnstile.turn().await?;
        let freshness = match sample.trust {
            Trust::Heard => Freshness::Heard,
            Trust::Nothing => Freshness::Now,
        };
        let asked = Arc::new(Asked::Dns(self.0.resolver.clone(), freshness));
        let octets = sample.pieces.concat();
        let look = move |known: &mut Known| judge(known, sample.leaving(&octets));
        let found = turn.look((asked, Instant::now() + PATIENCE), Known::new(), look).await;
        found.map(|(found, _)| found)
    }
}

impl Sample {
    fn leaving<'a>(&'a self, octets: &'a [u8]) -> Leaving<'a> {
        let client = self.aim.address().map(|address| Client {
            address,
            helo: &self.aim.helo,
            mail_from: &self.mail_from,
        });
        Leaving {
            gate: self.aim.gate,
            octets,
            now: self.at,
            is_utf8: self.is_utf8,
            is_transactional: self.subject.stream == Stream::Transactional,
            client,
        }
    }
}
