//! The queue machine: which message goes out next, over which lane, and what then.
//!
//! Inputs in, outputs out. It holds no address, no reply text and no body: names are
//! numbers that the world hands out, evidence is carried and never opened. It reads no
//! clock and throws no dice but its own seeded ones, so the same inputs give the same
//! outputs, byte for byte.

mod drive;
mod engagement;
mod engine;
mod entry;
mod fresh;
mod gates;
mod input;
mod line;
mod names;
mod numbered;
mod output;
mod path;
mod sections;
mod session;
mod settings;
mod slab;
mod timers;

pub use drive::{World, drive};
pub use engagement::Engagement;
pub use engine::{
    Counts, Cursor, Engine, HostView, Known, LaneRow, LaneView, OrderedView, Row, Standing, Tally,
};
pub use input::{
    Action, Input, LaneAction, LaneCommand, Limits, Operator, Outcome, Recalled, RecipientOutcome,
    Resolved, Route, RouteHost, Scope, Selection, Submission, SubmittedRecipient, Together,
    Unreached, Verdict,
};
pub use names::{
    AttemptId, DomainId, ExchangeId, FlowId, HostId, Name, PoolId, ProviderId, SectionId, SlotId,
    SourceId,
};
pub use output::{End, Event, Fate, Kept, Output, Settled, Turn};
pub use postlane_lanes::{Ceilings, Learning, Rules, Waiting};
pub use sections::{Passes, Sections};
pub use settings::{Keeping, Pool, RetrySchedule, Settings, Source};
