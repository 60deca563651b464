//! Looking at what has come, a few at a time, and forgetting what is old.

use std::sync::Arc;
use std::time::Duration;

use postlane_tester::inspect;
use tokio::runtime;
use tokio::sync::mpsc;

use super::Tester;
use super::book::MessageStanding;
use super::token::TestId;
use crate::identity::turnstile::Turnstile;

/// How often it is looked for what is old.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Looks at messages as they come.
pub(super) async fn look_at_all(
    tester: Arc<Tester>,
    mut come: mpsc::UnboundedReceiver<(TestId, u32)>,
) {
    // What strangers send must not keep the relay from its mail.
    let turnstile = Turnstile::unbounded();
    while let Some((id, number)) = come.recv().await {
        let Ok(turn) = turnstile.turn().await else { return };
        let tester = tester.clone();
        tokio::spawn(async move {
            tester.look_at(id, number).await;
            drop(turn);
        });
    }
}

/// Forgets tests whose time is over, again and again.
pub(super) async fn forget_old(tester: Arc<Tester>) {
    let mut every = tokio::time::interval(FORGET_EVERY);
    loop {
        every.tick().await;
        let keep_for = tester.live.borrow().tester.keep_for;
        let old = tester.book.lock().old(tester.clock.now(), keep_for);
        for id in old {
            tester.book.lock().remove(id);
            let shelf = tester.shelf.clone();
            let removed = tokio::task::spawn_blocking(move || shelf.remove(id)).await;
            if let Ok(Err(error)) = removed {
                tester.say("test-not-removed", &id.to_string(), &error.to_string());
            }
        }
    }
}

impl Tester {
    async fn look_at(self: &Arc<Self>, id: TestId, number: u32) {
        let looked = self.try_look_at(id, number).await;
        let (standing, octets) = match &looked {
            Ok(octets) => (MessageStanding::Reported, *octets),
            Err(why) => {
                self.say("test-failed", &format!("{id}/{number}"), why);
                (MessageStanding::Failed, 0)
            }
        };
        self.book.lock().set(id, number, standing, octets);
    }

    async fn try_look_at(self: &Arc<Self>, id: TestId, number: u32) -> Result<u64, String> {
        let shelf = self.shelf.clone();
        let read = tokio::task::spawn_blocking(move || shelf.message(id, number)).await;
        let read = read.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        let (arrival, message) = read;
        let (tester, ring) = (self.clone(), runtime::Handle::current());
        // On a thread of its own: what is looked at may be large, and is a stranger's.
        let looked = tokio::task::spawn_blocking(move || {
            let looked = ring.block_on(inspect(&arrival, &message, &tester.resolver));
            let report = looked.map_err(|e| e.to_string())?;
            tester.shelf.keep_report(id, &report).map_err(|e| e.to_string())
        });
        looked.await.map_err(|e| e.to_string())?
    }

    fn say(&self, event: &str, test: &str, text: &str) {
        self.journal.event(self.clock.now(), event, &[("test", test), ("text", text)]);
    }
}
