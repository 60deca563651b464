//! Making a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::io::Errno;
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
    #[error(
        "cannot send from {source_address}: {why}; give the address to this machine or take it out of the sources"
    )]
    Source {
        /// The address.
        source_address: IpAddr,
        /// Why not.
        why: String,
    },
    /// This machine has no more sockets or ports: our own fault.
    #[error(
        "no connection to spare: {0}; raise the limit of open files or widen net.ipv4.ip_local_port_range"
    )]
    Exhausted(String),
    /// Anything else.
    #[error("connection failed: {0}")]
    Other(String),
}

pub(super) async fn connect(
    source: Option<IpAddr>,
    address: SocketAddr,
    patience: Duration,
) -> Result<TcpStream, ConnectError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|e| failed(&e))?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0)).map_err(|e| not_from(source, &e))?;
    }
    // Replies are short and each is waited for: nothing is gained by sending fewer packets.
    socket.set_nodelay(true).map_err(|e| failed(&e))?;
    time::timeout(patience, socket.connect(address))
        .await
        .map_err(|_| ConnectError::TimedOut)?
        .map_err(|e| failed(&e))
}

fn not_from(source_address: IpAddr, error: &io::Error) -> ConnectError {
    match Errno::from_io_error(error) {
        // All ports of this address are taken.
        Some(Errno::ADDRINUSE) => ConnectError::Exhausted(error.to_string()),
        _ => ConnectError::Source { source_address, why: error.to_string() },
    }
}

fn failed(error: &io::Error) -> ConnectError {
    let why = error.to_string();
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => ConnectError::Refused,
        Some(Errno::TIMEDOUT) => ConnectError::TimedOut,
        // Without an address of the family, too.
        Some(
            Errno::NETUNREACH
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::HOSTDOWN
            | Errno::ADDRNOTAVAIL
            | Errno::AFNOSUPPORT,
        ) => ConnectError::Unreachable(why),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
            ConnectError::Exhausted(why)
        }
        _ => ConnectError::Other(why),
    }
}
