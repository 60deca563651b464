//! What others may ask of a running server: hand in mail, look at the queue, act on it.

mod blocklists;
mod domains;
mod filter;
mod incidents;
mod lanes;
mod message;
mod on_its_way;
mod preflight;
mod queue;
mod registry;
mod rehearsals;
mod remembered;
mod row;
mod submit;
mod suppression;
mod tls_reports;
mod webhook;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use postlane_engine::{Action as EngineAction, Input};
use postlane_mail::QueueId;
use postlane_registry::{Registry, RegistryError};
use postlane_spool::{Disk, Store as _};
use tokio::sync::{broadcast, watch};

use crate::config::{Config, ConfigError, SettingName};
use crate::engine::names::Names;
use crate::engine::submitting::Awaited;
use crate::engine::world::{Answers, EngineMailbox};
use crate::ground::clock::Clock;
use crate::identity::inspector::Inspector;
use crate::identity::preflight::Preflight;
use crate::identity::tester::Tester;
use crate::identity::watch::Watch;
use crate::intake::cache::Cache;
use crate::intake::{Intake, kept_messages};
use crate::lanes::Lanes;
use crate::outbound::routing::Failures;
use crate::outbound::tls_policy::Published;
use crate::outbound::unreached::Unreached;
use crate::outcome::diagnosing::Diagnosing;
use crate::outcome::suppression::Suppressions;
use crate::rehearsals::Rehearsals;
use crate::setup::{Live, Setup, SigningKey};
use crate::telling::counters::Counters;
use crate::telling::events::Events;
use crate::telling::history::History;
use crate::telling::journal::first_sign_in;
use crate::telling::reloading;
use crate::telling::webhooks::Deliverer;
use crate::trouble::incidents::Desk;

pub use crate::config::settings::PreflightPolicy;
pub use crate::identity::preflight::{Missing, PreflightRow, Sight, Subject};
pub use crate::lanes::{Audit, LaneName};
pub use crate::outcome::diagnosing::Cluster;
pub use crate::telling::events::{CameBack, Event};
pub use crate::telling::history::Past;
pub use crate::telling::reloading::ReloadReport;
pub use blocklists::ListsSeen;
pub use domains::{DomainFigures, DomainsSeen, KnownDomain, PublishedThen};
pub use filter::{Filter, Status};
pub use incidents::{IncidentOrder, NoIncident, ToldIncident};
pub use lanes::{
    Commanded, Lane, LaneDone, LaneHost, LaneList, LaneStanding, NoLane, Ordered, OrderedProvider,
};
pub use message::{Accepted, Composed, Content, NewMessage, NotAccepted};
pub use on_its_way::OnItsWay;
pub use postlane_engine::LaneAction;
pub use preflight::PreflightFilter;
pub(crate) use remembered::Turns;
pub use row::{AGE_BUCKETS_MIN, Cursor, Page, Row, Summary, SummaryLine, Waiting};
pub use suppression::{NotListed, SuppressionFilter, SuppressionPage};
pub use webhook::NoWebhook;

/// A running server, for whoever may ask it. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(crate) Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    pub(crate) setup: watch::Sender<Arc<Setup>>,
    pub(crate) reread: Reread,
    pub(crate) configured: Mutex<Configured>,
    pub(crate) store: Arc<Disk>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) names: Arc<Names>,
    pub(crate) failures: Failures,
    pub(crate) unreached: Unreached,
    pub(crate) counters: Arc<Counters>,
    pub(crate) diagnosing: Arc<Diagnosing>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) mailbox: EngineMailbox,
    pub(crate) answers: Answers,
    pub(crate) awaited: Awaited,
    pub(crate) failed: Arc<AtomicBool>,
    /// Whether all that was in the spool at the start has reached the engine.
    pub(crate) whole: watch::Receiver<bool>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) events: Events,
    pub(crate) history: History,
    pub(crate) smtp: Vec<SocketAddr>,
    pub(crate) turns: Turns,
    pub(crate) suppressions: Suppressions,
    pub(crate) lanes: Lanes,
    pub(crate) preflight: Preflight,
    pub(crate) registry: Registry,
    /// Why it cannot be used, as was told last.
    pub(crate) registry_unusable: Mutex<Option<RegistryError>>,
    pub(crate) published: Published,
    pub(crate) incidents: Desk,
    pub(crate) inspector: Inspector,
    /// Who looks after tests, where there are any.
    pub(crate) tester: Option<Arc<Tester>>,
    pub(crate) watch: Watch,
    pub(crate) rehearsals: Rehearsals,
    /// Whoever tells webhooks, once there is something to tell them.
    pub(crate) webhooks: OnceLock<Arc<Deliverer>>,
    pub(crate) apply: Box<dyn Fn(&Setup) + Send + Sync>,
}

