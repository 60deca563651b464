//! Model receivers: what a provider does with our mail, in virtual time.
//!
//! A scenario says who sends (addresses, identity, ceilings), what there is to send, and what
//! one receiver allows: its limits, penalties, outages and moods. The receiver answers as SMTP
//! does and tells nothing else. Nothing here decides how mail is sent, and nothing is a guess
//! about a provider: the model does what its file says, to the millisecond, and the same file
//! and seed give the same answers.

mod answer;
mod background;
mod builtin;
mod chance;
mod counter;
mod look;
mod ms;
mod penalty;
mod quota;
mod receiver;
mod scenario;
mod workload;

pub use answer::{Answer, Cause, ConnId, Greeting, Source, Verdict};
pub use builtin::builtin;
pub use look::{Asking, Room, Usage};
pub use ms::{Frequency, Ms, MsError};
pub use receiver::{Addressee, Receiver};
pub use scenario::{
    Background, Ceiling, Change, Charge, Extend, Fault, Grow, Key, Kind, Limit, LimitStage, Mail,
    Meta, OperatorCommand, Outage, Override, Penalty, Quantity, Restart, RestartKind, Scenario,
    ScenarioError, Sender, Site, Tarpit, Temp, TimeOfDay, Unit,
};
pub use workload::{Arrival, Workload};
