//! The program's lives: it runs, is stopped or crashes, and starts again with what is durable.

use std::sync::Arc;

use postlane_engine::{Engine, Input, Settings, drive};
use postlane_receivers::{Restart, RestartKind};

use super::Around;
use super::agenda::Agenda;
use super::beliefs::Beliefs;
use super::marks::Marks;
use super::settings::sections_of;

/// How the program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It runs.
    Runs,
    /// It was asked to stop, and finishes what is under way. Clients find nobody listening.
    Stops,
    /// It is gone, and starts again.
    Gone,
    /// The run is over.
    Over,
}

impl Around<'_> {
    /// Runs the engine from start to start until the run is over; what its lanes believe then.
    pub(super) fn live(&mut self, settings: &Arc<Settings>, before: &Beliefs) -> Beliefs {
        let start = self.clock.at(self.now);
        let mut recalled = before.recalled(start);
        for life in 0.. {
            let mut engine = Engine::new(Arc::clone(settings), self.seed.wrapping_add(life));
            let sections = sections_of(self.scenario, self.said);
            self.inputs.push(Input::Sections(Box::new(sections)));
            self.inputs.push(Input::Passes(self.said.passes()));
            self.inputs.push(Input::Passes(self.post.known(self.said)));
            if !recalled.is_empty() {
                self.inputs.push(Input::Recalled(recalled));
            }
            let waiting = self.spool.waiting();
            if !waiting.is_empty() {
                self.unfinished = waiting.len() as u64;
                self.inputs.push(Input::Submitted(waiting));
            }
            self.life = Life::Runs;
            self.marks = Marks::default();
            drive(&mut engine, self);
            if self.life == Life::Over {
                return Beliefs::of(&engine, self.clock.at(self.now));
            }
            recalled = self.spool.recall();
        }
        Beliefs::default()
    }

    /// The program stops now, if it is time.
    pub(super) fn meet_restart(&mut self) {
        let now = self.now;
        let Some(Restart { kind, .. }) = self.restarts.next_if(|restart| restart.at <= now) else {
            return;
        };
        match kind {
            RestartKind::Clean => {
                self.life = Life::Stops;
                self.inputs.push(Input::Shutdown);
            }
            RestartKind::Crash => {
                self.spool.lose();
                self.end();
            }
        }
    }

    /// The program has stopped: everything is written.
    pub(super) fn stopped(&mut self) {
        for changes in self.writing.drain(..).chain(self.spool.flush()).collect::<Vec<_>>() {
            self.spool.durable(changes);
        }
        self.end();
    }

    /// Nothing is left of the program but what is durable.
    fn end(&mut self) {
        for (_, session) in std::mem::take(&mut self.sessions) {
            self.let_go(&session);
        }
        self.agenda = Agenda::new();
        self.writing.clear();
        self.inputs.clear();
        self.life = Life::Gone;
    }
}
