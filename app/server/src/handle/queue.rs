//! Looking at what waits, and acting on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_engine::{
    Cursor as EngineCursor, Input, Operator, Row as EngineRow, Selection, Standing, Tally,
    Waiting as EngineWaiting,
};
use postlane_mail::{Envelope, Instant, LastReply, QueueId};
use postlane_spool::{Store as _, Stored};
use postlane_suppression::Asked;
use tokio::sync::oneshot;

use super::{
    AGE_BUCKETS_MIN, Action, Cursor, Filter, Handle, Inside, MessageView, Page, Row, Status,
    Stopped, Summary, SummaryLine, Waiting,
};
use crate::identity::preflight::why_held;
use crate::intake::facts::Facts;
use crate::outbound::faults::why_broken;

impl Handle {
    /// Right after a start the queue is still on its way from the spool to the engine. Who would
    /// miss some of it waits until it is there: a second for a million messages.
    async fn until_whole(&self) {
        // A reader that has died leaves the queue as it is.
        let _ = self.0.whole.clone().wait_for(|whole| *whole).await;
    }

    /// Lists recipients that agree with the filter, from a place in the listing on.
    pub async fn list(
        &self,
        filter: Filter,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, Stopped> {
        self.until_whole().await;
        let Some(selection) = self.0.selection(&filter) else {
            return Ok(Page { rows: Vec::new(), next: None });
        };
        let standing = filter.status.map(standing_of);
        let from = EngineCursor(from.map_or(0, |cursor| cursor.0));
        let (rows, next) = self
            .look(move |engine, now| engine.list(now, &selection, standing, from, limit))
            .await?;
        let inside = self.0.clone();
        // Addresses and replies are in the spool, and the spool is on a disk.
        let rows = tokio::task::spawn_blocking(move || inside.rows(&rows)).await;
        let next = next.map(|cursor| Cursor(cursor.0));
        Ok(Page { rows: rows.map_err(|_| Stopped)?, next })
    }

    /// How much waits, by provider and age.
    pub async fn summary(&self, filter: Filter) -> Result<Summary, Stopped> {
        self.until_whole().await;
        let Some(selection) = self.0.selection(&filter) else { return Ok(Summary::default()) };
        let wanted = filter.status.map(standing_of);
        let tallied = self.look(move |engine, now| {
            let mut lines: BTreeMap<_, SummaryLine> = BTreeMap::new();
            engine.tally(now, &selection, |tally| {
                if wanted.is_none_or(|wanted| wanted == tally.standing) {
                    let key = (tally.provider, tally.provider.is_none().then_some(tally.domain));
                    count(lines.entry(key).or_default(), &tally);
                }
            });
            lines
        });
        let names = &self.0.names;
        let named = tallied.await?.into_iter().map(|((provider, domain), line)| {
            let name = match (provider, domain) {
                (Some(provider), _) => names.provider_of(provider).to_string(),
                (None, Some(domain)) => {
                    let named = names.destination_of(domain);
                    named.map(|named| named.host.to_string()).unwrap_or_default()
                }
                (None, None) => String::new(),
            };
            SummaryLine { name, ..line }
        });
        let mut lines: Vec<SummaryLine> = named.collect();
        lines.sort_by_key(|line| {
            (std::cmp::Reverse(line.by_age.iter().sum::<u64>()), line.name.clone())
        });
        Ok(Summary { lines })
    }

    /// One message that still waits.
    pub async fn message(&self, id: QueueId) -> Result<Option<MessageView>, Stopped> {
        self.until_whole().await;
        let selection = Selection { ids: Some(vec![id]), ..Selection::default() };
        let (rows, _) = self
            .look(move |engine, now| {
                engine.list(now, &selection, None, EngineCursor::default(), usize::MAX)
            })
            .await?;
        let inside = self.0.clone();
        let view = move || {
            let stored = inside.store.read(rows.first()?.place).ok()?;
            Some(view(id, &stored, inside.rows(&rows)))
        };
        tokio::task::spawn_blocking(view).await.map_err(|_| Stopped)
    }

    /// Does something with everything that agrees with the filter; to how many recipients.
    pub async fn act(&self, action: Action, filter: Filter) -> Result<u64, Stopped> {
        self.until_whole().await;
        let Some(selection) = self.0.selection(&filter) else { return Ok(0) };
        let (request, answer) = self.0.answers.ask();
        let action = action.of_engine();
        self.0.mailbox.tell(Input::Operator(Operator { request, action, selection }));
        answer.await.map_err(|_| Stopped)
    }

    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&postlane_engine::Engine<crate::outbound::evidence::Evidence>, Instant) -> T
        + Send
        + 'static,
    ) -> Result<T, Stopped> {
        let (seen, sight) = oneshot::channel();
        self.0.mailbox.look(move |engine, now| {
            // Who asked may have gone away.
            let _ = seen.send(look(engine, now));
        });
        sight.await.map_err(|_| Stopped)
    }
}

