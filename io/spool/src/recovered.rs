//! What comes back after a restart.

use postlane_mail::{Envelope, Place, Progress, QueueId};

/// A message that must still be delivered to somebody. When it came its id tells
/// ([`QueueId::moment`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its name.
    pub id: QueueId,
    /// Where it is kept.
    pub place: Place,
    /// Who it is from and for.
    pub envelope: Envelope,
    /// Its recipients that are not done, and how far each has come; the others are done.
    pub recipients: Vec<(u16, Progress)>,
}
