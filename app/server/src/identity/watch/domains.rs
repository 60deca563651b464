//! Domains are looked at, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use postlane_checks::blocklist::Subject;
use postlane_checks::watch::{IssueTurn, RecordChange, RecordSet, Version};
use postlane_checks::{KeysSeen, Kind, Known, Name};
use postlane_inspection::COMMON_SELECTORS;
use postlane_ledger::{Entry, Kind as Happened};
use postlane_mail::{Instant, Label};
use postlane_registry::{KeptVersion, RegistryError};
use postlane_triage::GoneRecord;

use super::domain::{KnownDomain, Looked, look, sending};
use super::kept_domain::{keep, keep_version, read, read_version, values};
use crate::handle::Handle;
use crate::setup::{Setup, WatchSetup, WatchedSubject};
use crate::telling::events::Event;
use crate::telling::journal::Line;

/// All domains that are watched, with what is known of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Domains(pub(crate) BTreeMap<Name, KnownDomain>);

/// Which domains are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sought {
    /// Those that are due.
    Due,
    /// All, for somebody wants to know now.
    All,
    /// This one.
    One(Name),
}

/// Domains that one tick looks at, at most; the rest waits for the next. Chosen, not measured.
const AT_ONCE_MAX: usize = 60;

/// Records of one moment that are read, at most: as many as a domain may have.
const RECORDS_MAX: u32 = 256;

impl Handle {
    pub(super) async fn recall_domains(&self) -> Result<(), RegistryError> {
        let mut held = self.0.watch.domains.lock().await;
        if held.is_some() {
            return Ok(());
        }
        let (kept, versions) =
            self.registry(|db| Ok((db.watched_domains()?, db.records_now()?))).await?;
        let mut records: BTreeMap<String, Vec<(RecordSet, Version)>> = BTreeMap::new();
        for version in &versions {
            let of_domain = records.entry(version.domain.clone()).or_default();
            of_domain.extend(read_version(version));
        }
        let domain = |of: &postlane_registry::KeptDomain| {
            read(of, records.remove(&of.domain).unwrap_or_default())
        };
        let domains = Domains(kept.iter().filter_map(domain).collect());
        *self.0.watch.domains_seen.lock() = Arc::new(domains.clone());
        *held = Some(domains);
        Ok(())
    }

    /// One look at domains. What has changed is durable when this says so.
    pub(crate) async fn look_at_domains(&self, sought: &Sought) -> Result<(), RegistryError> {
        self.recall_domains().await?;
        let setup = self.0.live.borrow().clone();
        if !setup.watch.records {
            return Ok(());
        }
        let mut held = self.0.watch.domains.lock().await;
        let Some(domains) = held.as_mut() else { return Err(RegistryError::Busy) };
        for gone in domains.keep_only(&setup.watch) {
            self.registry(move |db| db.forget_domain(gone.as_str())).await?;
        }
        for name in domains.sought(sought, self.now()) {
            if *self.0.stop.borrow() {
                break;
            }
            let subject = setup.watch.subjects.get(&Subject::Domain(name.clone()));
            let Some(subject) = subject.cloned() else { continue };
            let known = domains.0.get(&name).cloned().unwrap_or_default();
            let keys = domains.keys_seen(&name);
            let (known, told) = self.look_at_domain(&setup, &name, (subject, &keys), known).await;
            let kept = keep(&name, &known);
            let versions: Vec<KeptVersion> =
                known.records.iter().map(|(set, of)| keep_version(&name, set, of)).collect();
            self.registry(move |db| db.keep_domain(&kept, &versions)).await?;
            domains.0.insert(name.clone(), known);
            self.tell_of_records(&setup, &name, &told);
        }
        *self.0.watch.domains_seen.lock() = Arc::new(domains.clone());
        let mut gone = domains.gone(&setup.watch);
        drop(held);
        self.say_what_was(&mut gone).await;
        self.look_for_facts(|incidents, now| incidents.look_at_records(now, &gone)).await;
        Ok(())
    }

    /// What was published where nothing is any more.
    async fn say_what_was(&self, gone: &mut [GoneRecord]) {
        for of in gone {
            let (domain, before) = (of.domain.to_string(), Instant(of.since.0.saturating_sub(1)));
            let was =
                self.registry(move |db| db.record_versions(&domain, Some(before), RECORDS_MAX));
            let was = was.await.unwrap_or_default();
            let was = was.iter().find(|was| format!("{} {}", was.name, was.kind) == *of.record);
            of.was = was.map(|was| values(was).shown()).unwrap_or_default();
        }
    }

    async fn look_at_domain(
        &self,
        setup: &Setup,
        name: &Name,
        (subject, keys): (WatchedSubject, &KeysSeen),
        mut known: KnownDomain,
    ) -> (KnownDomain, Vec<RecordChange>) {
        let every = setup.watch.records_every;
        let addresses = setup.watch.source_addresses();
        let asked = sending(name, &subject, &addresses, &COMMON_SELECTORS, (self.now(), keys));
        let of = subject.clone();
        let looked = self.0.inspector.look(Known::new(), move |known| look(known, &asked, &of));
        match looked.await {
            Ok((report, answers)) => {
                let looked = Looked::new(answers, report);
                let turned = known.take(self.now(), name, (&looked, &subject), every);
                for (check, turn) in &turned.issues {
                    let what = match turn {
                        IssueTurn::Opened => "opened",
                        IssueTurn::Resolved => "resolved",
                    };
                    let fields = [("domain", name.as_str()), ("rule", *check), ("command", what)];
                    self.0.intake.journal.event(self.now(), "domain-issue", &fields);
                }
                (known, turned.changes)
            }
            Err(why) => {
                known.fail(self.now(), why.to_string(), every);
                (known, Vec::new())
            }
        }
    }

