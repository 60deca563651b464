//! Making a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time;

/// Why no connection could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// Nobody answered in time.
    #[error("connection timed out")]
    TimedOut,
    /// There is no way there.
    #[error("network unreachable: {0}")]
    Unreachable(String),
    /// The address to call from is not one of this machine's: our own fault.
    #[error("cannot send from {source_address}: {why}")]
    Source {
        /// The address.
        source_address: IpAddr,
        /// Why not.
        why: String,
    },
    /// Anything else.
    #[error("connection failed: {0}")]
    Other(String),
}

pub(super) async fn connect(
    source: Option<IpAddr>,
    address: SocketAddr,
    patience: Duration,
) -> Result<TcpStream, ConnectError> {
    let other = |e: io::Error| ConnectError::Other(e.to_string());
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(other)?;
    if let Some(source_address) = source {
        let refused = |e: io::Error| ConnectError::Source { source_address, why: e.to_string() };
        socket.bind(SocketAddr::new(source_address, 0)).map_err(refused)?;
    }
    let stream = time::timeout(patience, socket.connect(address)).await;
    let stream = stream.map_err(|_| ConnectError::TimedOut)?.map_err(|e| of_connect(&e))?;
    stream.set_nodelay(true).map_err(other)?;
    Ok(stream)
}

fn of_connect(error: &io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused,
        io::ErrorKind::TimedOut => ConnectError::TimedOut,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            ConnectError::Unreachable(error.to_string())
        }
        _ => ConnectError::Other(error.to_string()),
    }
}