/// How the configuration is read again.
pub struct Reread(pub Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

/// What was read: at the start, and the last time.
pub(crate) struct Configured {
    pub(crate) started: Config,
    pub(crate) now: Config,
}

/// The server is closing, and answers no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server is closing and answers no more")]
pub struct Stopped;

/// What can be done with waiting mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make it due now.
    Retry,
    /// Make it due now, in front of its stream.
    DeliverNow,
    /// Keep it and stop its clock.
    Hold,
    /// Let it go on.
    Release,
    /// Give it up, with a report to the sender.
    Bounce,
    /// Give it up, and tell nobody.
    Delete,
}

/// One message that still waits.
#[derive(Debug, Clone)]
pub struct MessageView {
    /// Its name.
    pub id: QueueId,
    /// The reverse-path, empty for the null one.
    pub sender: String,
    /// Whose; empty for nobody's.
    pub tenant: String,
    /// Octets of the message.
    pub octets: u64,
    /// Its header section, 16 KiB at most.
    pub headers: String,
    /// Its recipients that still wait.
    pub rows: Vec<Row>,
}

impl Action {
    /// Reads a name: `retry`, `deliver-now`, `hold`, `release`, `bounce`, `delete`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "retry" => Self::Retry,
            "deliver-now" => Self::DeliverNow,
            "hold" => Self::Hold,
            "release" => Self::Release,
            "bounce" => Self::Bounce,
            "delete" => Self::Delete,
            _ => return None,
        })
    }

    fn of_engine(self) -> EngineAction {
        match self {
            Self::Retry => EngineAction::Retry,
            Self::DeliverNow => EngineAction::DeliverNow,
            Self::Hold => EngineAction::Hold,
            Self::Release => EngineAction::Release,
            Self::Bounce => EngineAction::Bounce,
            Self::Delete => EngineAction::Delete,
        }
    }
}

impl Handle {
    /// Begins to forget what is over, from time to time.
    pub(crate) fn sweep(&self) {
        tokio::spawn(self.clone().watch_registry());
        tokio::spawn(self.clone().forget_keys());
        tokio::spawn(self.clone().forget_suppressions());
        tokio::spawn(self.clone().look_for_incidents());
        tokio::spawn(self.0.published.clone().keep_fresh(self.0.stop.subscribe()));
        tokio::spawn(self.clone().write_tls_tallies());
        tokio::spawn(self.clone().look_at_what_is_held());
        tokio::spawn(self.clone().keep_gates());
        tokio::spawn(self.clone().watch_lists());
    }

    /// Where mail is taken; a port that was 0 has become a real one.
    pub fn smtp_addresses(&self) -> &[SocketAddr] {
        &self.0.smtp
    }

    /// Octets of a message, at most.
    pub fn message_octets_max(&self) -> usize {
        self.0.live.borrow().limits.message_octets
    }

    /// How many refusals no rule had words for since the start, and what they have in common,
    /// the most frequent first.
    pub fn unclassified_replies(&self) -> (u64, Vec<Cluster>) {
        (self.0.diagnosing.unclassified(), self.0.diagnosing.clusters())
    }

