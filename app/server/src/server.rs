//! Putting it together: starts everything, in an order in which nothing is lost, and stops it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use parking_lot::Mutex;
use postlane_engine::{Engine, Input, Pool, PoolId, Settings as EngineSettings, Source, SourceId};
use postlane_mail::{QueueIdSource, Shard};
use postlane_net::dns::{NameServers, Resolver, ResolverSettings};
use postlane_net::listener::{Gate, ListenerSettings, listen};
use postlane_net::route::Router;
use postlane_net::tls;
use postlane_replies::Providers;
use postlane_smtp::server::Settings as SmtpSettings;
use postlane_spool::{Disk, Opened, Store};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cache::Cache;
use crate::counters::Counters;
use crate::handle::{Handle, Inside, Reread};
use crate::intake::{Door, Intake};
use crate::journal::{Journal, alarm};
use crate::mailbox::Mailbox;
use crate::names::Names;
use crate::outbound::Outbound;
use crate::reports::Reports;
use crate::routing::{Asked, Failures, Routing, route_settings};
use crate::settling::Settling;
use crate::setup::{AuthSetup, ListenerSetup, Live, Setup};
use crate::submitting::{Awaited, Ear, Submitting};
use crate::world::{Answers, Around, EngineMailbox};

/// A server that runs.
pub struct Server {
    handle: Handle,
    listeners: JoinSet<()>,
    engine: JoinHandle<()>,
    mailbox: EngineMailbox,
    store: Arc<Disk>,
    gate: Arc<Gate>,
}

impl Server {
    /// Starts taking and delivering mail. The spool is opened first: what was ours is ours.
    pub async fn start(setup: Setup, reread: Reread) -> anyhow::Result<Self> {
        raise_file_limit();
        let bound = bind(&setup.listeners).await?;
        let listening = addresses(&bound)?;
        let clock = setup.clock;
        let (sender, receiver) = watch::channel(Arc::new(setup));
        let live = Live(receiver);
        let setup = live.borrow().clone();
        let names = Arc::new(Names::new());
        let mailbox = EngineMailbox::new();
        let submitting =
            Submitting { live: live.clone(), names: names.clone(), mailbox: mailbox.clone() };
        let (awaited, failed) = (Awaited::default(), Arc::new(AtomicBool::new(false)));
        let ear = Ear {
            submitting: submitting.clone(),
            awaited: awaited.clone(),
            failed: failed.clone(),
        };
        let dir = setup.data.join("spool");
        let Opened { store, recovery } = Disk::open(&dir, setup.spool.clone(), ear)?;
        recovery.report.findings.iter().for_each(|finding| alarm(finding));
        let cache = Arc::new(Cache::new(setup.cache_octets));
        let counters = Arc::new(Counters::default());
        let intake = Arc::new(Intake {
            clock,
            live: live.clone(),
            store: store.clone(),
            cache: cache.clone(),
            ids: Mutex::new(QueueIdSource::new(Shard(0), recovery.report.last_id)),
            counters: counters.clone(),
            octets: 0.into(),
        });
        let journal = Journal::start();
        let owed = Arc::new(Mailbox::new());
        let failures = Failures::default();
        let reports = Reports {
            store: store.clone(),
            intake: intake.clone(),
            live: live.clone(),
            names: names.clone(),
            failures: failures.clone(),
            awaited: awaited.clone(),
            counters: counters.clone(),
            journal: journal.clone(),
        };
        reports.run(owed.clone())?;
        let settling = Settling {
            store: store.clone(),
            cache: cache.clone(),
            live: live.clone(),
            names: names.clone(),
            counters: counters.clone(),
            awaited: awaited.clone(),
            reports: owed,
            journal,
            changes: Vec::new(),
            done: Vec::new(),
            lines: String::new(),
        };
        let routing = routing(&live, &names, &mailbox, failures, listening.clone())?;
        let outbound = outbound(&live, &names, &mailbox, &cache, store.clone());
        let answers = Answers::default();
        let around =
            Around::new(clock, mailbox.clone(), routing, outbound, settling, answers.clone());
        let engine = Engine::new(Arc::new(engine_settings(&setup, &names)), setup.seed);
        let thread = thread::Builder::new().name("engine".to_owned());
        let engine = thread.spawn(move || around.run(engine))?;
        thread::Builder::new().name("recovery".to_owned()).spawn(move || {
            recovery.drain(|batch| submitting.tell(batch.iter().map(|r| submitting.recovered(r))));
        })?;
        let gate = Gate::new(setup.sessions_in_max, setup.sessions_of_client_max);
        let stop = watch::Sender::new(false);
        let (listeners, renewals) = listen_all(bound, &setup, &gate, &intake, &stop)?;
        let apply = apply(renewals, gate.clone(), mailbox.clone(), names.clone());
        let handle = Handle(Arc::new(Inside {
            clock,
            live,
            setup: sender,
            reread,
            store: store.clone(),
            cache,
            names,
            counters,
            intake,
            mailbox: mailbox.clone(),
            answers,
            awaited,
            failed,
            stop,
            smtp: listening,
            by_key: Mutex::default(),
            apply,
        }));
        Ok(Self { handle, listeners, engine, mailbox, store, gate })
    }

