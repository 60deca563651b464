//! A whole look at a message: every check in scope, in the order of their names.

use crate::arrived::Arrived;
use crate::authentication::Authentication;
use crate::check::{Check, Finding};
use crate::content::{self, Content};
use crate::dns::Known;
use crate::looked::{Looked, MessageCheck};
use crate::{blocklist, bulk, dkim, dmarc, format, identity, spf, unseen};

/// All checks there are of a message, group by group.
fn all() -> impl Iterator<Item = &'static MessageCheck> {
    let identity = identity::CHECKS.iter().chain(&spf::CHECKS).chain(&dkim::CHECKS);
    let rest = dmarc::CHECKS
        .iter()
        .chain(&bulk::CHECKS)
        .chain(&blocklist::CHECKS)
        .chain(&content::CHECKS)
        .chain(&unseen::CHECKS);
    format::CHECKS.iter().chain(identity).chain(rest)
}

/// What there is to be looked at in a message.
pub fn message_checks() -> impl Iterator<Item = &'static Check> {
    all().map(|each| &each.check)
}

/// Looks at a message. None if answers are missing: get them ([`Known::take_missing`]), and
/// call it again.
pub fn check_message(
    known: &mut Known,
    arrived: &Arrived<'_>,
) -> Option<(Authentication, Vec<Finding>)> {
    check_message_for(known, arrived, |_| true)
}

/// The same with those checks alone that are wanted: what nobody wants asks nobody anything.
pub fn check_message_for(
    known: &mut Known,
    arrived: &Arrived<'_>,
    wanted: impl Fn(&Check) -> bool,
) -> Option<(Authentication, Vec<Finding>)> {
    let authentication = Authentication::of(known, arrived)?;
    let content = Content::of(&arrived.message);
    let looked = Looked { arrived, authentication: &authentication, content: &content };
    let all = all().filter(|each| wanted(&each.check));
    let found: Vec<Option<Finding>> = all.map(|each| each.find(known, looked)).collect();
    let found = found.into_iter().collect::<Option<Vec<Finding>>>()?;
    Some((authentication, found))
}
