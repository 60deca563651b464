//! Where mail goes: to the exchangers of a domain (RFC 5321 §5.1), or where an operator says.
//!
//! A route is a list of hosts with their addresses and preferences. Equal preferences are left
//! for the caller to shuffle, since chance is the engine's; nothing here connects anywhere.

mod assemble;
mod failure;
mod ours;
mod patterns;
mod resolve;
mod select;
mod target;

pub use assemble::{HostAddresses, Route, Skipped, Why};
pub use failure::RouteFailure;
pub use ours::Ours;
pub use patterns::{Pattern, SenderPattern, StaticRoute, StaticRouteError, StaticRoutes};
pub use resolve::{Families, RouteSettings, Router};
pub use target::{Credentials, Lookup, Password, ROUTE, Target, TargetError, TargetLane};
