//! Talking to the running server: HTTP over its unix socket, or over loopback.

use std::io::Write;
use std::iter;
use std::path::PathBuf;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use postlane_api::Token;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// A way to the server, with the token in hand.
pub(crate) struct Client {
    door: Door,
    token: Token,
}

enum Door {
    Unix(PathBuf),
    Tcp(std::net::SocketAddr),
}

impl Client {
    /// Finds the way; does not go it yet.
    pub(crate) fn find(reach: &Reach) -> Result<Self, Failure> {
        let data = reach.data_dir();
        let path = reach.token.clone().unwrap_or_else(|| data.join("token"));
        let token = Token::load(&path).map_err(|e| {
            Failure::new(Exit::Unreachable, format!("{e}; {}", cure(reach, e.is_forbidden())))
        })?;
        let door = match reach.server {
            Some(address) => Door::Tcp(address),
            None => Door::Unix(data.join("control.sock")),
        };
        Ok(Self { door, token })
    }

    /// Asks for something.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, Vec::new())
    }

    /// Hands something in.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|e| Failure::usage(e.to_string()))?;
        self.ask(Method::POST, path, body)
    }

    /// Puts something in its place.
    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|e| Failure::usage(e.to_string()))?;
        self.ask(Method::PUT, path, body)
    }

    /// Has something taken away, of which nothing more is said.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Failure> {
        let (status, answer) = self.answered(Method::DELETE, path, Vec::new())?;
        if status.is_success() { Ok(()) } else { Err(problem(status, &answer)) }
    }

    /// Goes the way once: whether a server answers there at all.
    pub(crate) fn reached(self) -> Result<Self, Failure> {
        self.answered(Method::GET, "/v1/whoami", Vec::new())?;
        Ok(self)
    }

    /// Has something taken away.
    pub(crate) fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::DELETE, path, Vec::new())
    }

    /// Listens to server-sent events until the server ends them; gives the data of each.
    pub(crate) fn events(&self, path: &str, mut tell: impl FnMut(&[u8])) -> Result<(), Failure> {
        let runtime = runtime()?;
        runtime.block_on(async {
            let answer = self.send(Method::GET, path, Vec::new()).await?;
            let status = answer.status();
            let mut body = answer.into_body();
            if !status.is_success() {
                let says = body.collect().await.map_err(|e| broken(&e))?.to_bytes();
                return Err(problem(status, &says));
            }
            let mut heard = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| broken(&e))?;
                heard.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                while let Some(end) = heard.iter().position(|b| *b == b'\n') {
                    let line: Vec<u8> = heard.drain(..=end).collect();
                    if let Some(data) = line.strip_prefix(b"data: ") {
                        tell(data);
                    }
                }
            }
            Ok(())
        })
    }

    /// Takes what the server gives, octet by octet, until it is whole.
    pub(crate) fn download(&self, path: &str, out: &mut impl Write) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let answer = self.send(Method::GET, path, Vec::new()).await?;
            let status = answer.status();
            let mut body = answer.into_body();
            if !status.is_success() {
                let says = body.collect().await.map_err(|e| broken(&e))?.to_bytes();
                return Err(problem(status, &says));
            }
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| broken(&e))?;
                let octets = frame.data_ref().map_or(&[][..], |data| data);
                let written = out.write_all(octets);
                written.map_err(|e| Failure::new(Exit::Undetermined, e.to_string()))?;
            }
            Ok(())
        })
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, Failure> {
        let (status, answer) = self.answered(method, path, body)?;
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|e| {
                Failure::new(Exit::Undetermined, format!("the server's answer cannot be read: {e}"))
            });
        }
        Err(problem(status, &answer))
    }

    fn answered(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        runtime()?.block_on(self.exchange(method, path, body))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let answer = self.send(method, path, body).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| broken(&e))?.to_bytes();
        Ok((status, body))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(AUTHORIZATION, format!("Bearer {}", self.token.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Failure::usage(e.to_string()))?;
        match &self.door {
            Door::Unix(path) => {
                let stream = UnixStream::connect(path)
                    .await
                    .map_err(|e| unreachable_at(&path.display().to_string(), &e))?;
                send_over(stream, request).await
            }
            Door::Tcp(address) => {
                let stream = TcpStream::connect(address)
                    .await
                    .map_err(|e| unreachable_at(&address.to_string(), &e))?;
                send_over(stream, request).await
            }
        }
    }
}

async fn send_over(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, Failure> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|e| broken(&e))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|e| Failure::new(Exit::Undetermined, e.to_string()))
}

fn broken(error: &hyper::Error) -> Failure {
    // A greeting that comes before the request cancels it; one that comes later is not read.
    let cure = if error.is_parse() || error.is_canceled() {
        ": what listens there does not speak HTTP: --server wants the address that `serve` printed \
         behind http="
    } else {
        ""
    };
    Failure::new(Exit::Undetermined, format!("the connection to the server broke: {error}{cure}"))
}

fn unreachable_at(place: &str, error: &std::io::Error) -> Failure {
    let is_forbidden = error.kind() == std::io::ErrorKind::PermissionDenied;
    let cure = if is_forbidden { FORBIDDEN } else { "start one with `postlane serve`" };
    let says = format!("no server answers at {place}: {error}; {cure}");
    Failure::new(Exit::Unreachable, says)
}

const FORBIDDEN: &str = "it belongs to who runs the server: ask as that user (`sudo -u postlane \
                         postlane …`), or by --server with a token of your own (`postlane token \
                         new`, --token FILE)";

/// What to do where there is no token to be had.
fn cure(reach: &Reach, is_forbidden: bool) -> &'static str {
    if is_forbidden {
        return FORBIDDEN;
    }
    if reach.token.is_some() || reach.server.is_some() {
        return "name a file with a token that the server knows: --token FILE (`postlane token new` makes one)";
    }
    "is a server running with this data directory? Start one with `postlane serve`, or say where \
     it is: --data DIR, or POSTLANE_DATA"
}

fn problem(status: StatusCode, answer: &[u8]) -> Failure {
    let value: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let detail = value["detail"].as_str().unwrap_or("the server gave no reason");
    let pointed = value["errors"].as_array().into_iter().flatten();
    // The one thing that is wrong is often told of the whole and of its part.
    let pointed = pointed.filter_map(|one| one["detail"].as_str()).filter(|one| *one != detail);
    let says = iter::once(detail).chain(pointed).collect::<Vec<_>>().join("; ");
    let exit = match status.as_u16() {
        400 | 401 | 403 | 413 | 415 | 422 => Exit::Usage,
        404 | 409 => Exit::No,
        _ => Exit::Undetermined,
    };
    Failure::new(exit, print::printable(&says))
}
