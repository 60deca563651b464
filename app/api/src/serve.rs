//! The doors of the API: a TCP address and a unix socket.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use crate::access::Origin;

/// The doors, open and not yet served.
pub struct Doors {
    http: TcpListener,
    control: UnixListener,
}

impl Doors {
    /// Opens both. A socket file that a dead server left behind is removed: who holds the
    /// spool's lock is alone in the directory.
    pub async fn open(http: SocketAddr, control: &Path) -> io::Result<Self> {
        let http = TcpListener::bind(http).await?;
        match std::fs::remove_file(control) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        Ok(Self { http, control: UnixListener::bind(control)? })
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
