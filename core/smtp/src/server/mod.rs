//! The server half of one session: what we say to a client that hands us mail.

mod limits;
mod machine;
mod rights;
mod session;
mod submission;
mod transcript;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use machine::{Login, Lookup, Server, Step};
pub use rights::{RelayRights, Rights, Standing};
pub use session::{Auth, Peer, Pressure, Settings, StartTls, TlsFacts};
pub use submission::{Identity, Refusal, Submission, Verdict};
pub use transcript::{Said, Speaker, Transcript};
