//! What a refusal means, as far as the list must know.

use postlane_mail::{Instant, Label as Tenant, LastReply, Mailbox, QueueId};
use postlane_smtp::client::Outcome;
use postlane_suppression::{Confidence, Heard, Refusal};

use crate::outbound::evidence::Evidence;

/// A refusal, and what is known of it.
pub(super) struct Lesson<'a> {
    pub(super) now: Instant,
    pub(super) refusal: Refusal,
    /// Whose mail it was.
    pub(super) tenant: &'a Tenant,
    pub(super) recipient: &'a Mailbox,
    pub(super) message: QueueId,
    /// What was said.
    pub(super) last: LastReply,
    /// The rule that understood it, and whose host it was.
    pub(super) rule: String,
    pub(super) provider: &'a str,
}

/// What a host's refusal of a recipient may teach; nothing where it was no host that refused it.
pub(super) fn lesson(
    now: Instant,
    message: QueueId,
    evidence: &Evidence,
    index: u16,
) -> Option<Lesson<'_>> {
    let attempted = evidence.attempted(index)?;
    let diagnosis = attempted.diagnosis(index)?;
    let outcome = attempted.outcomes.iter().find(|outcome| outcome.index == index)?;
    let Outcome::Refused { stage, reply } = &outcome.outcome else { return None };
    let sure = diagnosis.confidence.is_sure();
    let refusal = Refusal {
        label: diagnosis.label,
        confidence: if sure { Confidence::Sure } else { Confidence::Guessed },
        code: reply.code(),
        stage: *stage,
        recipients: attempted.outcomes.len(),
        heard: Heard::InSession,
    };
    let envelope = attempted.envelope.as_deref()?;
    Some(Lesson {
        now,
        refusal,
        tenant: &envelope.tenant,
        recipient: &envelope.recipients.get(usize::from(index))?.mailbox,
        message,
        last: attempted.last_reply(index)?,
        rule: diagnosis.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
        provider: &attempted.hop.provider,
    })
}