    /// For whoever wants to ask something of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops: takes no new mail, lets what is under way come to its end, closes the spool.
    /// Nothing is lost by not waiting for it; it spares some mail being sent twice.
    pub async fn stop(mut self) {
        self.handle.stop();
        while self.listeners.join_next().await.is_some() {}
        // Sessions say 421 at the next safe point; those that never come to one are cut off.
        let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
        while self.gate.inside() > 0 && tokio::time::Instant::now() < patience {
            look.tick().await;
        }
        self.mailbox.tell(Input::Shutdown);
        let (mailbox, engine, store) = (self.mailbox, self.engine, self.store);
        let ended = tokio::task::spawn_blocking(move || {
            // The engine ends by itself when nothing is under way.
            let _ = engine.join();
            store.close();
        });
        if tokio::time::timeout_at(patience, ended).await.is_err() {
            mailbox.end();
        }
    }
}

async fn bind(listeners: &[ListenerSetup]) -> anyhow::Result<Vec<TcpListener>> {
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let address = listener.address;
        let socket = TcpListener::bind(address).await;
        bound.push(socket.with_context(|| {
            format!(
                "cannot listen on {address}: is another server there? (--smtp, or listener.address)"
            )
        })?);
    }
    Ok(bound)
}

fn addresses(bound: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    bound.iter().map(TcpListener::local_addr).collect()
}

fn routing(
    live: &Live,
    names: &Arc<Names>,
    mailbox: &EngineMailbox,
    failures: Failures,
    listening: Vec<SocketAddr>,
) -> anyhow::Result<Routing> {
    let setup = live.borrow().clone();
    let servers = if setup.resolvers.is_empty() {
        NameServers::system()
    } else {
        NameServers::given(setup.resolvers.clone())?
    };
    let resolver = Resolver::new(&servers, ResolverSettings::default());
    let router = Router::new(resolver, route_settings(&setup, listening));
    let asked = Arc::new(Asked { router, providers: Providers::built_in() });
    Ok(Routing {
        ring: runtime::Handle::current(),
        clock: setup.clock,
        live: live.clone(),
        names: names.clone(),
        mailbox: mailbox.clone(),
        asked,
        failures,
    })
}

fn outbound(
    live: &Live,
    names: &Arc<Names>,
    mailbox: &EngineMailbox,
    cache: &Arc<Cache>,
    store: Arc<dyn Store>,
) -> Outbound {
    Outbound {
        ring: runtime::Handle::current(),
        clock: live.borrow().clock,
        live: live.clone(),
        names: names.clone(),
        cache: cache.clone(),
        store,
        mailbox: mailbox.clone(),
        sessions: Default::default(),
        plain: Arc::default(),
    }
}

