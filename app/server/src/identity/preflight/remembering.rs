//! What was found is kept over a restart, beside the mail: a registry that is busy or damaged holds
//! up nothing, and costs what it would have kept.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use postlane_mail::Span;
use postlane_registry::{KeptGate, KeptHeld, Registry};

use super::Preflight;
use super::book::FORGOTTEN_AFTER;
use super::kept::{read_held, read_sight};
use crate::handle::Handle;

/// How often what is new is kept. Chosen, not measured: what a crash may cost.
const EVERY: Duration = Duration::from_millis(500);

/// So much is kept at once. Chosen, not measured: some 50 ms of the registry's time.
const STEPS_MAX: usize = 5_000;

/// The start waits no longer for what was kept. Chosen, not measured: to read 10,000 rows takes
/// some 50 ms; what comes later is taken in when it comes.
const RECALL_MAX: Duration = Duration::from_secs(2);

/// What was seen before is forgotten after so long; longer than [`FORGOTTEN_AFTER`].
const KEPT_FOR: Span = Span::from_h(48);

const _: () = assert!(KEPT_FOR.0 > FORGOTTEN_AFTER.0);

impl Preflight {
    /// Takes in what was kept before the restart, before mail goes. The registry's own alarm says
    /// why it cannot be read, where it cannot: nothing is known then.
    pub(crate) fn recall(&self, registry: &Registry) {
        let most = self.0.live.borrow().preflight.subjects_max;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let (sender, done) = sync_channel(1);
        let preflight = self.clone();
        let asked = registry.ask(
            move |db| db.gates(most),
            move |kept| {
                if let Ok((gates, held)) = kept {
                    preflight.remember(&gates, &held);
                }
                // The start may wait no more.
                let _ = sender.send(());
            },
        );
        if asked.is_ok() {
            let _ = done.recv_timeout(RECALL_MAX);
        }
    }

    fn remember(&self, gates: &[KeptGate], held: &[KeptHeld]) {
        let setup = self.0.live.borrow().clone();
        let seen = gates.iter().filter_map(read_sight);
        let held = held.iter().filter_map(read_held);
        self.0.book.lock().remember(self.0.clock.now(), seen, held, &setup.preflight);
    }
}

impl Handle {
    /// Keeps what is new until the server closes, and then once more.
    pub(crate) async fn keep_gates(self) {
        let mut stop = self.0.stop.subscribe();
        let mut is_over = false;
        let mut steps = Vec::new();
        while !is_over {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => is_over = true,
            }
            if steps.is_empty() {
                steps = self.0.preflight.0.book.lock().steps(STEPS_MAX);
            }
            if steps.is_empty() {
                continue;
            }
            let (now, batch) = (self.now(), steps.clone());
            let kept = self.registry(move |db| db.keep_gates(&batch, now - KEPT_FOR)).await;
            // What cannot be kept now is tried again with the next round.
            if kept.is_ok() {
                steps.clear();
            }
        }
    }
}
