//! What a check is, and what one finds.

/// One thing that a receiver may look at.
#[derive(Debug)]
pub struct Check {
    /// Its name, as `FMT-01`.
    pub id: &'static str,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// What it is about.
    pub scope: Scope,
    /// Who lets nobody pass without it; lower weight is not listed.
    pub gates: &'static [Gate],
    /// How it is put right.
    pub remedy: &'static str,
    /// Where that is written.
    pub reference: &'static str,
    /// Why nobody here can answer it: every look says so, and nothing else. None for nearly all.
    pub unanswered: Option<&'static str>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One message.
    Message,
    /// A domain in the DNS.
    Domain,
    /// An address that sends.
    Address,
    /// What a lane has seen.
    Lane,
}

/// A provider, or a group of them, with published requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// GMX, WEB.DE, mail.com, IONOS.
    UnitedInternet,
    /// Gmail and Google Workspace.
    Google,
    /// Yahoo and AOL.
    Yahoo,
    /// Outlook.com, Hotmail, Live.
    Microsoft,
    /// T-Online.
    TOnline,
    /// iCloud.
    Apple,
}

impl Gate {
    /// Every one, as reports list them.
    pub const ALL: [Self; 6] = [
        Self::UnitedInternet,
        Self::Google,
        Self::Yahoo,
        Self::Microsoft,
        Self::TOnline,
        Self::Apple,
    ];

    /// As flags, addresses and JSON have it.
    pub fn id(self) -> &'static str {
        match self {
            Self::UnitedInternet => "united-internet",
            Self::Google => "google",
            Self::Yahoo => "yahoo",
            Self::Microsoft => "microsoft",
            Self::TOnline => "t-online",
            Self::Apple => "apple",
        }
    }

    /// As people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnitedInternet => "GMX, WEB.DE",
            Self::Google => "Gmail",
            Self::Yahoo => "Yahoo, AOL",
            Self::Microsoft => "Outlook.com",
            Self::TOnline => "T-Online",
            Self::Apple => "iCloud",
        }
    }
}

/// How a check comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Worth knowing, and no fault.
    Info,
    /// A fault that some hold against the sender.
    Warn,
    /// A fault.
    Fail,
    /// It does not apply, for the reason given.
    Skip,
    /// It could not be found out: neither good nor bad.
    Error,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check.
    pub id: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen, or why it does not apply.
    pub evidence: String,
    /// What to do; none where nothing is to be done.
    pub remedy: Option<String>,
    /// Where that is written.
    pub reference: &'static str,
}

/// What one look says, before it is known of which check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) outcome: Outcome,
    pub(crate) evidence: String,
    /// The very record or setting that puts it right, where it is known better than the check
    /// says it for everybody.
    pub(crate) remedy: Option<String>,
}

impl Check {
    /// A check of a message.
    pub(crate) const fn of_message(
        id: &'static str,
        title: &'static str,
        gates: &'static [Gate],
        remedy: &'static str,
        reference: &'static str,
    ) -> Self {
        Self { id, title, scope: Scope::Message, gates, remedy, reference, unanswered: None }
    }

    /// A check of a domain.
    pub(crate) const fn of_domain(
        id: &'static str,
        title: &'static str,
        gates: &'static [Gate],
        remedy: &'static str,
        reference: &'static str,
    ) -> Self {
        Self { id, title, scope: Scope::Domain, gates, remedy, reference, unanswered: None }
    }

    /// A check of a domain that stands in nobody's gate.
    pub(crate) const fn of_domain_ungated(
        id: &'static str,
        title: &'static str,
        remedy: &'static str,
        reference: &'static str,
    ) -> Self {
        Self::of_domain(id, title, &[], remedy, reference)
    }

    /// A check of a lane's figures.
    pub(crate) const fn of_lane(
        id: &'static str,
        title: &'static str,
        gates: &'static [Gate],
        remedy: &'static str,
        reference: &'static str,
    ) -> Self {
        Self { id, title, scope: Scope::Lane, gates, remedy, reference, unanswered: None }
    }

    /// A check of an address that sends.
    pub(crate) const fn of_address(
        id: &'static str,
        title: &'static str,
        gates: &'static [Gate],
        remedy: &'static str,
        reference: &'static str,
    ) -> Self {
        Self { id, title, scope: Scope::Address, gates, remedy, reference, unanswered: None }
    }

    /// A check that nobody here can answer, with the reason.
    pub(crate) const fn left_open(self, why: &'static str) -> Self {
        Self { unanswered: Some(why), ..self }
    }

    /// What every look says of a check that nobody here can answer.
    pub(crate) fn open(&self) -> Option<Finding> {
        let found = Found::new(Outcome::Skip, self.unanswered?);
        Some(self.finding(found))
    }

    /// What was found, as it is told: with what to do where something is to be done.
    pub(crate) fn finding(&self, found: Found) -> Finding {
        let Found { outcome, evidence, remedy } = found;
        let wants_remedy = matches!(outcome, Outcome::Warn | Outcome::Fail);
        Finding {
            id: self.id,
            outcome,
            evidence,
            remedy: remedy.or_else(|| wants_remedy.then(|| self.remedy.to_owned())),
            reference: self.reference,
        }
    }
}

impl Found {
    pub(crate) fn new(outcome: Outcome, evidence: impl Into<String>) -> Self {
        Self { outcome, evidence: shown(evidence.into()), remedy: None }
    }

    pub(crate) fn pass(evidence: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Pass, evidence))
    }

    pub(crate) fn info(evidence: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Info, evidence))
    }

    pub(crate) fn warn(evidence: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Warn, evidence))
    }

    pub(crate) fn fail(evidence: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Fail, evidence))
    }

    pub(crate) fn error(why: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Error, why))
    }

    pub(crate) fn skip(why: impl Into<String>) -> Option<Self> {
        Some(Self::new(Outcome::Skip, why))
    }

    /// With the very record or setting that puts it right.
    #[must_use]
    pub(crate) fn fixed_by(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// How long evidence may be, in characters. Chosen, not measured: a report has 58 of them.
const EVIDENCE_MAX: usize = 600;

fn shown(text: String) -> String {
    match text.char_indices().nth(EVIDENCE_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

impl Outcome {
    /// As reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Error => "error",
        }
    }
}