    fn tell_of_records(&self, setup: &Setup, domain: &Name, changes: &[RecordChange]) {
        let tenant = setup.watch.tenant_of(&Subject::Domain(domain.clone()));
        for change in changes {
            let told = Told { domain, change, tenant: &tenant };
            self.0.history.record(setup, || told.entry());
            self.0.events.tell(|| told.event());
            self.0.intake.journal.write(told.line());
        }
    }
}

impl Domains {
    /// Begins to watch what is not watched yet, and gives what is to be watched no more.
    fn keep_only(&mut self, setup: &WatchSetup) -> Vec<Name> {
        let wanted: BTreeSet<&Name> = setup.domains().collect();
        let gone: Vec<Name> =
            self.0.keys().filter(|name| !wanted.contains(name)).cloned().collect();
        gone.iter().for_each(|name| drop(self.0.remove(name)));
        for name in wanted {
            self.0.entry(name.clone()).or_default();
        }
        gone
    }

    /// What the records of all domains tell of the keys of one.
    fn keys_seen(&self, of: &Name) -> KeysSeen {
        let mut seen = KeysSeen::default();
        for (domain, known) in &self.0 {
            let of_keys = known.records.iter().filter(|(set, _)| {
                set.kind == Kind::Txt && set.name.as_str().contains("._domainkey.")
            });
            for (set, version) in of_keys {
                if domain == of {
                    seen.since.insert(set.name.clone(), version.since);
                } else if let Some(text) = version.values.iter().next() {
                    seen.elsewhere.push((set.name.clone(), text.into()));
                }
            }
        }
        seen
    }

    fn sought(&self, sought: &Sought, now: Instant) -> Vec<Name> {
        let mut found: Vec<(&Name, &KnownDomain)> = match sought {
            Sought::Due => self.0.iter().filter(|(_, of)| of.next <= now).collect(),
            Sought::All => self.0.iter().collect(),
            Sought::One(name) => self.0.get_key_value(name).into_iter().collect(),
        };
        found.sort_by_key(|(_, of)| of.next);
        found.into_iter().take(AT_ONCE_MAX).map(|(name, _)| name.clone()).collect()
    }

    /// Records that mail needs and that are gone.
    fn gone(&self, setup: &WatchSetup) -> Vec<GoneRecord> {
        let mut gone = Vec::new();
        for (name, domain) in &self.0 {
            let tenant = setup.tenant_of(&Subject::Domain(name.clone()));
            gone.extend(domain.records.gone(name).map(|(set, version)| GoneRecord {
                domain: name.as_str().into(),
                record: set.shown().into(),
                tenant: tenant.clone(),
                since: version.since,
                was: String::new(),
            }));
        }
        gone
    }
}

impl WatchSetup {
    /// The domains that are watched, by name.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Name> {
        self.subjects.keys().filter_map(|subject| match subject {
            Subject::Domain(name) => Some(name),
            Subject::Address(_) => None,
        })
    }

    /// The addresses that are watched: those mail leaves by.
    pub(crate) fn source_addresses(&self) -> BTreeSet<IpAddr> {
        let address = |subject: &Subject| match subject {
            Subject::Address(address) => Some(*address),
            Subject::Domain(_) => None,
        };
        self.subjects.keys().filter_map(address).collect()
    }
}

/// A change of records.
struct Told<'a> {
    domain: &'a Name,
    change: &'a RecordChange,
    tenant: &'a Label,
}

/// Octets of either side of a change that are told; all of it is in `postlane domains changes`.
const SAYS_MAX: usize = 400;

impl Told<'_> {
    fn says(&self) -> String {
        let RecordChange { set, was, now } = self.change;
        let short = |mut text: String| {
            text.truncate(text.floor_char_boundary(SAYS_MAX));
            text
        };
        let (was, now) = (short(was.values.shown()), short(now.values.shown()));
        format!("{}: was {was}; is {now}", set.shown())
    }

    fn what(&self) -> &'static str {
        match (self.change.was.values.is_empty(), self.change.now.values.is_empty()) {
            (_, true) => "removed",
            (true, false) => "added",
            _ => "changed",
        }
    }

    fn entry(&self) -> Entry {
        let mut entry = Entry::new(Happened::RecordChanged, self.change.now.since);
        entry.tenant = self.tenant.as_str().into();
        entry.domain = self.domain.as_str().into();
        entry.label = self.change.set.kind.as_str().into();
        entry.command = self.what().into();
        entry.detail = self.says().into();
        entry
    }

    fn event(&self) -> Event {
        let kind = Happened::RecordChanged.as_str();
        let mut event = Event::new(self.change.now.since, kind, None);
        event.tenant = self.tenant.to_string();
        event.detail = self.says();
        event
    }

    fn line(&self) -> String {
        let kind = Happened::RecordChanged.as_str();
        let mut line = Line::new(self.change.now.since, kind);
        line.field("domain", self.domain.as_str());
        if !self.tenant.is_none() {
            line.field("tenant", self.tenant.as_str());
        }
        line.field("command", self.what());
        line.field("text", &self.says());
        line.end()
    }
}
