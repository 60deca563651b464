//! What a receiver would check of a sender, before it trusts them.
//!
//! Nothing here asks anybody anything. A check is a function of what is [`Known`]: where an
//! answer is missing it notes the question and stops, whoever runs it gets the answers, and runs
//! it again. So all independent questions of a round are asked together, every run can be
//! recorded and replayed, and a test needs no name server.

pub mod address;
pub mod arc;
mod arrived;
mod authentication;
pub mod blocklist;
mod bulk;
pub mod certificate;
mod check;
mod content;
mod dane;
mod der;
pub mod dkim;
pub mod dmarc;
mod dns;
mod domain;
mod exchanger;
pub mod format;
mod gates;
mod identity;
pub mod lane;
mod looked;
pub mod message;
pub mod mta_sts;
mod network;
mod report;
mod run;
mod score;
mod session;
pub mod spf;
pub mod tls_rpt;
pub mod tlsa;
mod unseen;
pub mod watch;
mod web;

pub use arrived::{Arrived, Client, Session};
pub use authentication::Authentication;
pub use check::{Check, Finding, Gate, Outcome, Scope};
pub use dane::DanePolicy;
pub use dns::{
    Answer, Authority, Failure, Found, Kind, Known, Name, NameError, Question, Record, Served,
};
pub use domain::{
    DomainReport, KeysSeen, SendingDomain, check_answers, check_domain, domain_checks,
};
pub use exchanger::{Greeting, Mailbox, Taken};
pub use gates::{GateVerdict, Standing};
pub use network::is_public;
pub use report::Report;
pub use run::{check_message, check_message_for, message_checks};
pub use score::Score;
pub use web::{FetchFailure, Fetched, Page, Verb};
