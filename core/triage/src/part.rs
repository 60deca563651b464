//! What a picture has of each provider, sorted out once: who sends to many domains has as many
//! providers, and to look through all of it for each of them takes the square of that.

use std::collections::BTreeMap;

use crate::picture::{Backlog, GateSeen, Picture, Sample, Tally};

/// What a picture has of one provider.
#[derive(Default)]
pub(crate) struct Part<'p> {
    pub(crate) tallies: Vec<&'p Tally>,
    /// Tallies of the span before.
    pub(crate) before: Vec<&'p Tally>,
    pub(crate) samples: Vec<&'p Sample>,
    pub(crate) backlogs: Vec<&'p Backlog>,
    pub(crate) gates: Vec<&'p GateSeen>,
}

impl<'p> Part<'p> {
    /// The parts of a picture, in order of the providers' ids.
    pub(crate) fn all(picture: &'p Picture) -> BTreeMap<&'p str, Self> {
        let mut parts: BTreeMap<&str, Self> = BTreeMap::new();
        for tally in &picture.tallies {
            parts.entry(&tally.provider).or_default().tallies.push(tally);
        }
        for tally in &picture.before {
            parts.entry(&tally.provider).or_default().before.push(tally);
        }
        for sample in &picture.samples {
            parts.entry(&sample.provider).or_default().samples.push(sample);
        }
        for backlog in &picture.backlogs {
            parts.entry(&backlog.provider).or_default().backlogs.push(backlog);
        }
        for gate in &picture.gates {
            parts.entry(&gate.provider).or_default().gates.push(gate);
        }
        parts
    }
}
