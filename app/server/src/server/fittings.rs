//! What the parts of a server share, and the parts put together from it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use postlane_engine::Input;
use postlane_mail::{QueueId, QueueIdSource, Shard};
use postlane_net::route::Router;
use postlane_registry::Registry;
use postlane_replies::Providers;
use postlane_spool::{Disk, Store};
use tokio::runtime;
use tokio::sync::watch;

use crate::engine::names::Names;
use crate::engine::submitting::{Awaited, Ear, Filling, Submitting};
use crate::engine::world::{Answers, EngineMailbox};
use crate::ground::mailbox::Mailbox;
use crate::ground::secret::HouseSecret;
use crate::handle::{Configured, Inside, Reread, Turns};
use crate::identity::inspector::Inspector;
use crate::identity::preflight::Preflight;
use crate::identity::tester::Tester;
use crate::identity::watch::Watch;
use crate::intake::cache::Cache;
use crate::intake::rights::HouseRights;
use crate::intake::{Intake, OnItsWay};
use crate::lanes::{Keeping, Lanes, Teller as LaneTeller};
use crate::outbound::Outbound;
use crate::outbound::faults::Faults;
use crate::outbound::routing::{Asked, Failures, Routing, ToTests, route_settings};
use crate::outbound::tls_policy::Published;
use crate::outbound::unreached::Unreached;
use crate::outcome::diagnosing::Diagnosing;
use crate::outcome::meaning::Meanings;
use crate::outcome::reports::{Owed, Reports};
use crate::outcome::settling::Settling;
use crate::outcome::suppression::{Learning, Stops, Suppressions, Teller, Writing};
use crate::rehearsals::Rehearsals;
use crate::setup::{Live, Setup};
use crate::telling::counters::Counters;
use crate::telling::events::Events;
use crate::telling::history::History;
use crate::telling::journal::{Journal, alarm};
use crate::trouble::incidents::Desk;

/// What the parts of a server share.
pub(super) struct Fittings {
    pub(super) live: Live,
    pub(super) names: Arc<Names>,
    pub(super) mailbox: EngineMailbox,
    pub(super) awaited: Awaited,
    pub(super) failed: Arc<AtomicBool>,
    pub(super) failures: Failures,
    pub(super) unreached: Unreached,
    pub(super) cache: Arc<Cache>,
    pub(super) counters: Arc<Counters>,
    pub(super) diagnosing: Arc<Diagnosing>,
    pub(super) journal: Journal,
    pub(super) events: Events,
    pub(super) history: History,
    pub(super) owed: Arc<Mailbox<Owed>>,
    pub(super) suppressions: Suppressions,
    pub(super) lanes: Lanes,
    pub(super) inspector: Inspector,
    pub(super) published: Published,
    pub(super) preflight: Preflight,
    pub(super) watch: Watch,
}

/// What a server has beside its fittings.
pub(super) struct Rest {
    pub(super) setup: watch::Sender<Arc<Setup>>,
    pub(super) reread: Reread,
    pub(super) configured: Configured,
    pub(super) store: Arc<Disk>,
    pub(super) answers: Answers,
    pub(super) intake: Arc<Intake>,
    pub(super) whole: watch::Receiver<bool>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) smtp: Vec<SocketAddr>,
    pub(super) registry: Registry,
    pub(super) tester: Option<Arc<Tester>>,
    pub(super) apply: Box<dyn Fn(&Setup) + Send + Sync>,
}

impl Fittings {
    pub(super) fn new(live: Live, registry: &Registry) -> anyhow::Result<Self> {
        let setup = live.borrow().clone();
        let (cache_octets, journal) = (setup.cache_octets, Journal::start(&setup.log));
        let inspector = Inspector::new(&setup)?;
        let published = Published::new(&setup, registry, &journal)?;
        let history = History::open(&live);
        let (names, events) = (Arc::new(Names::new()), Events::new());
        let teller = LaneTeller {
            journal: journal.clone(),
            events: events.clone(),
            history: history.clone(),
            names: names.clone(),
            live: live.clone(),
        };
        let watch = Watch::new(setup.resolver()?);
        let preflight = Preflight::new(live.clone(), setup.resolver()?, teller);
        Ok(Self {
            live,
            names,
            mailbox: EngineMailbox::new(),
            awaited: Awaited::default(),
            failed: Arc::default(),
            failures: Failures::default(),
            unreached: Unreached::default(),
            cache: Arc::new(Cache::new(cache_octets)),
            counters: Arc::default(),
            diagnosing: Arc::default(),
            journal,
            events,
            history,
            owed: Arc::new(Mailbox::new()),
            suppressions: Suppressions::new(),
            lanes: Lanes::default(),
            inspector,
            published,
            preflight,
            watch,
        })
    }

