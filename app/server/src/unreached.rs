//! What hosts said, or what became of the connection, when a session with them did not come
//! about: no recipient's reply, and yet the reason why recipients wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use postlane_engine::HostId;
use postlane_mail::LastReply;

/// The last failure of each host that has ever failed; there are no more of them than hosts
/// that mail has gone to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreached(Arc<Mutex<BTreeMap<HostId, LastReply>>>);

impl Unreached {
    pub(crate) fn note(&self, host: HostId, failure: LastReply) {
        self.0.lock().insert(host, failure);
    }

    pub(crate) fn of(&self, host: HostId) -> Option<LastReply> {
        self.0.lock().get(&host).cloned()
    }
}
