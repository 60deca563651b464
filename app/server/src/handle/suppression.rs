//! The suppression list, for whoever may look at it and change it.

use std::time::Duration;

use postlane_mail::{Host, Instant, Label as Tenant};
use postlane_spool::{Changes, Urgency};
use postlane_suppression::{Effect, Entry, Full, Reason, Standing, Subject, Whom};

use super::{Action, Filter, Handle, Inside, Stopped};
use crate::outcome::suppression::{Teller, Update, kept, key_of};
use crate::telling::journal::Line;

/// Which entries are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuppressionFilter {
    /// Of this domain: its mailboxes and itself.
    pub domain: Option<Host>,
    /// Of this mailbox, or of this domain as a whole.
    pub subject: Option<Subject>,
    /// In this tenant's mail; [`Tenant::NONE`] for everybody's.
    pub tenant: Option<Tenant>,
    /// For this reason.
    pub reason: Option<Reason>,
    /// Mailboxes or domains.
    pub whom: Option<Whom>,
    /// Whose host said it, by id.
    pub provider: Option<String>,
    /// Made then or later.
    pub since: Option<Instant>,
}

/// Part of a listing.
#[derive(Debug, Clone, Default)]
pub struct SuppressionPage {
    /// Entries that are not over, in the order of their domains.
    pub entries: Vec<Entry>,
    /// Ask with this for what comes next; none at the end.
    pub next: Option<String>,
}

/// Why entries were not made or taken away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotListed {
    /// There is no room for so many.
    #[error("{0}")]
    Full(#[from] Full),
    /// The spool cannot say whether they are on disk, or the server is closing.
    #[error("the spool cannot say whether the change is on disk; look, and ask again")]
    Unknown,
}

/// Entries told in the log one by one, of one request; of more their number is. Chosen, not
/// measured.
const TOLD_MAX: usize = 100;

/// From one look for entries that are over to the next. Chosen, not measured: they stop no mail
/// in between.
const FORGET_EVERY_S: u64 = 600;

/// Entries taken away in one batch.
const AT_ONCE: usize = 1000;

impl Handle {
    /// The time by which entries begin and end.
    pub fn now(&self) -> Instant {
        self.0.clock.now()
    }

    /// Puts entries on the list, or in the place of those that are there. When this says so they
    /// are durable and hold, all of them. How many are new.
    pub async fn suppress(&self, entries: Vec<Entry>) -> Result<u64, NotListed> {
        let is_new = |entry: &&Entry| self.0.suppressions.find(entry.subject.key()).is_none();
        let new = entries.iter().filter(is_new).count();
        self.0.suppressions.room_for(new)?;
        let updates = entries
            .iter()
            .map(|entry| Update { subject: entry.subject.clone(), standing: Some(entry.standing) });
        let (updates, keyed) = (updates.collect(), entries.iter().map(kept).collect());
        self.0.list(keyed, updates).await?;
        let by = entries.first().map(|entry| entry.by.as_str().to_owned()).unwrap_or_default();
        self.0.tell(Told::Suppressed, &entries, &by);
        Ok(new as u64)
    }

    /// Takes whoever is meant off the list, in a tenant's mail or in everybody's and all tenants'.
    /// Mail that waited for it goes on. What was taken away.
    pub async fn unsuppress(
        &self,
        subject: &Subject,
        tenant: Option<Tenant>,
        by: &str,
    ) -> Result<Vec<Entry>, NotListed> {
        let subject = Some(subject.clone());
        let filter = SuppressionFilter { subject, tenant, ..SuppressionFilter::default() };
        let page =
            self.suppressions(filter, None, AT_ONCE).await.map_err(|_| NotListed::Unknown)?;
        self.take_off(&page.entries, by).await?;
        Ok(page.entries)
    }

    /// Takes all that agrees with the filter off the list; how many. For the day on which a
    /// provider has said of everybody that they are not there.
    pub async fn unsuppress_all(
        &self,
        filter: SuppressionFilter,
        by: &str,
    ) -> Result<u64, NotListed> {
        let (mut from, mut removed) = (None, 0);
        loop {
            let page = self.suppressions(filter.clone(), from, AT_ONCE).await;
            let page = page.map_err(|_| NotListed::Unknown)?;
            self.take_off(&page.entries, by).await?;
            removed += page.entries.len() as u64;
            from = page.next;
            if from.is_none() {
                return Ok(removed);
            }
        }
    }

    async fn take_off(&self, removed: &[Entry], by: &str) -> Result<(), NotListed> {
        self.0.forget_entries(removed).await?;
        self.0.tell(Told::Unsuppressed, removed, by);
        for entry in removed {
            if entry.standing.effect(entry.subject.whom()) == Effect::Waits {
                let domain = Host::parse(entry.subject.host()).ok();
                // An entry in one tenant's mail has kept nobody else's waiting.
                let tenant = Tenant::parse(entry.subject.tenant()).ok().filter(|t| !t.is_none());
                // What waits goes on later by itself, if the engine has stopped hearing.
                let _ =
                    self.act(Action::Retry, Filter { domain, tenant, ..Filter::default() }).await;
            }
        }
        Ok(())
    }

