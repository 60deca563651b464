//! What a client has shown of itself: nothing, its network, or who it is.

use std::sync::Arc;

use postlane_mail::Label;

/// What a client has shown of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Stranger,
    /// It comes from a network that may relay.
    Neighbour,
    /// It has authenticated.
    Known(Identity),
}

impl Standing {
    /// Whether it has shown enough to send mail to anybody.
    pub fn may_relay(&self) -> bool {
        !matches!(self, Self::Stranger)
    }

    /// Who it is, if it has authenticated.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            _ => None,
        }
    }
}

/// Who a client has shown to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: Arc<str>,
    /// Whose mail it sends; empty where the listener says so, or nobody.
    pub tenant: Label,
}
