//! Replies, as commands ask about them: who said them, what they mean, and logs full of them.

mod asked;
mod explained;
mod reading;

pub(crate) use asked::{Known, OwnRules, Speaker, Who, read_rules, reply_of, stage_of};
pub(crate) use explained::{Audience, Explained};
pub(crate) use reading::{next_line, recorded};
