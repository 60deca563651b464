//! What the DNS says about where mail goes.
//!
//! Answers carry how long they are good for and whether the resolver vouches for them, and a
//! name that does not exist is never mistaken for a server that did not answer: the first
//! bounces mail, the second makes it wait.

mod answer;
mod asking;
mod authority;
mod cache;
mod question;
mod reading;
mod resolver;
mod servers;
mod table;

pub use answer::{Answer, DnsError, Exchange, Mx};
pub use asking::Freshness;
pub(crate) use authority::ask_authority;
pub use cache::CacheBounds;
pub use question::Dns;
pub use resolver::{Resolver, ResolverSettings};
pub use servers::{NameServers, NameServersError, Origin};
pub use table::Table;
