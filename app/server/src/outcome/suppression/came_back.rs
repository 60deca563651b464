//! What a bounce that came back as mail teaches: less than a host in a session.
//!
//! Anybody can write a bounce, and one may be about an address that ours was forwarded to. So
//! only a failure counts that quotes a reply or is a report for programs, that came by a
//! reverse-path made for the very address that it names as tried last, and that is about the
//! recipient: what it says of a domain may be said of another's.

use postlane_mail::{Instant, LastReply, Mailbox, Stage};
use postlane_message::{BounceKind, Bounced, Returned};
use postlane_replies::Diagnosis;
use postlane_suppression::{Confidence, Heard, Refusal};

use super::Suppressions;
use super::learning::Learning;
use super::understanding::Lesson;
use crate::intake::rights::HouseRights;
use crate::setup::Setup;
use crate::telling::counters::Counters;

/// A bounce that came by a reverse-path of ours.
pub(crate) struct CameBy<'a> {
    pub(crate) now: Instant,
    pub(crate) path: &'a Mailbox,
    pub(crate) returned: Returned,
    pub(crate) bounced: &'a Bounced,
    pub(crate) diagnosis: &'a Diagnosis,
}

impl Learning {
    /// Takes a bounce to heart, if it is sure enough, and the policy says so.
    pub(crate) fn hear_bounce(
        &mut self,
        list: &Suppressions,
        (setup, counters): (&Setup, &Counters),
        rights: &HouseRights,
        came: &CameBy<'_>,
    ) {
        let CameBy { now, path, returned, bounced, diagnosis } = *came;
        let told = bounced.kind == BounceKind::Dsn || bounced.code.is_some();
        if !told || !bounced.is_failure() || !diagnosis.label.suppresses() {
            return;
        }
        let Some(recipient) = bounced.mailbox() else { return };
        let Some(tenant) = rights.sent_to(path, &recipient) else { return };
        let Some(reply) = crate::outcome::meaning::reply_of(bounced) else { return };
        let sure = diagnosis.confidence.is_sure();
        let refusal = Refusal {
            label: diagnosis.label,
            confidence: if sure { Confidence::Sure } else { Confidence::Guessed },
            code: reply.code(),
            // A bounce by such a path is about one recipient.
            stage: Stage::Rcpt,
            recipients: 1,
            heard: Heard::ByMail,
        };
        let host = bounced.remote_mta.as_deref().or(bounced.reporting_mta.as_deref());
        let last =
            LastReply { stage: Stage::Rcpt, reply, host: host.unwrap_or_default().into(), at: now };
        let provider = diagnosis.provider.as_ref().map(|provider| provider.as_str());
        let lesson = Lesson {
            now,
            refusal,
            tenant,
            recipient: &recipient,
            message: returned.id,
            last,
            rule: diagnosis.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
            provider: provider.unwrap_or_default(),
        };
        self.learn(list, setup, counters, &lesson);
    }
}