    /// What whoever asks the server finds.
    pub(super) fn inside(self, rest: Rest) -> Inside {
        let clock = self.live.borrow().clock;
        let rehearsals = Rehearsals::new(self.live.clone(), rest.stop.subscribe());
        Inside {
            clock,
            live: self.live,
            setup: rest.setup,
            reread: rest.reread,
            configured: Mutex::new(rest.configured),
            store: rest.store,
            cache: self.cache,
            names: self.names,
            failures: self.failures,
            unreached: self.unreached,
            counters: self.counters,
            diagnosing: self.diagnosing,
            intake: rest.intake,
            mailbox: self.mailbox,
            answers: rest.answers,
            awaited: self.awaited,
            failed: self.failed,
            whole: rest.whole,
            stop: rest.stop,
            events: self.events,
            history: self.history,
            smtp: rest.smtp,
            turns: Turns::default(),
            suppressions: self.suppressions,
            lanes: self.lanes,
            registry: rest.registry,
            registry_unusable: Mutex::default(),
            published: self.published,
            incidents: Desk::default(),
            watch: self.watch,
            rehearsals,
            inspector: self.inspector,
            preflight: self.preflight,
            tester: rest.tester,
            webhooks: OnceLock::new(),
            apply: rest.apply,
        }
    }

    pub(super) fn submitting(&self) -> Submitting {
        Submitting {
            live: self.live.clone(),
            names: self.names.clone(),
            mailbox: self.mailbox.clone(),
            suppressions: self.suppressions.clone(),
        }
    }

    pub(super) fn ear(&self) -> Ear {
        Ear {
            submitting: self.submitting(),
            awaited: self.awaited.clone(),
            failed: self.failed.clone(),
            filling: Filling::default(),
        }
    }

    /// What is done when a thread breaks that mail cannot do without: none is taken any more, and none
    /// tried, as where the spool has failed. What was taken is on disk.
    pub(super) fn broken(
        &self,
        name: &'static str,
        store: &Arc<Disk>,
    ) -> impl FnOnce() + Send + use<> {
        let (failed, mailbox) = (self.failed.clone(), self.mailbox.clone());
        let store = store.clone();
        move || {
            failed.store(true, Ordering::Release);
            mailbox.tell(Input::StoreFailed);
            alarm(&format!(
                "the thread \"{name}\" has ended by a fault of ours, told in the lines before: no mail is taken or \
                 sent until the server is restarted; please report this"
            ));
            store.close();
        }
    }

    pub(super) fn intake(
        &self,
        store: &Arc<Disk>,
        last_id: Option<QueueId>,
        rights: watch::Receiver<Arc<HouseRights>>,
    ) -> Arc<Intake> {
        Arc::new(Intake {
            logins: Default::default(),
            clock: self.live.borrow().clock,
            live: self.live.clone(),
            store: store.clone(),
            cache: self.cache.clone(),
            ids: Mutex::new(QueueIdSource::new(Shard(0), last_id)),
            counters: self.counters.clone(),
            on_its_way: OnItsWay::default(),
            rights,
            journal: self.journal.clone(),
            events: self.events.clone(),
            history: self.history.clone(),
            meanings: Meanings::built_in(),
            suppressions: self.suppressions.clone(),
            writing: self.writing(store.clone()),
        })
    }

    pub(super) fn reports(&self, store: &Arc<Disk>, intake: &Arc<Intake>) -> Reports {
        Reports {
            store: store.clone(),
            intake: intake.clone(),
            live: self.live.clone(),
            names: self.names.clone(),
            failures: self.failures.clone(),
            unreached: self.unreached.clone(),
            awaited: self.awaited.clone(),
            counters: self.counters.clone(),
            journal: self.journal.clone(),
            events: self.events.clone(),
            history: self.history.clone(),
        }
    }

