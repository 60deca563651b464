//! The doors of the API: a TCP address and a unix socket.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use crate::access::Origin;

/// Why a door stays shut.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DoorError {
    /// The TCP address.
    #[error("cannot listen: {0}")]
    Http(io::Error),
    /// The unix socket in the data directory.
    #[error(
        "cannot make the socket {path}: {why}; a path of 107 octets at most, in a directory that we may write to (--data DIR)"
    )]
    Control {
        /// Where it was to be.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

/// The doors, open and not yet served.
pub struct Doors {
    http: TcpListener,
    control: UnixListener,
}

impl Doors {
    /// Opens both. A socket file that a dead server left behind is removed: who holds the
    /// spool's lock is alone in the directory.
    pub async fn open(address: SocketAddr, control: &Path) -> Result<Self, DoorError> {
        let http = TcpListener::bind(address).await.map_err(DoorError::Http)?;
        let failed = |why| DoorError::Control { path: control.to_owned(), why };
        match std::fs::remove_file(control) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        Ok(Self { http, control: UnixListener::bind(control).map_err(failed)? })
    }

    /// Where the HTTP door is; port 0 has become a real one.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.http.local_addr()
    }
}

/// Serves the API at both doors until `stop` is true; requests under way are finished.
pub async fn serve(doors: Doors, router: Router, stop: watch::Receiver<bool>) -> io::Result<()> {
    let stopped = |mut stop: watch::Receiver<bool>| async move {
        // An error means that whoever could say stop is gone: then it is time, too.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let service = router.into_make_service_with_connect_info::<Origin>();
    let http =
        axum::serve(doors.http, service.clone()).with_graceful_shutdown(stopped(stop.clone()));
    let control = axum::serve(doors.control, service).with_graceful_shutdown(stopped(stop));
    let (http, control) = tokio::join!(http.into_future(), control.into_future());
    http.and(control)
}
