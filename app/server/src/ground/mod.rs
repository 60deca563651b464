//! What the rest stands on: the time, chance that outlives a restart, a mailbox between threads,
//! threads that must not end, and the registry beside the queue.

pub(crate) mod clock;
pub(crate) mod clock_mark;
pub(crate) mod descriptors;
pub(crate) mod mailbox;
pub(crate) mod registry;
pub(crate) mod secret;
pub(crate) mod set_back;
pub(crate) mod vital;
