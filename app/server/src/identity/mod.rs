//! Looks at senders: at their mail before it goes, at test mail, at their domains and addresses over
//! time, and for whoever asks.

pub(crate) mod inspector;
pub(crate) mod preflight;
pub mod tester;
pub(crate) mod turnstile;
pub(crate) mod watch;
