//! The nouns everybody speaks: what an envelope, a mailbox, a reply and a rate are.
//!
//! Nothing here decides or does anything. A value that can be built is legal: a
//! [`Domain`] is an A-label in lower case, a [`Code`] has three digits, an [`Instant`]
//! is a number of microseconds. The disk format, the API's JSON and the configuration
//! have types of their own at their boundaries; these derive no serialisation.
//!
//! Time and chance are here, too ([`Instant`], [`Chance`]): the core is handed both.

mod chance;
mod client;
mod domain;
mod envelope;
mod family;
mod mailbox;
mod path;
mod place;
mod progress;
mod queue_id;
mod rate;
mod recipient;
mod reply;
mod stage;
mod status;
mod stream;
mod tenant;
mod time;
mod unruly;

pub use chance::{Chance, mixed};
pub use client::client_of;
pub use domain::{Domain, DomainError};
pub use envelope::{BodyType, Envelope, ReturnContent};
pub use family::Family;
pub use mailbox::{Host, Mailbox, MailboxError};
pub use path::ReversePath;
pub use place::Place;
pub use progress::{LastReply, Progress};
pub use queue_id::{QueueId, QueueIdError, QueueIdSource, Shard};
pub use rate::{Rate, RateError};
pub use recipient::{Notify, Recipient};
pub use reply::{Code, Reply};
pub use stage::Stage;
pub use status::Status;
pub use stream::Stream;
pub use tenant::{Label, LabelError};
pub use time::{Instant, Span};
pub use unruly::is_unruly;
