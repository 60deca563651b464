//! Putting it together: starts everything, in an order in which nothing is lost, and stops it.

mod doors;
mod engine_settings;
mod fittings;
mod recovering;

#[cfg(test)]
pub(crate) mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use postlane_engine::{Engine, Input};
use postlane_net::listener::{Gate, ListenerSettings};
use postlane_registry::Registry;
use postlane_spool::{Disk, Lock, OpenError, Opened, Recovered};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::engine::names::Names;
use crate::engine::sections;
use crate::engine::world::{Answers, Around, EngineMailbox};
use crate::ground::clock_mark::{ClockMark, tell_of_future};
use crate::ground::secret::HouseSecret;
use crate::ground::set_back;
use crate::ground::vital;
use crate::ground::{descriptors, registry};
use crate::handle::{Configured, Handle, Reread};
use crate::intake::rights::HouseRights;
use crate::lanes::Found;
use crate::outcome::suppression::Suppressions;
use crate::setup::{LaneSetup, Live, Setup};
use crate::telling::journal::{Journal, alarm};
use doors::Doors;
use engine_settings::engine_settings;
pub(crate) use engine_settings::settings_towards;
use fittings::{Fittings, Rest};

/// Takes a data directory for ourselves, before all else: whoever comes second touches nothing, and
/// hears who came first.
pub fn claim(data: &Path) -> Result<Lock, OpenError> {
    Lock::take(&data.join("spool"))
}

/// How long the end waits for the spool's last writes when what was under way was cut off. Chosen, not
/// measured.
const LAST_WRITES_MAX: Duration = Duration::from_secs(5);

/// A server that runs.
pub struct Server {
    handle: Handle,
    listeners: JoinSet<()>,
    engine: JoinHandle<()>,
    mailbox: EngineMailbox,
    store: Arc<Disk>,
    gate: Arc<Gate>,
    journal: Journal,
}

/// The first refusal need not wait for the rules.
fn read_rules_early(setup: &Setup) {
    let rules = setup.rules.clone();
    drop(tokio::task::spawn_blocking(move || rules.book().rules().len()));
}

impl Server {
    /// Starts taking and delivering mail as `setup` says, which was made of `config`, in the
    /// directory that was [claimed](claim). The spool is opened first: what was ours is ours. Comes back
    /// when mail is taken; the queue is whole a moment later, and who asks for it waits for that.
    ///
    /// From here on messages are under way: whatever else may keep a server from starting is looked
    /// at before.
    pub async fn start(
        lock: Lock,
        setup: Setup,
        config: Config,
        reread: Reread,
    ) -> anyhow::Result<Self> {
        descriptors::raise_limit(setup.sessions_in_max, setup.sessions_out_max);
        let bound = doors::bind(&setup.listeners).await?;
        doors::tell_sources_elsewhere(&setup.sources);
        let smtp = doors::addresses(&bound)?;
        let secret = HouseSecret::load_or_create(&setup.data.join("secret"))?;
        let registry = Registry::begin(&registry::registry_path(&setup.data))?;
        let (sender, receiver) = watch::channel(Arc::new(setup));
        let live = Live(receiver);
        let setup = live.borrow().clone();
        read_rules_early(&setup);
        let fittings = Fittings::new(live, &registry)?;
        let (rights, rights_now) = watch::channel(Arc::new(HouseRights::new(&setup, &secret)));
        let Opened { store, recovery } = Disk::open_locked(lock, setup.spool, fittings.ear())?;
        recovery.report.findings.iter().for_each(|finding| alarm(&finding.to_string()));
        if let Some(last) = recovery.report.last_id {
            tell_of_future(last.moment(), setup.clock);
        }
        load_list(&fittings.suppressions, &store, &setup);
        recall_lanes(&fittings, &store, &setup);
        fittings.preflight.recall(&registry);
        let intake = fittings.intake(&store, recovery.report.last_id, rights_now);
        intake.publish_left();
        let (reports, owed) = (fittings.reports(&store, &intake), fittings.owed.clone());
        vital::spawn("reports", move || reports.run(&owed), fittings.broken("reports", &store))?;
        let answers = Answers::default();
        let engine = start_engine(&fittings, &setup, &store, &answers, &rights, smtp.clone())?;
        let recovered = watch::Sender::new(false);
        let whole = recovered.subscribe();
        let submitting = fittings.submitting();
        let tell = move |batch: Vec<Recovered>| {
            submitting.tell(batch.iter().map(|r| submitting.recovered(r)));
            // A long queue must not lie in the mailbox as a whole.
            submitting.mailbox.until_heard();
        };
        recovering::begin(recovery, tell, recovered, fittings.broken("recovery", &store))?;
        let gate = Gate::new(setup.sessions_in_max, setup.sessions_of_client_max);
        let stop = watch::Sender::new(false);
        let tester = fittings.tester(&setup, &secret)?;
        let doors = Doors {
            tester: tester.clone(),
            secret,
            rights,
            suppressions: fittings.suppressions.clone(),
            counters: fittings.counters.clone(),
        };
        let (listeners, renewals) = doors.open(bound, &setup, &gate, &intake, &stop)?;
        let (mailbox, names) = (fittings.mailbox.clone(), fittings.names.clone());
        let lanes = setup.lanes.clone();
        tokio::spawn(ClockMark::of(&setup.data).keep(setup.clock, stop.subscribe()));
        tokio::spawn(set_back::tell(setup.clock, stop.subscribe()));
        let apply = apply(renewals, doors, gate.clone(), mailbox.clone(), names, lanes);
        let journal = fittings.journal.clone();
        let rest = Rest {
            setup: sender,
            reread,
            configured: Configured { started: config.clone(), now: config },
            store: store.clone(),
            answers,
            intake,
            whole,
            stop,
            smtp,
            registry,
            tester,
            apply,
        };
        let handle = Handle(Arc::new(fittings.inside(rest)));
        handle.sweep();
        Ok(Self { handle, listeners, engine, mailbox, store, gate, journal })
    }

