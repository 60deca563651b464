//! How many sessions at once, and how many messages on one, a provider takes.

/// What the provider has said of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    connections: Option<u32>,
    messages: Option<u32>,
}

impl Caps {
    /// What was kept of them.
    pub(crate) fn of(connections: Option<u32>, messages: Option<u32>) -> Self {
        let at_least_one = |cap: Option<u32>| cap.filter(|cap| *cap > 0);
        Self { connections: at_least_one(connections), messages: at_least_one(messages) }
    }

    /// One more was refused while so many were open; whether that is new.
    pub(crate) fn refuse_connection(&mut self, open: u32) -> bool {
        let is_new = self.connections.is_none_or(|cap| open < cap);
        if is_new {
            self.connections = Some(open);
        }
        is_new
    }

    /// One more was refused on a session that had carried so many; whether that is new.
    pub(crate) fn refuse_message(&mut self, carried: u32) -> bool {
        let is_new = carried > 0 && self.messages.is_none_or(|cap| carried < cap);
        if is_new {
            self.messages = Some(carried);
        }
        is_new
    }

    /// Sessions at once, at most, where that is known.
    pub fn connections(&self) -> Option<u32> {
        self.connections
    }

    /// Messages on one session, at most, where that is known.
    pub fn messages(&self) -> Option<u32> {
        self.messages
    }
}
