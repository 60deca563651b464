//! The server half of one session: what we say to a client that hands us mail.

mod limits;
mod machine;
mod rights;
mod session;
mod standing;
mod submission;
mod tls;
mod transcript;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use machine::{Login, Lookup, Server, Step};
pub use rights::{RelayRights, Rights};
pub use session::{Auth, Peer, Pressure, Settings, StartTls};
pub use standing::{Identity, Standing};
pub use submission::{Refusal, Submission, Verdict};
pub use tls::TlsFacts;
pub use transcript::{Said, Speaker, Transcript};
