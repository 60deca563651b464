//! Looks at messages, domains and addresses for whoever asks: gets the answers that a look wants,
//! and tells what it found in one form, for the command line, the API and the relay itself.

mod address;
mod as_sent;
mod asked;
mod domain;
mod flat;
mod key;
mod message;
mod recorded;
mod recorded_calls;
mod report;
mod spf;

pub use address::address_as_json;
pub use as_sent::AsSent;
pub use asked::{Asked, Endless};
pub use domain::{COMMON_SELECTORS, domain_as_json};
pub use flat::{Drift, flat_as_json};
pub use key::{key_as_json, key_word};
pub use message::message_as_json;
pub use recorded::{Unreadable, read_answers, write_answers};
pub use recorded_calls::leave_open;
pub use report::{checks_as_json, gates_as_json, report_as_json, score_as_json};
pub use spf::spf_as_json;
