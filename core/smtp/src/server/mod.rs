//! The server half of one session: what we say to a client that hands us mail.

mod limits;
mod machine;
mod rights;
mod session;
mod submission;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use machine::{Secret, Server, Settings, Step};
pub use rights::{OwnNames, Standing};
pub use session::{Peer, Pressure, TlsFacts};
pub use submission::{Identity, Submission, Verdict};