fn listen_all(
    bound: Vec<TcpListener>,
    setup: &Setup,
    gate: &Arc<Gate>,
    intake: &Arc<Intake>,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<(JoinSet<()>, Vec<watch::Sender<ListenerSettings>>)> {
    let mut listeners = JoinSet::new();
    let mut renewals = Vec::new();
    for (socket, listener) in bound.into_iter().zip(&setup.listeners) {
        let (renewal, settings) = watch::channel(listener_settings(setup, listener)?);
        let tenant = listener.tenant.clone();
        let intake = Arc::new(Door { intake: intake.clone(), tenant });
        listeners.spawn(listen(socket, settings, gate.clone(), intake, stop.subscribe()));
        renewals.push(renewal);
    }
    Ok((listeners, renewals))
}

fn listener_settings(setup: &Setup, listener: &ListenerSetup) -> anyhow::Result<ListenerSettings> {
    let certificate = listener.certificate.as_ref();
    let tls = certificate.map(|(chain, key)| tls::server_config(chain, key)).transpose()?;
    let on_loopback = listener.address.ip().is_loopback();
    let smtp = SmtpSettings {
        hostname: setup.hostname.as_str().into(),
        starttls: tls.is_some() && !listener.implicit_tls,
        auth: listener.auth != AuthSetup::Off,
        auth_without_tls: listener.auth_without_tls_on_loopback && on_loopback,
        auth_required: listener.auth == AuthSetup::Required,
        own: setup.own.clone(),
        bare_newlines: setup.bare_newlines,
        limits: setup.limits.clone(),
    };
    Ok(ListenerSettings {
        smtp: Arc::new(smtp),
        tls,
        implicit_tls: listener.implicit_tls,
        neighbours: setup.neighbours.clone(),
    })
}

/// What a reload does to what already runs.
fn apply(
    renewals: Vec<watch::Sender<ListenerSettings>>,
    gate: Arc<Gate>,
    mailbox: EngineMailbox,
    names: Arc<Names>,
) -> Box<dyn Fn(&Setup) + Send + Sync> {
    Box::new(move |setup| {
        gate.limit(setup.sessions_in_max, setup.sessions_of_client_max);
        for (renewal, listener) in renewals.iter().zip(&setup.listeners) {
            match listener_settings(setup, listener) {
                Ok(settings) => drop(renewal.send_replace(settings)),
                Err(error) => alarm(&format!("listener {}: {error}", listener.address)),
            }
        }
        mailbox.tell(Input::Settings(Arc::new(engine_settings(setup, &names))));
    })
}

fn engine_settings(setup: &Setup, names: &Names) -> EngineSettings {
    let number = |place: usize| SourceId(u16::try_from(place).unwrap_or(u16::MAX));
    let sources = setup.sources.iter().enumerate();
    let pools = setup.pools.iter().zip(0..);
    EngineSettings {
        sources: sources.map(|(i, s)| Source { id: number(i), family: s.family }).collect(),
        pools: pools
            .map(|(pool, id)| Pool {
                id: PoolId(id),
                sources: pool.sources.iter().map(|(s, weight)| (number(*s), *weight)).collect(),
            })
            .collect(),
        ceilings: setup.ceilings,
        provider_ceilings: setup
            .provider_ceilings
            .iter()
            .map(|(id, ceilings)| (names.provider(id), *ceilings))
            .collect(),
        families_off: setup
            .families_off
            .iter()
            .map(|(id, families)| (names.provider(id), families.clone()))
            .collect(),
        retry: setup.retry,
        expires_after: setup.expires_after,
        delay_notice_after: setup.delay_notice_after,
        transaction_recipients_max: setup.transaction_recipients_max,
        sessions_max: setup.sessions_out_max,
        session_idle: setup.session_idle,
        session_depth: setup.session_depth,
    }
}

/// Every session is a file to the system: as many as it allows.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What is allowed is enough for small relays; the log says when it is not.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Where a server keeps its own things, beside the spool.
pub fn token_path(data: &std::path::Path) -> PathBuf {
    data.join("token")
}
