//! What a look has found, and how it is said.

use std::borrow::Cow;

use postlane_checks::{Finding, GateVerdict, Outcome, Standing};
use postlane_mail::{Instant, QueueId};

use super::Subject;
use crate::config::settings::PreflightPolicy;

/// What every reason to hold mail begins with.
pub(super) const HELD_BY: &str = "held by preflight";

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// When.
    pub at: Instant,
    /// The message that was looked at.
    pub id: QueueId,
    /// Its `Message-ID`; empty where it has none.
    pub message_id: String,
    /// How it stands before the gate.
    pub standing: Standing,
    /// What makes it so: what is missing, what is held against it, or what could not be found out.
    pub missing: Vec<Missing>,
}

/// One of the things that a provider asks for, and that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The check, as `IDN-05`.
    pub check: Cow<'static, str>,
    /// `fail`, `warn` or `error`.
    pub outcome: Outcome,
    /// What was seen.
    pub evidence: String,
    /// What to do; empty where nobody can do anything.
    pub remedy: String,
    /// Where that is written.
    pub reference: Cow<'static, str>,
}

/// How one domain's mail stands before the gate of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightRow {
    /// Whose mail, and which way.
    pub subject: Subject,
    /// What follows where something is missing.
    pub policy: PreflightPolicy,
    /// What the last look has found; none before there was one.
    pub sight: Option<Sight>,
    /// Since when it stands so.
    pub since: Instant,
    /// Whether it was seen before the server was started again, and not since.
    pub is_remembered: bool,
    /// When the next message is looked at, or one of those that are held.
    pub due: Instant,
    /// Messages that came by.
    pub messages: u64,
    /// How many of them were looked at.
    pub looks: u64,
    /// Messages that are held, as far as they are known one by one.
    pub held: usize,
}

impl Sight {
    /// What these findings of a message come to.
    pub(crate) fn new(
        (at, id, message_id): (Instant, QueueId, String),
        verdict: &GateVerdict,
        findings: Vec<Finding>,
    ) -> Self {
        let of = |finding: Finding| Missing {
            check: finding.id.into(),
            outcome: finding.outcome,
            evidence: finding.evidence,
            remedy: finding.remedy.unwrap_or_default(),
            reference: finding.reference.into(),
        };
        let missing = findings.into_iter().filter(|f| verdict.blocking.contains(&f.id)).map(of);
        let missing = missing.collect();
        Self { at, id, message_id, standing: verdict.standing, missing }
    }

    /// A look that came to no end.
    pub(crate) fn open((at, id, message_id): (Instant, QueueId, String)) -> Self {
        Self { at, id, message_id, standing: Standing::Undetermined, missing: Vec::new() }
    }

    /// The checks that make it so, as `IDN-05, SPF-01`.
    pub fn checks(&self) -> String {
        let checks: Vec<&str> = self.missing.iter().map(|missing| &*missing.check).collect();
        checks.join(", ")
    }

    /// What is missing, in one sentence; nothing where nothing is.
    pub fn says(&self) -> String {
        let each = |missing: &Missing| format!("{}: {}", missing.check, missing.evidence);
        self.missing.iter().map(each).collect::<Vec<_>>().join("; ")
    }

    /// Why mail is held, and what lets it go: the same in the queue, in the log and by the API.
    pub fn says_of_hold(&self, subject: &Subject) -> String {
        let Some((first, rest)) = self.missing.split_first() else { return String::new() };
        let rest: Vec<&str> = rest.iter().map(|missing| &*missing.check).collect();
        let more = match rest.is_empty() {
            true => String::new(),
            false => format!(" (and {})", rest.join(", ")),
        };
        let (author, provider) = (subject.author(), &subject.provider);
        let Missing { check, evidence, remedy, .. } = first;
        format!(
            "{HELD_BY}: mail of {author} to {provider} fails {check}: {evidence}{more}; to \
             put it right: {remedy}"
        )
    }
}