impl Inside {
    /// A filter in the engine's numbers; none where nothing can agree with it.
    fn selection(&self, filter: &Filter) -> Option<Selection> {
        let now = self.clock.now();
        let mut selection = Selection {
            ids: (!filter.ids.is_empty()).then(|| filter.ids.clone()),
            stream: filter.stream,
            before: filter.older_than.map(|span| Instant(now.0.saturating_sub(span.0))),
            after: filter.younger_than.map(|span| Instant(now.0.saturating_sub(span.0))),
            ..Selection::default()
        };
        if let Some(host) = &filter.domain {
            selection.domains = Some(self.names.destinations_of_host(host));
        }
        if let Some(provider) = &filter.provider {
            selection.provider = Some(self.names.known_provider(provider)?);
        }
        if filter.tenant.is_some() || filter.campaign.is_some() {
            selection.flows =
                Some(self.names.flows_of(filter.tenant.as_ref(), filter.campaign.as_ref()));
        }
        Some(selection)
    }

    fn rows(&self, rows: &[EngineRow]) -> Vec<Row> {
        let mut read: Option<(QueueId, Option<Known>)> = None;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            if read.as_ref().is_none_or(|(id, _)| *id != row.id) {
                read = Some((row.id, self.known(row)));
            }
            // What has ended since the look is left out.
            if let Some((_, Some(known))) = &read {
                all.push(self.row(row, known));
            }
        }
        all
    }

    fn known(&self, row: &EngineRow) -> Option<Known> {
        let envelope = match self.cache.find(row.id) {
            Some(letter) => letter.envelope,
            None => Arc::new(self.store.read(row.place).ok()?.envelope),
        };
        let replies = self.store.progress(row.place).ok()?;
        let replies = replies.into_iter().filter_map(|(i, _, last)| Some((i, last?))).collect();
        Some(Known { envelope, replies })
    }

    fn row(&self, row: &EngineRow, known: &Known) -> Row {
        let envelope = &known.envelope;
        let recipient = envelope.recipients.get(usize::from(row.index));
        let setup = self.live.borrow();
        let source = row.source.and_then(|source| setup.sources.get(usize::from(source.0)));
        Row {
            id: row.id,
            index: row.index,
            recipient: recipient.map_or_else(String::new, |r| r.mailbox.as_str().to_owned()),
            sender: envelope.reverse_path.as_str().to_owned(),
            provider: row.provider.map(|provider| self.names.provider_of(provider).to_string()),
            source: source.map(|source| source.name.clone()),
            stream: row.stream,
            tenant: envelope.tenant.as_str().to_owned(),
            campaign: envelope.campaign.as_str().to_owned(),
            status: match row.standing {
                Standing::Active => Status::Active,
                Standing::Ready => Status::Ready,
                Standing::Deferred => Status::Deferred,
                Standing::Held => Status::Held,
            },
            attempts: row.attempts,
            arrived_at: row.id.moment(),
            next_attempt_at: row.due.max(row.waiting.and_then(|why| why.until())),
            expires_at: row.expires,
            waiting: row.waiting.map(|why| self.waiting(row, known, why)),
            last_reply: self.last_reply(row, known),
        }
    }

    fn waiting(&self, row: &EngineRow, known: &Known, why: EngineWaiting) -> Waiting {
        if let Some(waiting) = self.on_hold(row, known, why) {
            return waiting;
        }
        let waits = matches!(why, EngineWaiting::Held | EngineWaiting::Deferred { .. });
        let broken = known.replies.get(&row.index).filter(|_| waits).and_then(why_broken);
        if let Some(reason) = broken {
            return Waiting { reason: reason.to_owned(), until: why.until() };
        }
        let route = matches!(why, EngineWaiting::NoRoute { .. });
        let held = known.replies.get(&row.index).and_then(why_held);
        if let (EngineWaiting::Deferred { until }, Some(reason)) = (why, held) {
            return Waiting { reason: reason.to_owned(), until: Some(until) };
        }
        let failure = self.failures.of(row.domain).filter(|_| route);
        let reason = failure.map_or_else(|| why.to_string(), |failure| failure.to_string());
        Waiting { reason, until: why.until() }
    }

    /// Why it waits, where that is because its domain is on hold.
    fn on_hold(&self, row: &EngineRow, known: &Known, why: EngineWaiting) -> Option<Waiting> {
        let EngineWaiting::Deferred { until } = why else { return None };
        let to = &known.envelope.recipients.get(usize::from(row.index))?.mailbox;
        let Envelope { tenant, reverse_path, .. } = &*known.envelope;
        let asked = Asked { tenant, from: reverse_path, to };
        let stopped = self.suppressions.ask(self.clock.now(), &asked)?;
        let ends = stopped.waits_until()?;
        Some(Waiting { reason: stopped.says(), until: Some(until.max(ends)) })
    }

    /// What was last said to the recipient, or what became of the last session with the host
    /// it waits for.
    fn last_reply(&self, row: &EngineRow, known: &Known) -> Option<LastReply> {
        let said = known.replies.get(&row.index);
        let failed = row.failing.and_then(|host| self.unreached.of(host));
        failed.into_iter().chain(said.cloned()).max_by_key(|last| last.at)
    }
}

