//! TLS with hosts, made once for each way of doing it: reading a machine's certificate
//! authorities takes milliseconds, and sessions are opened by the thousand.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use postlane_net::tls::ClientTls;

use super::TlsSetup;

/// What has been made ready so far.
#[derive(Default)]
pub(super) struct ReadyTls(Mutex<BTreeMap<TlsSetup, ClientTls>>);

impl ReadyTls {
    /// How TLS is done with a host.
    pub(super) fn of(&self, setup: &TlsSetup) -> ClientTls {
        let mut ready = self.0.lock();
        if let Some(ready) = ready.get(setup) {
            return ready.clone();
        }
        let (made, keep) = make(setup);
        if keep {
            ready.insert(setup.clone(), made.clone());
        }
        made
    }
}

/// What cannot be read any more since the configuration was checked lets nobody's certificate
/// pass, and is tried again the next time.
fn make(setup: &TlsSetup) -> (ClientTls, bool) {
    let TlsSetup { policy, minimum, authorities } = setup;
    if !policy.is_required() {
        return (ClientTls::opportunistic(*minimum), true);
    }
    match ClientTls::required(*minimum, authorities.as_deref()) {
        Ok(made) => (made, true),
        Err(error) => {
            crate::telling::journal::alarm(&format!("no certificate can be checked: {error}"));
            (ClientTls::believing_nobody(*minimum), false)
        }
    }
}

impl std::fmt::Debug for ReadyTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadyTls")
    }
}
