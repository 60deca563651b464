//! Looking on while runs go, and stopping them. Whoever looks sees what was written down so far and
//! changes nothing of it: same file and seed, same bytes, watched or not.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::policy::Policy;
use crate::run::Run;
use crate::summary::Summary;

/// Steps of a run between two looks. Chosen, not measured: a step takes microseconds, and a look
/// that finds nothing to do about one.
const EVERY: u32 = 1_024;

/// Whether runs go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// They do.
    On,
    /// They end now, with nothing to be summed up.
    Stop,
}

/// What is looked at.
#[derive(Debug)]
pub enum Sight<'r> {
    /// A run, as far as it has come: to [`Run::ended`]. With `lane-warm` the run before it is seen
    /// too, with a seed of its own.
    Run {
        /// With this policy.
        policy: Policy,
        /// The seed of the run that is seen.
        seed: u64,
        /// What it has left so far.
        run: &'r Run,
        /// Whether it is over.
        is_over: bool,
    },
    /// What all policies came to after each seed.
    Sums(&'r [Summary]),
}

/// Who looks. Cheap to clone.
#[derive(Clone)]
pub struct Look(Arc<dyn Fn(&Sight<'_>) -> Going + Send + Sync>);

/// Somebody who looks on at one policy's runs.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    look: Look,
    policy: Policy,
    steps: u32,
    stopped: Arc<AtomicBool>,
}

impl Look {
    /// One that is asked now and then, and after each run.
    pub fn new(look: impl Fn(&Sight<'_>) -> Going + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// What it says to what there is to be seen.
    pub(crate) fn at(&self, sight: &Sight<'_>) -> Going {
        (self.0)(sight)
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

impl Watch {
    pub(crate) fn new(look: Look, policy: Policy) -> Self {
        Self { look, policy, steps: 0, stopped: Arc::default() }
    }

    /// The run has made a step.
    pub(crate) fn passes(&mut self, run: &Run) -> Going {
        self.steps = self.steps.wrapping_add(1);
        if !self.steps.is_multiple_of(EVERY) {
            return Going::On;
        }
        let sight = Sight::Run { policy: self.policy, seed: run.seed, run, is_over: false };
        let going = self.look.at(&sight);
        if going == Going::Stop {
            self.stopped.store(true, Ordering::Relaxed);
        }
        going
    }

    /// Whether a run was stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
