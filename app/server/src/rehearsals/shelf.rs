//! Rehearsals that wait, run and are over, by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_mail::{Instant, Label};
use postlane_rehearsal::{Picture, Policy, Summary};
use tokio::sync::watch;

use super::limits::{KEPT_MAX, KEPT_OF_ONE_MAX, UNDER_WAY_MAX, UNDER_WAY_OF_ONE_MAX};
use super::{NewRehearsal, NoRehearsal};

/// Where a rehearsal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Others are before it.
    Waits,
    /// It goes on.
    Runs,
    /// It has come to its end.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// It could not be finished, and why.
    Failed(String),
}

/// What a rehearsal has shown so far.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it stands.
    pub standing: Standing,
    /// When it began to run, and when it was over.
    pub began: Option<Instant>,
    /// When it was over.
    pub ended: Option<Instant>,
    /// Runs that are made, of all.
    pub runs: (u64, u64),
    /// The first run of each policy, as far as it has come.
    pub pictures: BTreeMap<Policy, Picture>,
    /// What the policies came to, of the seeds that are done.
    pub sums: Vec<Summary>,
    /// What our lanes decided in their first run, and how many decisions are left out.
    pub decisions: (Vec<String>, usize),
    /// The lane configuration that is suggested; none as long as no lane was rehearsed.
    pub suggestion: Option<String>,
}

/// A rehearsal.
#[derive(Debug)]
pub struct Rehearsed {
    /// Its number.
    pub id: u64,
    /// What was asked for.
    pub asked: NewRehearsal,
    /// When.
    pub at: Instant,
    seen: Mutex<Seen>,
    /// Goes up with everything that is new.
    news: watch::Sender<u64>,
    stop: std::sync::atomic::AtomicBool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    all: BTreeMap<u64, Arc<Rehearsed>>,
    last: u64,
    /// Whether somebody works on them.
    pub(super) is_worked_on: bool,
}

impl Standing {
    /// Whether nothing comes any more.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Waits | Self::Runs)
    }
}

impl Rehearsed {
    fn new(id: u64, asked: NewRehearsal, at: Instant) -> Self {
        let policies = asked.policies.iter().filter(|policy| **policy != Policy::Oracle).count();
        let runs = (policies as u64 + 1) * asked.seeds;
        let seen = Seen {
            standing: Standing::Waits,
            began: None,
            ended: None,
            runs: (0, runs),
            pictures: BTreeMap::new(),
            sums: Vec::new(),
            decisions: (Vec::new(), 0),
            suggestion: None,
        };
        let (news, stop) = (watch::Sender::new(0), false.into());
        Self { id, asked, at, seen: Mutex::new(seen), news, stop }
    }

    /// What it has shown so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        self.seen.lock().standing.clone()
    }

    /// Tells whenever there is something new.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Something of it is new.
    pub(super) fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock());
        self.news.send_modify(|news| *news += 1);
    }

    /// Ends it as soon as it looks up; what has not begun never does.
    pub(super) fn stop(&self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn is_of(&self, tenant: &Label) -> bool {
        self.asked.tenant == *tenant
    }
}

impl Shelf {
    pub(super) fn put(
        &mut self,
        asked: NewRehearsal,
        at: Instant,
    ) -> Result<Arc<Rehearsed>, NoRehearsal> {
        let tenant = asked.tenant.clone();
        let under_way = |of_one: bool| {
            let all = self.all.values().filter(|one| !one.standing().is_over());
            all.filter(|one| !of_one || one.is_of(&tenant)).count()
        };
        if under_way(true) >= UNDER_WAY_OF_ONE_MAX || under_way(false) >= UNDER_WAY_MAX {
            return Err(NoRehearsal::TooMany);
        }
        self.last += 1;
        let new = Arc::new(Rehearsed::new(self.last, asked, at));
        self.all.insert(new.id, new.clone());
        self.forget(Some(&tenant), KEPT_OF_ONE_MAX);
        self.forget(None, KEPT_MAX);
        Ok(new)
    }

