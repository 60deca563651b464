//! What recipients' domains demand of those who send to them: MTA-STS (RFC 8461) and DANE
//! (RFC 7672), found out when their mail is routed, kept to when a session begins, and counted for
//! reports (RFC 8460).

mod base;
mod demand;
mod published;
mod sts;
mod tally;

use demand::{DaneDemand, StsDemand};

pub(crate) use demand::Demand;
pub(crate) use published::Published;
pub(crate) use tally::{Tallies, Went};
