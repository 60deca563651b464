//! The doors of the API: a TCP address and a unix socket.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time;
use tower::ServiceExt as _;

use crate::access::Origin;
use crate::patient::Patient;

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

/// Connections at the TCP address at once. Who comes when all places are taken waits outside, in the
/// system's queue: a file descriptor each is all that a program has for mail, too. The unix socket
/// has no such bound, so that an operator always gets in. Chosen, not measured.
const PLACES: usize = 1024;

/// How long a client may take to ask: for the first request, and between two. Longer than proxies
/// keep a connection that they mean to use again (nginx: 60 s). Chosen, not measured.
const HEAD_PATIENCE: Duration = Duration::from_secs(75);

/// How long requests under way may take once it is time to end. Chosen, not measured: less than a
/// service manager waits.
const LEAVE_PATIENCE: Duration = Duration::from_secs(10);

/// Serves the API at both doors until `stop` is true; requests under way are finished, as far as
/// they are within 10 s.
pub async fn serve(doors: Doors, router: Router, stop: watch::Receiver<bool>) {
    let Doors { http, control } = doors;
    let from = |address: &SocketAddr| Origin::Address(address.ip());
    let http = hold_door(http, from, (router.clone(), Some(PLACES)), stop.clone());
    let control = hold_door(control, |_| Origin::Socket, (router, None), stop);
    tokio::join!(http, control);
}

/// Lets clients in, as many at once as there are places, until `stop` is true.
async fn hold_door<L: Listener>(
    mut door: L,
    origin: fn(&L::Addr) -> Origin,
    (router, places): (Router, Option<usize>),
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(places.unwrap_or(Semaphore::MAX_PERMITS)));
    let told = stop.clone();
    // An error means that whoever could say stop is gone: then it is time, too.
    let mut stopping = pin!(stop.wait_for(|stop| *stop));
    let mut inside = JoinSet::new();
    loop {
        let enter = async {
            let place = places.clone().acquire_owned().await;
            (place, door.accept().await)
        };
        let (place, (stream, from)) = tokio::select! {
            entered = enter => entered,
            Some(_) = inside.join_next() => continue,
            _ = &mut stopping => break,
        };
        inside.spawn(converse(stream, router.clone(), origin(&from), told.clone(), place));
    }
    drop(door);
    let all_left = async { while inside.join_next().await.is_some() {} };
    // Who does not even read what is said to them is not waited for.
    let _ = time::timeout(LEAVE_PATIENCE, all_left).await;
}

/// Answers one client until it goes, says nothing for too long, or it is time to end.
async fn converse<S>(
    stream: S,
    router: Router,
    origin: Origin,
    mut stop: watch::Receiver<bool>,
    place: Result<OwnedSemaphorePermit, AcquireError>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let router = router.map_request(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(origin));
        request.map(Body::new)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .serve_connection(TokioIo::new(Patient::new(stream)), TowerToHyperService::new(router))
    );
    let told = async { drop(stop.wait_for(|stop| *stop).await) };
    // A broken connection is the client's business.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = told => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;
    use tower_http::timeout::TimeoutLayer;

    use super::*;

    /// A door with so many places.
    async fn door(places: usize) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let endless = || async {
            let piece = || Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 65_536]));
            Body::from_stream(stream::repeat_with(piece))
        };
        let patience = Duration::from_secs(crate::router::REQUEST_S_MAX);
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/endless", get(endless))
            .route("/octets", post(|body: Bytes| async move { body.len().to_string() }))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience));
        let stop = watch::Sender::new(false);
        let from = |address: &SocketAddr| Origin::Address(address.ip());
        let held = hold_door(door, from, (router, Some(places)), stop.subscribe());
        (address, stop, tokio::spawn(held))
    }

    async fn asked(address: SocketAddr, what: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(what.as_bytes()).await.unwrap();
        stream
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    const WHOLE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn who_does_not_say_what_they_want_goes_and_makes_place_for_others() {
        let (address, _stop, _held) = door(2).await;
        let slow = asked(address, "GET / HTT").await;
        let silent = asked(address, "").await;
        assert!(answer(asked(address, WHOLE).await).await.ends_with("hello"));
        assert_eq!((answer(slow).await, answer(silent).await), (String::new(), String::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_reads_what_they_asked_for_goes_and_makes_place_for_others() {
        let (address, _stop, _held) = door(1).await;
        let deaf = asked(address, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer(asked(address, WHOLE).await).await.ends_with("hello"));
        drop(deaf);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_an_octet_from_time_to_time_goes_and_makes_place_for_others() {
        let (address, _stop, _held) = door(1).await;
        let head = "POST /octets HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n";
        let mut slow = asked(address, head).await;
        let began = time::Instant::now();
        let drip = async {
            while slow.write_all(b"x").await.is_ok() {
                time::advance(Duration::from_secs(50)).await;
            }
        };
        tokio::join!(drip, async {
            assert!(answer(asked(address, WHOLE).await).await.ends_with("hello"));
        });
        assert!(began.elapsed() < Duration::from_secs(600), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_asking_or_does_not_read_keeps_nobody_from_ending() {
        let (address, stop, held) = door(2).await;
        let slow = asked(address, "GET / HTT").await;
        let mut served = asked(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut first = [0; 12];
        served.read_exact(&mut first).await.unwrap();
        let began = time::Instant::now();
        stop.send_replace(true);
        held.await.unwrap();
        assert!(began.elapsed() <= LEAVE_PATIENCE + Duration::from_secs(1));
        assert_eq!(&first, b"HTTP/1.1 200");
        drop((slow, served));
    }
}
