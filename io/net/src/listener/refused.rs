//! Why an address cannot be listened on, and what is done about that.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

/// An address that the system does not let us listen on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({setting}): {why}: {}", cure(why.kind()))]
pub struct CannotListen {
    /// What was asked for.
    pub address: SocketAddr,
    /// The flag and the setting that say so.
    pub setting: &'static str,
    /// What the system said.
    pub why: Error,
}

fn cure(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => {
            "another program listens there, as `ss -ltnp` shows: end that, or choose another port \
             (0 takes a free one)"
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address, as `ip address` shows: choose one that it has, or \
             0.0.0.0 or [::] for all"
        }
        ErrorKind::PermissionDenied => {
            "a port below 1024 needs root, CAP_NET_BIND_SERVICE, or a systemd socket: choose \
             another port, or have one of these"
        }
        _ => "choose another address",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_cure_of_its_own() {
        let says = |kind: ErrorKind| {
            let address = ([127, 0, 0, 1], 25).into();
            CannotListen { address, setting: "--smtp", why: kind.into() }.to_string()
        };
        assert!(says(ErrorKind::AddrInUse).contains("another program"));
        assert!(says(ErrorKind::AddrNotAvailable).contains("no such address"));
        assert!(says(ErrorKind::PermissionDenied).contains("below 1024"));
        assert!(says(ErrorKind::Other).starts_with("cannot listen on 127.0.0.1:25 (--smtp): "));
    }
}