    pub(super) fn settling(&self, store: Arc<dyn Store>, answers: &Answers) -> Settling {
        let writing = self.writing(store.clone());
        Settling {
            store,
            cache: self.cache.clone(),
            live: self.live.clone(),
            names: self.names.clone(),
            failures: self.failures.clone(),
            unreached: self.unreached.clone(),
            counters: self.counters.clone(),
            awaited: self.awaited.clone(),
            reports: self.owed.clone(),
            journal: self.journal.clone(),
            events: self.events.clone(),
            history: self.history.clone(),
            suppressions: self.suppressions.clone(),
            writing,
            learning: Learning::default(),
            keeping: Keeping {
                lanes: self.lanes.clone(),
                names: self.names.clone(),
                live: self.live.clone(),
                mailbox: self.mailbox.clone(),
                answers: answers.clone(),
                teller: LaneTeller {
                    journal: self.journal.clone(),
                    events: self.events.clone(),
                    history: self.history.clone(),
                    names: self.names.clone(),
                    live: self.live.clone(),
                },
                gathered: Default::default(),
            },
            changes: Vec::new(),
            done: Vec::new(),
            lines: String::new(),
        }
    }

    fn writing(&self, store: Arc<dyn Store>) -> Writing {
        Writing {
            store,
            awaited: self.awaited.clone(),
            list: self.suppressions.clone(),
            teller: Teller {
                journal: self.journal.clone(),
                events: self.events.clone(),
                history: self.history.clone(),
                live: self.live.clone(),
            },
            live: self.live.clone(),
            counters: self.counters.clone(),
        }
    }

    /// Who looks after tests, where there are any.
    pub(super) fn tester(
        &self,
        setup: &Setup,
        secret: &HouseSecret,
    ) -> anyhow::Result<Option<Arc<Tester>>> {
        let resolver = setup.resolver()?;
        Ok(Tester::start(setup, &self.live, secret, &self.journal, resolver))
    }

    pub(super) fn routing(
        &self,
        setup: &Setup,
        listening: Vec<SocketAddr>,
    ) -> anyhow::Result<Routing> {
        let to_tests = match &setup.tester.domain {
            None => None,
            Some(domain) => {
                let each = listening.iter().zip(&setup.listeners);
                let others = each.filter(|(_, listener)| !listener.tests).map(|(at, _)| *at);
                let settings = route_settings(setup, others.collect());
                let router = Router::new(setup.resolver()?, settings);
                Some(ToTests { domain: domain.clone(), router })
            }
        };
        let router = Router::new(setup.resolver()?, route_settings(setup, listening));
        let (published, providers) = (self.published.clone(), Providers::built_in());
        let asked = Arc::new(Asked { router, to_tests, published, providers });
        Ok(Routing {
            ring: runtime::Handle::current(),
            clock: setup.clock,
            live: self.live.clone(),
            names: self.names.clone(),
            mailbox: self.mailbox.clone(),
            asked,
            failures: self.failures.clone(),
            unreached: self.unreached.clone(),
        })
    }

    pub(super) fn outbound(
        &self,
        store: Arc<dyn Store>,
        rights: watch::Receiver<Arc<HouseRights>>,
    ) -> Outbound {
        Outbound {
            ring: runtime::Handle::current(),
            clock: self.live.borrow().clock,
            live: self.live.clone(),
            names: self.names.clone(),
            cache: self.cache.clone(),
            store,
            mailbox: self.mailbox.clone(),
            sessions: Default::default(),
            plain: Arc::default(),
            diagnosing: self.diagnosing.clone(),
            rights,
            published: self.published.clone(),
            stops: Stops {
                list: self.suppressions.clone(),
                live: self.live.clone(),
                clock: self.live.borrow().clock,
                counters: self.counters.clone(),
            },
            preflight: self.preflight.clone(),
            faults: Arc::new(Faults::new(
                self.mailbox.clone(),
                self.live.borrow().clock,
                self.counters.clone(),
            )),
        }
    }
}
