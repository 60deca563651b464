//! What a lane never exceeds, whatever it learns.

use postlane_mail::Rate;

/// A lane's ceilings, set by an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// Sessions open or opening at once.
    pub connections: u16,
    /// MAIL transactions, retries and connections that carry none, all on one budget.
    /// No ceiling when there is none.
    pub rate: Option<Rate>,
    /// Transactions on one session before it is closed.
    pub session_messages: u32,
}

impl Ceilings {
    /// None that anybody would meet: for what nobody has said anything of.
    pub const WIDEST: Self = Self { connections: u16::MAX, rate: None, session_messages: u32::MAX };
}