    /// Messages in the spool.
    pub fn messages_waiting(&self) -> u64 {
        self.0.store.usage().messages
    }

    /// Messages to our desks that are kept for an operator to read.
    pub async fn postmaster_messages(&self) -> u64 {
        let data = self.0.live.borrow().data.clone();
        let count = tokio::task::spawn_blocking(move || kept_messages(&data));
        count.await.unwrap_or_default()
    }

    /// What is wrong, if anything is: empty while the spool is sound.
    pub async fn health(&self) -> Vec<String> {
        let failed = self.0.failed.load(Ordering::Acquire);
        let says =
            "the spool or the engine has failed; mail is refused until the server is restarted";
        failed.then(|| says.to_owned()).into_iter().collect()
    }

    /// Why no mail is taken now, if none is.
    pub async fn readiness(&self) -> Vec<String> {
        let mut problems = self.health().await;
        if self.0.store.usage().full {
            problems.push("the disk is at its watermark; new mail is answered 452".to_owned());
        }
        if *self.0.stop.borrow() {
            problems.push("the server is closing".to_owned());
        }
        problems
    }

    /// Reads the configuration again, and says in the log what came of it. Nothing changes where
    /// it has an error. Sessions that are open go on as they began.
    pub async fn reload(&self) -> Result<ReloadReport, String> {
        let inside = self.0.clone();
        let read = move || {
            let read = inside.read_again().map_err(|e| e.to_string());
            inside.intake.journal.write(reloading::lines(inside.clock.now(), &read));
            read
        };
        tokio::task::spawn_blocking(read).await.map_err(|e| e.to_string())?
    }

    /// What happens from now on. A listener that falls behind misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.events.listen()
    }

    /// What happened; none where nothing is remembered.
    pub fn past(&self) -> Option<Past> {
        self.0.history.past()
    }

    /// Says in the log where somebody can sign in for the first time, and with the token of which
    /// file.
    pub fn tell_first_sign_in(&self, at: &str, token: &Path) {
        first_sign_in(at, token);
    }

    /// Looks at senders with our resolver.
    pub fn inspector(&self) -> &Inspector {
        &self.0.inspector
    }

    /// The keys that mail is signed with, in force or not.
    pub fn signing_keys(&self) -> Vec<SigningKey> {
        self.0.live.borrow().signing.keys.clone()
    }

    /// Begins to close: no new mail, transactions under way are finished.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }
}

impl Inside {
    fn read_again(&self) -> Result<ReloadReport, ConfigError> {
        let mut configured = self.configured.lock();
        let new = (self.reread.0)()?;
        let Configured { started, now } = &*configured;
        let changes = Config::changes(now, &new).into_iter().map(|change| change.name);
        let need_restart = Config::changes_needing_restart(started, &new);
        let report = ReloadReport {
            changed: changes.filter(|name| !need_restart.contains(name)).collect(),
            need_restart,
            warnings: new.warnings().lines().collect(),
        };
        let old = self.live.borrow().clone();
        let mut setup = Setup::of(&new.clone().until_restart(started));
        (setup.seed, setup.clock) = (old.seed, old.clock);
        setup.rules = setup.rules.or_same(&old.rules);
        // Here, where nothing waits for it.
        let _ = setup.rules.book();
        (self.apply)(&setup);
        self.setup.send_replace(Arc::new(setup));
        if report.changed.iter().any(governs_routes) {
            self.mailbox.tell(Input::Reroute);
        }
        configured.now = new;
        Ok(report)
    }
}

/// Whether where mail goes, and how hosts are spoken to, hangs on a setting.
fn governs_routes(name: &SettingName) -> bool {
    match name.section {
        "route" | "domain" => true,
        "provider" => ["id", "tls", "tls_min"].contains(&name.key),
        "delivery" => ["tls", "tls_min"].contains(&name.key),
        _ => false,
    }
}
