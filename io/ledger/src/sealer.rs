//! The one who seals parts and throws old ones away, behind everybody's back.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use postlane_mail::Instant;

use crate::error::Trouble;
use crate::part::{self, Name, Part, Step, minutes};
use crate::shared::{Closed, Shared};
use crate::tally::Tally;

/// What the sealer is told to do; each time it does all that there is to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// A part was closed.
    Seal,
    /// Say how it went.
    Tell(Sender<io::Result<()>>),
}

/// Closed parts that may wait in memory; the oldest go back to their append logs when sealing fails
/// again and again, and are sealed after the next start.
const CLOSED_MAX: usize = 4;

/// A day, in microseconds.
const DAY: u64 = 86_400_000_000;

/// The sealer; it lives on a thread of its own.
#[derive(Debug)]
pub(crate) struct Sealer {
    shared: Arc<Shared>,
}

impl Sealer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Works until nobody can give orders any more.
    pub(crate) fn run(self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            let done = self.work();
            match order {
                Order::Tell(asked) => {
                    // Who asked may have gone.
                    let _ = asked.send(done);
                }
                Order::Seal => {}
            }
        }
    }

    fn work(&self) -> io::Result<()> {
        let mut done = Ok(());
        loop {
            let next = self.shared.state.read().closed.first().cloned();
            let Some(closed) = next else { break };
            if let Err(why) = self.seal(&closed) {
                self.shared.not_written(self.shared.files.open(), &why);
                self.give_up();
                done = Err(why);
                break;
            }
        }
        let kept = self.merge().and_then(|()| self.retain());
        if let Err(why) = &kept {
            self.shared.not_written(self.shared.files.open(), why);
        }
        done.and(kept)
    }

    fn seal(&self, closed: &Arc<Closed>) -> io::Result<()> {
        self.shared.has_room()?;
        let files = &self.shared.files;
        let Some(name) = part::name(closed) else { return self.forget(closed) };
        for step in Step::ALL.into_iter().filter(|step| *step != Step::Forget) {
            part::step(files, closed, &name, step)?;
        }
        let part = Arc::new(Part::new(files, name));
        let mut state = self.shared.state.write();
        state.parts.push(part);
        state.minutes.push(name);
        state.closed.retain(|other| !Arc::ptr_eq(other, closed));
        drop(state);
        part::step(files, closed, &name, Step::Forget)
    }

    /// A part without entries is no part.
    fn forget(&self, closed: &Arc<Closed>) -> io::Result<()> {
        self.shared.state.write().closed.retain(|other| !Arc::ptr_eq(other, closed));
        fs::metadata(self.shared.files.open()).map(|_| ())
    }

    /// Leaves the oldest closed parts to their append logs, so that memory is bounded.
    fn give_up(&self) {
        let mut state = self.shared.state.write();
        let over = state.closed.len().saturating_sub(CLOSED_MAX);
        let dropped: u64 =
            state.closed.drain(..over).map(|closed| closed.entries().count() as u64).sum();
        drop(state);
        if dropped > 0 {
            self.shared.tell(&Trouble::Unreadable(dropped));
        }
    }

    /// Puts the counts of each day that is over into one file.
    fn merge(&self) -> io::Result<()> {
        let files = &self.shared.files;
        let today = (self.shared.settings.clock)().0 / DAY;
        let mut days: BTreeMap<u64, Vec<Name>> = BTreeMap::new();
        for name in &self.shared.state.read().minutes {
            days.entry(name.first.0 / DAY).or_default().push(*name);
        }
        for (_, names) in days.into_iter().filter(|(day, names)| *day < today && names.len() > 1) {
            let mut tallies = Vec::new();
            for name in &names {
                match part::carefully(|| minutes::read(&files.minutes(name), Some, |_| true)) {
                    Ok(found) => tallies.extend(found),
                    // What cannot be read is not merged, and found out by the next who asks.
                    Err(_) => return Ok(()),
                }
            }
            let Some(merged) = together(&names) else { continue };
            minutes::write(&files.minutes(&merged), &Tally::together(tallies))?;
            let mut state = self.shared.state.write();
            state.minutes.retain(|name| !names.contains(name));
            state.minutes.push(merged);
            drop(state);
            for name in names.iter().filter(|name| **name != merged) {
                fs::remove_file(files.minutes(name))?;
            }
        }
        Ok(())
    }

    /// Removes what is older than it is kept, and the oldest of what is too much.
    fn retain(&self) -> io::Result<()> {
        let settings = &self.shared.settings;
        let now = (settings.clock)();
        let mut state = self.shared.state.write();
        let mut parts = state.parts.clone();
        parts.sort_by_key(|part| part.name.last_at);
        let mut octets: u64 = parts.iter().map(|part| part.octets).sum();
        let mut old = Vec::new();
        for part in &parts {
            if now.since(part.name.last_at) <= settings.keep && octets <= settings.octets_max {
                break;
            }
            octets -= part.octets;
            old.push(Arc::clone(part));
        }
        state.parts.retain(|part| !old.iter().any(|old| Arc::ptr_eq(old, part)));
        let is_old = |last_at: Instant| now.since(last_at) > settings.keep_tallies;
        let tallies: Vec<Name> =
            state.minutes.iter().copied().filter(|name| is_old(name.last_at)).collect();
        state.minutes.retain(|name| !is_old(name.last_at));
        drop(state);
        for part in old {
            part.remove()?;
        }
        for name in tallies {
            fs::remove_file(self.shared.files.minutes(&name))?;
        }
        Ok(())
    }
}

/// The name of several files' contents in one.
fn together(names: &[Name]) -> Option<Name> {
    Some(Name {
        first_at: names.iter().map(|name| name.first_at).min()?,
        last_at: names.iter().map(|name| name.last_at).max()?,
        first: names.iter().map(|name| name.first).min()?,
        last: names.iter().map(|name| name.last).max()?,
        entries: names.iter().map(|name| name.entries).sum(),
    })
}
