//! Looking at an address: all its checks, or those alone that are wanted.

use super::catalogue::CHECKS;
use super::sender::Sender;
use crate::check::{Check, Finding};
use crate::dns::Known;

/// What there is to be looked at of an address.
pub fn address_checks() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().map(|each| &each.check)
}

/// Looks at an address. None if answers are missing: get them ([`Known::take_missing`]), and call
/// it again.
pub fn check_address(known: &mut Known, sender: Sender<'_>) -> Option<Vec<Finding>> {
    check_address_for(known, sender, |_| true)
}

/// The same with those checks alone that are wanted: what nobody wants asks nobody anything.
pub fn check_address_for(
    known: &mut Known,
    sender: Sender<'_>,
    wanted: impl Fn(&Check) -> bool,
) -> Option<Vec<Finding>> {
    // All of them ask before any is waited for.
    let found: Vec<Option<Finding>> = CHECKS
        .iter()
        .filter(|each| wanted(&each.check))
        .map(|each| each.find(known, sender))
        .collect();
    found.into_iter().collect()
}
