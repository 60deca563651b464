//! Lists are asked, again and again.

use std::collections::BTreeSet;
use std::sync::Arc;

use postlane_checks::Known;
use postlane_checks::blocklist::{Keys, List, Lists, Reading, Subject, look_up};
use postlane_checks::watch::{Board, Budget, Due, NotWatched, Turn};
use postlane_mail::{Instant, Span};
use postlane_net::dns::{Freshness, Resolver};
use postlane_registry::{KeptCell, KeptDay, ListingStep, RegistryError};
use tokio::task::JoinSet;

use super::Seen;
use super::domains::Sought;
use super::kept::{keep, keep_day, read, read_day, span};
use super::telling::Told;
use crate::handle::Handle;
use crate::setup::{Asking, Setup, WatchSetup};

/// Which questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that are due.
    Due,
    /// All, for somebody wants to know now.
    All,
}

/// The first look comes so long after the start: who starts a relay to try it does not mean to ask
/// the world about it. Chosen, not measured.
const FIRST_AFTER: Span = Span::from_min(1);

/// How often it is seen whether something is due.
const TICK: Span = Span::from_min(1);

/// Rounds of questions for one look at a list: it takes one. Chosen, not measured.
const ROUNDS_MAX: usize = 4;

/// One list, what it says of subjects.
struct Heard {
    list: Box<str>,
    readings: Vec<(Subject, Reading)>,
}

/// What a look has changed.
#[derive(Default)]
struct Changes {
    cells: BTreeSet<(Box<str>, Subject)>,
    steps: Vec<ListingStep>,
    told: Vec<Told>,
    gone: Vec<(String, String)>,
}

impl Handle {
    /// Asks lists what is due, until the server closes. Where time runs faster than the world's,
    /// nobody is asked but by command: lists live by the world's.
    pub(crate) async fn watch_lists(self) {
        let mut stop = self.0.stop.subscribe();
        // What was seen before is there to be looked at, before anybody is asked.
        let _ = self.recall_lists().await;
        let _ = self.recall_domains().await;
        let mut wait = FIRST_AFTER;
        while !self.0.clock.is_faster() {
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            // Without the registry nothing is known, and that was told; the next tick asks again.
            let _ = self.look_at_lists(Which::Due).await;
            let _ = self.look_at_domains(&Sought::Due).await;
            wait = TICK;
        }
    }

    async fn recall_lists(&self) -> Result<(), RegistryError> {
        let mut held = self.0.watch.lists.lock().await;
        if held.is_none() {
            let (cells, days) =
                self.registry(|db| Ok((db.watched_cells()?, db.list_days()?))).await?;
            *self.0.watch.budget.lock() = Budget::restored(days.into_iter().map(read_day));
            let board = Board::restored(self.watch_seed(), cells.iter().filter_map(read));
            *self.0.watch.seen.lock() = Seen { board: Arc::new(board.clone()), at: None };
            *held = Some(board);
        }
        Ok(())
    }

    /// Spreads questions of relays: each has its own.
    fn watch_seed(&self) -> u64 {
        let setup = self.0.live.borrow();
        setup.hostname.as_str().bytes().fold(setup.seed, |sum, b| sum.rotate_left(7) ^ u64::from(b))
    }

    /// One look at block lists. What they say is durable when this says so.
    pub(crate) async fn look_at_lists(&self, which: Which) -> Result<(), RegistryError> {
        self.recall_lists().await?;
        let setup = self.0.live.borrow().clone();
        if setup.watch.asking != Asking::On {
            return Ok(());
        }
        let mut held = self.0.watch.lists.lock().await;
        let Some(known) = held.as_ref() else { return Err(RegistryError::Busy) };
        let mut board = known.clone();
        let mut changes = Changes::default();
        let subjects: BTreeSet<Subject> = setup.watch.subjects.keys().cloned().collect();
        let lists: Vec<&List> =
            setup.watch.lists.iter().filter_map(|id| Lists::built_in().named(id)).collect();
        let begun = self.now();
        for gone in board.watch(begun, &subjects, &lists, &setup.watch.keys) {
            changes.forget(&gone, begun);
        }
        let due = match which {
            Which::Due => board.due(begun),
            Which::All => board.everything(),
        };
        let is_asked = !due.is_empty();
        for Heard { list, readings } in self.ask(due, &setup).await? {
            // Answers of one list are of one moment: it is asked as a whole the next time, too.
            let now = self.now();
            for (subject, reading) in readings {
                let turn = board.hear(now, (&list, &subject), &reading, &setup.watch.rhythm);
                changes.take(turn, &list, &subject, now);
            }
        }
        let Changes { cells, steps, told, gone } = changes;
        let kept: Vec<KeptCell> = cells
            .iter()
            .filter_map(|(list, subject)| Some(keep(list, subject, board.cell(list, subject)?)))
            .collect();
        if !kept.is_empty() || !gone.is_empty() {
            self.registry(move |db| db.keep_cells(&kept, &steps, &gone)).await?;
        }
        let board_seen = Arc::new(board.clone());
        let at = is_asked.then(|| self.now());
        *held = Some(board);
        drop(held);
        let before = self.0.watch.seen().at;
        *self.0.watch.seen.lock() = Seen { board: board_seen.clone(), at: at.or(before) };
        self.tell_of_listings(&setup, told);
        self.look_for_listed(&setup.watch, &board_seen).await;
        Ok(())
    }

