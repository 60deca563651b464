//! Preflight: what providers ask for and mail on its way there lacks, and a look at any message.

mod message;
mod overview;
mod upload;

pub(crate) use message::{check, form};
pub(crate) use overview::{look_again, show};
