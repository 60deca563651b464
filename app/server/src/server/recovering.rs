//! What waited in the spool reaches the engine, after a start.

use std::io;
use std::thread::JoinHandle;

use postlane_spool::{Recovered, Recovery};
use tokio::sync::watch;

use crate::ground::vital;
use crate::telling::alarm::alarm;

/// On a thread of its own: a long queue takes a while. A fault of ours on the way would leave mail lying
/// that nobody knows of: `broken` is done then.
pub(super) fn begin(
    recovery: Recovery,
    tell: impl Fn(Vec<Recovered>) + Send + Sync + 'static,
    recovered: watch::Sender<bool>,
    broken: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let work = move || {
        recovery.drain(tell).iter().for_each(|finding| alarm(&finding.to_string()));
        recovered.send_replace(true);
    };
    vital::spawn("recovery", work, broken)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use postlane_registry::Registry;
    use postlane_spool::{Disk, Lock, Opened, Store as _, StoreError};

    use super::*;
    use crate::config::{Config, Overrides};
    use crate::ground::registry::registry_path;
    use crate::intake::tests::{insertion_of, submission};
    use crate::server::fittings::Fittings;
    use crate::setup::{Live, Setup};

    #[tokio::test]
    async fn a_queue_that_is_lost_on_its_way_to_the_engine_stops_intake_and_is_told() {
        let data = tempfile::tempdir().unwrap();
        let overrides = Overrides { data: Some(data.path().to_owned()), ..Overrides::default() };
        let text = "[relay]\nhostname = \"relay.example\"\n";
        let setup = Setup::of(&Config::parse(text, None, &overrides).unwrap());
        let live = Live(watch::Sender::new(Arc::new(setup.clone())).subscribe());
        let fittings =
            Fittings::new(live, &Registry::begin(&registry_path(data.path())).unwrap()).unwrap();
        let open = || {
            let lock = Lock::take(&data.path().join("spool")).unwrap();
            Disk::open_locked(lock, setup.spool, fittings.ear()).unwrap()
        };
        let before = open().store;
        before.insert(insertion_of(submission())).await.unwrap();
        drop(before);
        let Opened { store, recovery } = open();
        let recovered = watch::Sender::new(false);
        let mut whole = recovered.subscribe();
        let tell = |_| panic!("a fault of ours");
        let thread = begin(recovery, tell, recovered, fittings.broken("recovery", &store));
        assert!(thread.unwrap().join().is_err());
        assert!(fittings.failed.load(Ordering::Acquire), "/healthz would be green");
        assert!(whole.wait_for(|whole| *whole).await.is_err(), "somebody waits for the queue");
        let refused = store.insert(insertion_of(submission())).await;
        assert_eq!(refused, Err(StoreError::Closed));
    }
}