    /// As much of it as the limits allow. That it is asked is durable when this says so: a relay
    /// that ends amid its questions has asked them.
    async fn granted(&self, due: Vec<Due>, setup: &WatchSetup) -> Result<Vec<Due>, RegistryError> {
        let limits = setup.limits;
        let now = self.now();
        // One look at lists is under way at a time: nobody else takes.
        let mut budget = self.0.watch.budget.lock().clone();
        let parts = due.into_iter().flat_map(|due| due.in_parts(limits.minute));
        let granted: Vec<Due> =
            parts.filter(|part| budget.takes(now, &part.list, part.questions(), limits)).collect();
        if !granted.is_empty() {
            let days: Vec<KeptDay> = budget.days(now).map(keep_day).collect();
            self.registry(move |db| db.keep_list_days(&days)).await?;
        }
        *self.0.watch.budget.lock() = budget;
        Ok(granted)
    }

    /// Asks as much of it as the limits allow, all lists at once.
    async fn ask(&self, due: Vec<Due>, setup: &Setup) -> Result<Vec<Heard>, RegistryError> {
        let resolver = &self.0.watch.resolver;
        let mut asking = JoinSet::new();
        for part in self.granted(due, &setup.watch).await? {
            asking.spawn(one_list(resolver.clone(), part, setup.watch.keys.clone()));
        }
        let mut heard = Vec::new();
        let mut stop = self.0.stop.subscribe();
        loop {
            tokio::select! {
                done = asking.join_next() => match done {
                    Some(Ok(one)) => heard.push(one),
                    // What has died is asked again the next time.
                    Some(Err(_)) => {}
                    None => return Ok(heard),
                },
                _ = stop.wait_for(|stop| *stop) => return Ok(heard),
            }
        }
    }
}

/// Asks one list about some, and whether it can be believed.
async fn one_list(resolver: Arc<Resolver>, due: Due, keys: Keys) -> Heard {
    let Due { list: id, subjects } = due;
    let mut heard = Heard { list: id, readings: Vec::new() };
    let Some(list) = Lists::built_in().named(&heard.list) else { return heard };
    let mut known = Known::new();
    for _ in 0..ROUNDS_MAX {
        heard.readings.clear();
        let mut is_whole = true;
        for subject in &subjects {
            match look_up(&mut known, list, &keys, subject) {
                Some(Some(reading)) => heard.readings.push((subject.clone(), reading)),
                Some(None) => {}
                None => is_whole = false,
            }
        }
        if is_whole || !resolver.complete(&mut known, Freshness::Now).await {
            return heard;
        }
    }
    heard
}

impl Changes {
    fn forget(&mut self, gone: &NotWatched, now: Instant) {
        let NotWatched { list, subject, listed } = gone;
        let key = (list.to_string(), subject.to_string());
        if listed.is_some() {
            let (list, subject) = key.clone();
            let why = "it is not watched any more".to_owned();
            self.steps.push(ListingStep::Off { list, subject, at: now, why });
        }
        self.gone.push(key);
    }

    fn take(&mut self, turn: Option<Turn>, list: &str, subject: &Subject, now: Instant) {
        self.cells.insert((list.into(), subject.clone()));
        let Some(turn) = turn else { return };
        self.steps.push(match &turn {
            Turn::Listed(listed) | Turn::Altered(listed) => {
                ListingStep::On(span(list, subject, listed))
            }
            Turn::Delisted(_) => ListingStep::Off {
                list: list.to_owned(),
                subject: subject.to_string(),
                at: now,
                why: "the list has said twice that it is off".to_owned(),
            },
        });
        self.told.push(Told { at: now, list: list.into(), subject: subject.clone(), turn });
    }
}
