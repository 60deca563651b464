//! The examples of rules, by their words: who wrote a rule has read them, and a test holds what they mean, so nothing is
//! asked about a reply that says the same.

use postlane_mail::Reply;

use super::{Finding, Heard, RuleBook, Scratch};
use crate::label::Label;

/// What tells the examples from other replies, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Known(Box<[u64]>);

impl Known {
    /// The examples of a book's rules.
    pub(super) fn of(book: &RuleBook) -> Self {
        let mut scratch = Scratch::default();
        let mut known = Vec::new();
        for (rule, example) in
            book.rules.iter().flat_map(|r| r.examples.iter().map(move |e| (r, e)))
        {
            let Some(reply) = crate::recorded::read_reply(&example.reply) else { continue };
            let provider =
                rule.providers.first().and_then(|of| book.providers.get(usize::from(*of)));
            let heard = Heard {
                reply: &reply,
                stage: example.stage,
                provider: provider.map(|of| of.as_str()),
                mx: example.mx.as_deref(),
            };
            let finding = book.find(&mut scratch, heard);
            if finding.label == rule.label {
                known.push(print(&scratch, &reply, finding.label));
            }
        }
        known.sort_unstable();
        known.dedup();
        Self(known.into())
    }

    /// Whether the reply that was found to mean this says what an example says that means the same.
    pub(super) fn has(&self, scratch: &Scratch, reply: &Reply, finding: &Finding<'_>) -> bool {
        self.0.binary_search(&print(scratch, reply, finding.label)).is_ok()
    }
}

/// What tells a reply from others for which its book was asked last.
fn print(scratch: &Scratch, reply: &Reply, label: Label) -> u64 {
    let said = u64::from(reply.code().number()) << 8 | label as u64;
    scratch.reached.print() ^ said.rotate_right(20)
}
