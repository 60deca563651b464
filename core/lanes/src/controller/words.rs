//! What speaks of one message, and comes only where more had been sent than was ever taken.
//!
//! A mailbox is full at any pace, and a tenant's mail is bad at any: refusals for such reasons come
//! anywhere among what is accepted. A limit's come where nothing more goes. So the words need not be
//! tried ([`super::trial`]): it is enough to look when they were said.

use postlane_mail::Instant;

use super::Controller;
use super::doubt::Kind;
use crate::curve::Curve;

/// Words that were said lately, with something accepted between.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    kind: Option<Kind>,
    said: Vec<Instant>,
    /// Something was accepted since they were said last.
    is_taken: bool,
}

/// So many are looked at together,
const LOOKED_AT: usize = 8;

/// and so many of them must have come where more had been sent than was ever taken. Of mail at an even
/// pace hardly one does by chance, and the last always. Chosen, not measured.
const AT_A_LIMIT: usize = 7;

impl Words {
    pub(crate) fn accepted(&mut self) {
        self.is_taken = true;
    }

    /// The lane goes faster: what comes now comes where more was sent than ever before, whatever is said.
    pub(super) fn grows(&mut self) {
        self.said.clear();
    }
}

impl Controller {
    /// Whether words that have been said once more are a limit's, by when they were said.
    pub(super) fn are_a_limits(&mut self, sent: Instant, kind: Kind) -> bool {
        if matches!(kind, Kind::Greylist | Kind::Policy) || self.rests() {
            return false;
        }
        let words = &mut self.words;
        if words.kind != Some(kind) {
            *words = Words { kind: Some(kind), said: Vec::new(), is_taken: true };
        }
        if !std::mem::take(&mut words.is_taken) {
            return false;
        }
        words.said.push(sent);
        if words.said.len() < LOOKED_AT {
            return false;
        }
        let said = std::mem::take(&mut words.said);
        let accepted = &self.counted.accepted;
        let most = Curve::of(accepted);
        said.iter().filter(|at| most.explains(accepted, **at)).count() >= AT_A_LIMIT
    }
}