/// What the spool knows of a message.
struct Known {
    envelope: Arc<Envelope>,
    replies: BTreeMap<u16, LastReply>,
}

fn count(line: &mut SummaryLine, tally: &Tally) {
    let bucket = AGE_BUCKETS_MIN.iter().position(|most| tally.age_min < u64::from(*most));
    line.by_age[bucket.unwrap_or(AGE_BUCKETS_MIN.len())] += 1;
    match tally.standing {
        Standing::Active => line.active += 1,
        Standing::Ready => line.ready += 1,
        Standing::Deferred => line.deferred += 1,
        Standing::Held => line.held += 1,
    }
}

fn standing_of(status: Status) -> Standing {
    match status {
        Status::Active => Standing::Active,
        Status::Ready => Standing::Ready,
        Status::Deferred => Standing::Deferred,
        Status::Held => Standing::Held,
    }
}

fn view(id: QueueId, stored: &Stored, rows: Vec<Row>) -> MessageView {
    const HEADER_OCTETS_MAX: usize = 16 << 10;
    let header = Facts::from_octets(&stored.facts).header_octets as usize;
    let header = stored.message.get(..header.min(HEADER_OCTETS_MAX)).unwrap_or_default();
    MessageView {
        id,
        sender: stored.envelope.reverse_path.as_str().to_owned(),
        tenant: stored.envelope.tenant.as_str().to_owned(),
        octets: stored.message.len() as u64,
        headers: String::from_utf8_lossy(header).into_owned(),
        rows,
    }
}
