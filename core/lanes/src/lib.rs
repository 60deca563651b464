//! How fast, how many at once, whether at all: one lane between a source and a provider.
//!
//! A lane hears signals and gives permits. It knows no reply text and no message, so pacing
//! can be proved without either. Below its ceilings it learns what the provider takes.

mod arrivals;
mod budget;
mod caps;
mod ceilings;
mod controller;
mod credits;
mod curve;
mod decision;
mod fields;
mod history;
mod lane;
mod latency;
mod memory;
mod opening;
mod order;
mod outcomes;
mod pace;
mod posterior;
mod quota;
mod rest;
mod restart;
mod rules;
mod signal;
mod waiting;
mod windows;

pub use arrivals::Arrivals;
pub use budget::Budget;
pub use caps::Caps;
pub use ceilings::Ceilings;
pub use controller::{Asking, Doing, Heard, Onset, State};
pub use decision::{Decision, PerTime};
pub use lane::{Ask, Lane, Learning, Permit, Shared};
pub use memory::{Learned, LearnedQuota, LearnedRest, Memory, Past, Recalled};
pub use opening::Opening;
pub use order::{Instruction, Leave, ORDER_SPAN_MAX, Order, OrderKind, Orders, Streams, Who, Wish};
pub use quota::{Quota, Reset};
pub use restart::{
    Allowance, Day, FirstAttempt, Hindrance, Judgement, Ladder, LadderError, Reservation, Restart,
    Sign, Signs, Told, Unseen, Verdict,
};
pub use rules::{
    Bands, BandsError, Ceiling, Contradiction, Defaults, DefaultsError, Fact, ProviderDefaults,
    Rules, Share, Teller, faster,
};
pub use signal::{Hint, Hinted, Signal};
pub use waiting::Waiting;