    /// For whoever wants to ask something of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops: takes no new mail, lets what is under way come to its end, closes the spool.
    /// Nothing is lost by not waiting for it; it spares some mail being sent twice.
    pub async fn stop(mut self) -> Ended {
        self.handle.stop();
        while self.listeners.join_next().await.is_some() {}
        // Sessions say 421 at the next safe point; those that never come to one are cut off.
        let wait = self.handle.0.live.borrow().shutdown_wait.to_std();
        let patience = tokio::time::Instant::now() + wait;
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while self.gate.inside() > 0 && tokio::time::Instant::now() < patience {
            look.tick().await;
        }
        self.mailbox.tell(Input::Shutdown);
        let (mailbox, engine, store) = (self.mailbox, self.engine, self.store);
        let mut ended = tokio::task::spawn_blocking(move || {
            // The engine ends by itself when nothing is under way.
            let _ = engine.join();
            store.close();
        });
        if tokio::time::timeout_at(patience, &mut ended).await.is_err() {
            mailbox.end();
            // What is known of attempts that are over is written: else they are made twice.
            let _ = tokio::time::timeout(LAST_WRITES_MAX, ended).await;
        }
        self.handle.write_tls_tallies_now().await;
        self.handle.0.history.finish().await;
        let live = self.handle.0.live.borrow().clone();
        ClockMark::of(&live.data).keep_last(live.clock);
        registry::finish(&self.handle.0.registry).await;
        self.journal.finish().await;
        match self.handle.health().await.is_empty() {
            true => Ended::Sound,
            false => Ended::Broken,
        }
    }
}

/// How a server was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It could have gone on.
    Sound,
    /// The spool or a thread of ours had failed: it took no mail any more.
    Broken,
}

/// The suppression list, as it was when the last server closed.
fn load_list(suppressions: &Suppressions, store: &Disk, setup: &Setup) {
    let unread = suppressions.load(store, setup.suppression.entries_max);
    if unread > 0 {
        alarm(&format!(
            "{unread} entries of the suppression list cannot be read and do not hold: was a later \
             version running here?"
        ));
    }
}

/// Lanes go on as they were: the engine hears of them before it hears of mail.
fn recall_lanes(fittings: &Fittings, store: &Disk, setup: &Setup) {
    let now = setup.clock.now();
    let Fittings { lanes, names, awaited, mailbox, .. } = fittings;
    let Found { recalled, unread } = lanes.load((store, awaited), now, (names, setup));
    if unread > 0 {
        alarm(&format!(
            "{unread} pieces of what was kept of lanes cannot be read and are forgotten: was a \
             later version running here? `postlane lanes list` shows what holds"
        ));
    }
    mailbox.tell(Input::Recalled(recalled));
}

/// The engine's thread, with everything around it.
fn start_engine(
    fittings: &Fittings,
    setup: &Setup,
    store: &Arc<Disk>,
    answers: &Answers,
    rights: &watch::Sender<Arc<HouseRights>>,
    listening: Vec<SocketAddr>,
) -> anyhow::Result<JoinHandle<()>> {
    let around = Around::new(
        setup.clock,
        fittings.mailbox.clone(),
        fittings.routing(setup, listening)?,
        fittings.outbound(store.clone(), rights.subscribe()),
        fittings.settling(store.clone(), answers),
        answers.clone(),
    );
    let engine = Engine::new(Arc::new(engine_settings(setup, &fittings.names)), setup.seed);
    fittings.mailbox.tell(Input::Sections(Box::new(sections::sections(setup, &fittings.names))));
    let broken = fittings.broken("engine", store);
    Ok(vital::spawn("engine", move || around.run(engine), broken)?)
}

/// What a reload does to what already runs.
fn apply(
    renewals: Vec<watch::Sender<ListenerSettings>>,
    doors: Doors,
    gate: Arc<Gate>,
    mailbox: EngineMailbox,
    names: Arc<Names>,
    lanes: LaneSetup,
) -> Box<dyn Fn(&Setup) + Send + Sync> {
    let held = Mutex::new(lanes);
    Box::new(move |setup| {
        gate.limit(setup.sessions_in_max, setup.sessions_of_client_max);
        doors.suppressions.limit(setup.suppression.entries_max);
        doors.renew_all(setup, &renewals);
        mailbox.tell(Input::Settings(Arc::new(engine_settings(setup, &names))));
        if *held.lock() != setup.lanes {
            held.lock().clone_from(&setup.lanes);
            mailbox.tell(Input::Sections(Box::new(sections::sections(setup, &names))));
            mailbox.tell(Input::Passes(sections::of_all(&setup.lanes, &names)));
        }
    })
}

/// Where a server keeps its own things, beside the spool.
pub fn token_path(data: &Path) -> PathBuf {
    data.join("token")
}
