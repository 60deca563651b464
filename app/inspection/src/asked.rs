//! Who is asked what a look wants to know, round after round.

use postlane_checks::{Answer, Failure, Known};
use postlane_net::dns::{Freshness, Resolver};
use postlane_net::enquiry::Enquiry;
use thiserror::Error;

use crate::recorded_calls;

/// Who is asked.
#[derive(Debug)]
pub enum Asked {
    /// What is known is all there is: everything else cannot be found out.
    Nobody,
    /// The DNS alone; what it may have heard before.
    Dns(Resolver, Freshness),
    /// The DNS alone, as it is now: whoever names a host does not make us call it.
    Declining(Resolver, &'static str),
    /// The DNS, name servers themselves, web servers and mail exchangers.
    All(Box<Enquiry>),
}

/// A look that asks for ever more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the questions to the DNS do not end")]
pub struct Endless;

/// Rounds of questions, at most: SPF alone may take eleven, one behind the other. Chosen, not
/// measured.
const ROUNDS_MAX: usize = 40;

impl Asked {
    /// Looks again and again, until the look has all answers that it wants.
    ///
    /// # Errors
    ///
    /// If it has not after 40 rounds.
    pub async fn until_found<T>(
        &self,
        known: &mut Known,
        mut look: impl FnMut(&mut Known) -> Option<T>,
    ) -> Result<T, Endless> {
        for _ in 0..ROUNDS_MAX {
            if let Some(found) = look(known) {
                return Ok(found);
            }
            self.answer(known).await;
        }
        Err(Endless)
    }

    async fn answer(&self, known: &mut Known) {
        match self {
            Self::Dns(resolver, freshness) => {
                resolver.complete(known, *freshness).await;
            }
            Self::Declining(resolver, why) => {
                resolver.complete(known, Freshness::Now).await;
                recorded_calls::leave_open(known, why);
            }
            Self::All(enquiry) => {
                enquiry.complete(known).await;
            }
            Self::Nobody => leave_open(known),
        }
    }
}

/// What is missing cannot be found out.
fn leave_open(known: &mut Known) {
    for question in known.take_missing() {
        let why = Failure::Malformed("the recorded answers do not have it".into());
        known.learn(question, Answer::Failed(why));
    }
    recorded_calls::leave_open(known, recorded_calls::WHY);
}
