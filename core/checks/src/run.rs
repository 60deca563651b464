//! A whole look at a message: every check in scope, in the order of their names.

use crate::check::{Arrived, Check, Finding};
use crate::dns::Known;
use crate::format;

/// All checks there are of a message.
pub fn message_checks() -> impl Iterator<Item = &'static Check> {
    format::CHECKS.iter().map(|each| &each.check)
}

/// Looks at a message. None if answers are missing: get them ([`Known::take_missing`]), and
/// call it again; every check has asked by then what it can.
pub fn check_message(known: &mut Known, arrived: &Arrived<'_>) -> Option<Vec<Finding>> {
    let found: Vec<Option<Finding>> =
        format::CHECKS.iter().map(|each| each.find(known, arrived)).collect();
    found.into_iter().collect()
}