    /// Lists entries that are not over, from a place in the listing on.
    pub async fn suppressions(
        &self,
        filter: SuppressionFilter,
        from: Option<String>,
        limit: usize,
    ) -> Result<SuppressionPage, Stopped> {
        let inside = self.0.clone();
        // A long list is looked through, and its entries are copied.
        let look = move || inside.suppressions(&filter, from, limit);
        tokio::task::spawn_blocking(look).await.map_err(|_| Stopped)
    }

    /// Forgets entries that are over, from time to time, until the server closes.
    pub(crate) async fn forget_suppressions(self) {
        let mut stop = self.0.stop.subscribe();
        let mut look = tokio::time::interval(Duration::from_secs(FORGET_EVERY_S));
        loop {
            let closing = tokio::select! {
                _ = look.tick() => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            if closing {
                return;
            }
            self.forget_what_is_over().await;
        }
    }

    async fn forget_what_is_over(&self) {
        let mut behind = None;
        loop {
            let now = self.0.clock.now();
            let inside = self.0.clone();
            let look = move || {
                let is_over = |_: &str, standing: &Standing| standing.is_over(now);
                let page = inside.suppressions.page("", behind, AT_ONCE, is_over);
                (inside.entries(&page.entries), page.next)
            };
            let Ok((over, next)) = tokio::task::spawn_blocking(look).await else { return };
            if !over.is_empty() {
                if self.0.forget_entries(&over).await.is_err() {
                    return;
                }
                self.0.tell(Told::Unsuppressed, &over, "expiry");
            }
            behind = next;
            if behind.is_none() {
                return;
            }
        }
    }
}

/// What has become of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Suppressed,
    Unsuppressed,
}

impl Inside {
    fn suppressions(
        &self,
        filter: &SuppressionFilter,
        from: Option<String>,
        limit: usize,
    ) -> SuppressionPage {
        let now = self.clock.now();
        let prefix = match (&filter.subject, &filter.domain) {
            (Some(subject), _) => subject.whatever_tenant().to_owned(),
            (None, Some(host)) => format!("{host}@"),
            (None, None) => String::new(),
        };
        let wanted = |key: &str, standing: &Standing| {
            let agrees = |subject: &Subject| {
                let in_domain = filter.domain.as_ref();
                in_domain.is_none_or(|host| host.to_string() == subject.host())
                    && filter.tenant.as_ref().is_none_or(|t| t.as_str() == subject.tenant())
                    && filter.whom.is_none_or(|whom| whom == subject.whom())
            };
            !standing.is_over(now)
                && filter.since.is_none_or(|since| standing.since() >= since)
                && filter.reason.is_none_or(|reason| reason == standing.reason)
                && Subject::from_key(key).is_some_and(|subject| agrees(&subject))
        };
        let page = self.suppressions.page(&prefix, from.map(Into::into), limit, wanted);
        let mut entries = self.entries(&page.entries);
        if let Some(provider) = &filter.provider {
            entries.retain(|entry| entry.provider.as_str() == provider);
        }
        SuppressionPage { entries, next: page.next.map(String::from) }
    }

    /// What the spool has of entries; one that has just gone is left out.
    fn entries(&self, found: &[(Box<str>, Standing)]) -> Vec<Entry> {
        let entry = |(key, _): &(Box<str>, Standing)| {
            let value = self.store.keyed_value(&key_of(key))?;
            Entry::from_octets(key, &value).ok()
        };
        found.iter().filter_map(entry).collect()
    }

    async fn forget_entries(&self, entries: &[Entry]) -> Result<(), NotListed> {
        let keyed = entries.iter().map(|entry| (key_of(entry.subject.key()), None)).collect();
        let gone = |entry: &Entry| Update { subject: entry.subject.clone(), standing: None };
        self.list(keyed, entries.iter().map(gone).collect()).await
    }

    /// Has changes of the list written; they hold when they are durable, before this says so.
    async fn list(
        &self,
        keyed: Vec<(postlane_spool::Key, Option<bytes::Bytes>)>,
        updates: Vec<Update>,
    ) -> Result<(), NotListed> {
        if keyed.is_empty() {
            return Ok(());
        }
        let changes = Changes { urgency: Urgency::Now, keyed, ..Changes::default() };
        let list = self.suppressions.clone();
        let (done, durable) = tokio::sync::oneshot::channel();
        self.awaited.commit_then(&*self.store, changes, move || {
            list.apply(&updates);
            // Who asked may have gone away.
            let _ = done.send(());
        });
        durable.await.map_err(|_| NotListed::Unknown)
    }

    /// Says it to the log and to whoever listens.
    fn tell(&self, told: Told, entries: &[Entry], by: &str) {
        let teller = Teller {
            journal: self.intake.journal.clone(),
            events: self.events.clone(),
            history: self.history.clone(),
            live: self.live.clone(),
        };
        let (now, shown) = (self.clock.now(), self.live.borrow().log.addresses);
        if entries.len() > TOLD_MAX {
            let kind = if told == Told::Suppressed { "suppressed" } else { "unsuppressed" };
            let mut line = Line::new(now, kind);
            line.number("entries", entries.len() as u64);
            line.field("by", by);
            self.intake.journal.write(line.end());
            entries.iter().for_each(|entry| teller.event(now, kind, entry, by));
            return;
        }
        for entry in entries {
            match told {
                Told::Suppressed => teller.suppressed(now, shown, entry),
                Told::Unsuppressed => teller.unsuppressed(now, shown, entry, by),
            }
        }
    }
}
