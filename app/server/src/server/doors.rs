//! Where clients come in: sockets, and what is said at each.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use anyhow::Context as _;
use postlane_net::listener::{CannotListen, Gate, ListenerSettings, listen};
use postlane_net::tls;
use postlane_smtp::auth::{Decoy, ScramVerifier};
use postlane_smtp::server::{Auth, Limits, Settings as SmtpSettings, StartTls};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ground::secret::HouseSecret;
use crate::identity::tester::Tester;
use crate::intake::rights::{DoorRights, HouseRights};
use crate::intake::{Door, Intake};
use crate::outcome::suppression::Suppressions;
use crate::setup::{AuthSetup, ListenerSetup, Setup, SourceSetup};
use crate::telling::counters::Counters;
use crate::telling::journal::alarm;

/// Octets of what was said that a test's report shows. Chosen, not measured: a usual message has
/// one or two thousand.
const TRANSCRIPT_OCTETS_MAX: usize = 32 << 10;

/// A socket for each listener: one that a service manager holds for us at its address, so that
/// a restart refuses no connection, or else a new one.
pub(super) async fn bind(listeners: &[ListenerSetup]) -> anyhow::Result<Vec<TcpListener>> {
    let mut held = handed_over()?;
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let address = listener.address;
        let is_there = |socket: &TcpListener| socket.local_addr().is_ok_and(|at| at == address);
        if let Some(at) = held.iter().position(is_there) {
            bound.push(held.swap_remove(at));
            continue;
        }
        let socket = TcpListener::bind(address).await;
        let setting = "--smtp, or listener.address";
        bound.push(socket.map_err(|why| CannotListen { address, setting, why })?);
    }
    for unused in held {
        let address = unused.local_addr()?;
        alarm(&format!(
            "the service manager holds {address} for us, and no listener has that address"
        ));
    }
    Ok(bound)
}

/// Says of each source whose address is not this machine's that nothing will go by it: the file can be
/// used all the same, as an address may come later.
pub(super) fn tell_sources_elsewhere(sources: &[SourceSetup]) {
    for SourceSetup { name, address, .. } in sources {
        let Some(address) = address else { continue };
        let tried = UdpSocket::bind((*address, 0));
        if tried.is_err_and(|e| e.kind() == io::ErrorKind::AddrNotAvailable) {
            alarm(&format!(
                "the source \"{name}\" cannot send: this machine has no address {address}; give it to the \
                 machine, or write one that it has (source.address)"
            ));
        }
    }
}

/// Sockets that a service manager has opened (`man sd_listen_fds`).
fn handed_over() -> anyhow::Result<Vec<TcpListener>> {
    let mut descriptors = listenfd::ListenFd::from_env();
    let mut sockets = Vec::with_capacity(descriptors.len());
    for number in 0..descriptors.len() {
        let socket = descriptors.take_tcp_listener(number);
        let socket = socket.context("the service manager handed over what is no TCP socket")?;
        if let Some(socket) = socket {
            socket.set_nonblocking(true)?;
            sockets.push(TcpListener::from_std(socket)?);
        }
    }
    Ok(sockets)
}

pub(super) fn addresses(bound: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    bound.iter().map(TcpListener::local_addr).collect()
}

/// What listeners need besides their own settings.
pub(super) struct Doors {
    pub(super) secret: HouseSecret,
    pub(super) rights: watch::Sender<Arc<HouseRights>>,
    pub(super) suppressions: Suppressions,
    pub(super) counters: Arc<Counters>,
    pub(super) tester: Option<Arc<Tester>>,
}

impl Doors {
    fn settings(
        &self,
        setup: &Setup,
        listener: &ListenerSetup,
    ) -> anyhow::Result<ListenerSettings> {
        let certificate = listener.certificate.as_ref();
        let tls = certificate.map(|(chain, key)| tls::server_config(chain, key)).transpose()?;
        let on_loopback = listener.address.ip().is_loopback();
        let scram = Decoy { secret: self.secret.0, iterations: ScramVerifier::ITERATIONS };
        let auth = (listener.auth != AuthSetup::Off).then(|| Auth {
            without_tls: listener.auth_without_tls_on_loopback && on_loopback,
            required: listener.auth == AuthSetup::Required,
            scram: Some(scram),
        });
        let smtp = SmtpSettings {
            hostname: setup.hostname.clone(),
            starttls: match tls {
                Some(_) if !listener.implicit_tls => StartTls::Offered,
                _ => StartTls::Absent,
            },
            auth,
            rights: Arc::new(DoorRights {
                house: self.rights.borrow().clone(),
                suppressions: self.suppressions.clone(),
                counters: self.counters.clone(),
                clock: setup.clock,
                tester: self.tester_of(listener),
                tenant: listener.tenant.clone(),
            }),
            tenant: listener.tenant.clone(),
            bare_newlines: setup.bare_newlines,
            limits: self.limits(setup, listener),
            transcript_octets: if listener.tests { TRANSCRIPT_OCTETS_MAX } else { 0 },
        };
        Ok(ListenerSettings {
            smtp: Arc::new(smtp),
            tls,
            implicit_tls: listener.implicit_tls,
            neighbours: setup.neighbours.clone(),
            balancers: listener.balancers.clone(),
        })
    }

    fn tester_of(&self, listener: &ListenerSetup) -> Option<Arc<Tester>> {
        self.tester.clone().filter(|_| listener.tests)
    }

    /// Where tests are taken no message may be larger than a test.
    fn limits(&self, setup: &Setup, listener: &ListenerSetup) -> Limits {
        let mut limits = setup.limits.clone();
        if listener.tests {
            limits.message_octets = limits.message_octets.min(setup.tester.message_octets);
        }
        limits
    }

    /// Begins to listen. The senders renew what is said at each door.
    pub(super) fn open(
        &self,
        bound: Vec<TcpListener>,
        setup: &Setup,
        gate: &Arc<Gate>,
        intake: &Arc<Intake>,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<(JoinSet<()>, Vec<watch::Sender<ListenerSettings>>)> {
        let mut listeners = JoinSet::new();
        let mut renewals = Vec::new();
        for (socket, listener) in bound.into_iter().zip(&setup.listeners) {
            let (renewal, settings) = watch::channel(self.settings(setup, listener)?);
            let tester = self.tester_of(listener);
            let intake = Arc::new(Door { intake: intake.clone(), tester });
            listeners.spawn(listen(socket, settings, gate.clone(), intake, stop.subscribe()));
            renewals.push(renewal);
        }
        Ok((listeners, renewals))
    }

    /// Says what a new setup has from now on. Sessions that are open go on as they began.
    pub(super) fn renew_all(&self, setup: &Setup, renewals: &[watch::Sender<ListenerSettings>]) {
        self.renew(setup);
        for (renewal, listener) in renewals.iter().zip(&setup.listeners) {
            match self.settings(setup, listener) {
                Ok(settings) => drop(renewal.send_replace(settings)),
                Err(error) => alarm(&format!("listener {}: {error}", listener.address)),
            }
        }
    }

    /// The rights as a new setup has them, for listeners and intake alike.
    fn renew(&self, setup: &Setup) {
        self.rights.send_replace(Arc::new(HouseRights::new(setup, &self.secret)));
    }
}
