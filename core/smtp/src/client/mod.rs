//! The client half of one session: how we hand mail to a host.

mod decimal;
mod limits;
mod machine;
mod session;
mod transaction;
mod transcript;

#[cfg(test)]
mod tests;

pub use limits::Timeouts;
pub use machine::{Client, Settings, Step};
pub use session::{SessionEnd, TlsPolicy};
pub use transaction::{Finished, Outcome, RecipientOutcome, Transaction, Unable};
pub use transcript::Transcript;