    /// Takes the oldest that are over away, of one tenant or of all.
    fn forget(&mut self, of: Option<&Label>, most: usize) {
        let counted = |one: &&Arc<Rehearsed>| of.is_none_or(|tenant| one.is_of(tenant));
        let many = self.all.values().filter(counted).count();
        let over = self.all.values().filter(counted).filter(|one| one.standing().is_over());
        let old: Vec<u64> = over.take(many.saturating_sub(most)).map(|one| one.id).collect();
        old.iter().for_each(|id| drop(self.all.remove(id)));
    }

    /// The next that waits.
    pub(super) fn next(&self) -> Option<Arc<Rehearsed>> {
        self.all.values().find(|one| one.standing() == Standing::Waits).cloned()
    }

    /// One that a tenant sees; everybody's for [`Label::NONE`].
    pub(super) fn find(&self, id: u64, tenant: &Label) -> Result<Arc<Rehearsed>, NoRehearsal> {
        let found = self.all.get(&id).filter(|one| tenant.is_none() || one.is_of(tenant));
        found.cloned().ok_or(NoRehearsal::Unknown)
    }

    /// Those that a tenant sees, the youngest first.
    pub(super) fn all(&self, tenant: &Label) -> Vec<Arc<Rehearsed>> {
        let seen = self.all.values().rev().filter(|one| tenant.is_none() || one.is_of(tenant));
        seen.cloned().collect()
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.all.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsals::Told;

    fn asked(tenant: &str) -> NewRehearsal {
        let (name, _) = postlane_receivers::builtin()[0];
        NewRehearsal::of(Told::BuiltIn(name.to_owned()))
            .unwrap()
            .by("jo", Label::parse(tenant).unwrap())
    }

    fn end(one: &Rehearsed) {
        one.change(|seen| seen.standing = Standing::Done);
    }

    #[test]
    fn nobody_takes_all_turns_and_the_ninth_is_refused() {
        let mut shelf = Shelf::default();
        for tenant in ["a", "b"] {
            for _ in 0..UNDER_WAY_OF_ONE_MAX {
                shelf.put(asked(tenant), Instant(0)).unwrap();
            }
            assert_eq!(shelf.put(asked(tenant), Instant(0)).unwrap_err(), NoRehearsal::TooMany);
        }
        let seventh = shelf.put(asked("c"), Instant(0)).unwrap();
        shelf.put(asked("d"), Instant(0)).unwrap();
        assert_eq!(shelf.put(asked("e"), Instant(0)).unwrap_err(), NoRehearsal::TooMany);
        end(&seventh);
        assert!(shelf.put(asked("e"), Instant(0)).is_ok());
    }

    #[test]
    fn what_is_over_is_kept_so_long_and_nobody_pushes_anothers_out() {
        let mut shelf = Shelf::default();
        end(&shelf.put(asked("first"), Instant(0)).unwrap());
        for _ in 0..100 {
            end(&shelf.put(asked("busy"), Instant(0)).unwrap());
        }
        let of = |shelf: &Shelf, tenant: &str| shelf.all(&Label::parse(tenant).unwrap()).len();
        assert_eq!((of(&shelf, "first"), of(&shelf, "busy")), (1, KEPT_OF_ONE_MAX));
        for tenant in 0..20 {
            for _ in 0..10 {
                end(&shelf.put(asked(&format!("t{tenant}")), Instant(0)).unwrap());
            }
        }
        assert_eq!(shelf.all(&Label::NONE).len(), KEPT_MAX);
    }

    #[test]
    fn a_tenant_finds_its_own_and_no_others() {
        let mut shelf = Shelf::default();
        let one = shelf.put(asked("acme"), Instant(0)).unwrap();
        let (acme, other) = (Label::parse("acme").unwrap(), Label::parse("other").unwrap());
        assert!(shelf.find(one.id, &acme).is_ok() && shelf.find(one.id, &Label::NONE).is_ok());
        assert_eq!(shelf.find(one.id, &other).unwrap_err(), NoRehearsal::Unknown);
    }
}
