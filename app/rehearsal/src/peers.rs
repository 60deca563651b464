//! What others do: the policies of other mail servers, written from their documentation.
//!
//! Each is what the documents and public configurations say, as far as it decides when mail is
//! sent; none is the program itself. They keep within the scenario's ceilings, send in the order of
//! arrival or of retry times whatever the mail, and take their sources in turn.

mod aimd;
mod backlog;
mod gates;
mod kumo_tsa;
mod postfix;
mod power_mta;
mod static_lane;

pub(crate) use aimd::Aimd;
pub(crate) use kumo_tsa::KumoTsa;
pub(crate) use postfix::Postfix;
pub(crate) use power_mta::{Back, PowerMta};
pub(crate) use static_lane::Static;
