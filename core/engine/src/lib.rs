//! The queue machine: which message goes out next, over which lane, and what then.
//!
//! Inputs in, outputs out. It holds no address, no reply text and no body: names are
//! numbers that the world hands out, evidence is carried and never opened. It reads no
//! clock and throws no dice but its own seeded ones, so the same inputs give the same
//! outputs, byte for byte.

mod drive;
mod input;
mod names;
mod output;
mod settings;

pub use drive::{World, drive};
pub use input::{
    Action, Input, Operator, Outcome, RecipientOutcome, Resolved, Route, RouteHost, Selection,
    Submission, SubmittedRecipient, Unreached,
};
pub use names::{
    AttemptId, DomainId, ExchangeId, FlowId, HostId, PoolId, ProviderId, SlotId, SourceId,
};
pub use output::{End, Event, Fate, Output, Settled};
pub use settings::{Ceilings, Pool, RetrySchedule, Settings, Source};
