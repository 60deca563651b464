//! A policy as it is published, at `_dmarc` below a domain (RFC 9989 §4.7).

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcRecord {
    /// `p=`: what is asked for the domain itself.
    pub policy: Policy,
    /// `sp=`: for names below it.
    pub subdomain_policy: Option<Policy>,
    /// `np=`: for names below it that do not exist.
    pub missing_policy: Option<Policy>,
    /// `adkim=`
    pub dkim: Alignment,
    /// `aspf=`
    pub spf: Alignment,
    /// `psd=`
    pub psd: Psd,
    /// `t=y`: the domain asks to be let off one step.
    pub is_testing: bool,
    /// `pct=`: for how many messages of a hundred RFC 7489 has the policy asked for; RFC 9989 has
    /// taken that back.
    pub percent: u8,
    /// `rua=`: where daily reports go, as they are written.
    pub reports: Vec<Box<str>>,
    /// `ruf=`: where single failures go.
    pub failures: Vec<Box<str>>,
    /// What was read over, as the RFC has it, and a domain will want to know.
    pub faults: Vec<RecordFault>,
}

/// What is asked of receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing.
    None,
    /// To put it aside.
    Quarantine,
    /// To refuse it.
    Reject,
}

/// When two domains count as one (§4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// With the same organisational domain.
    Relaxed,
    /// When they are the same.
    Strict,
}

/// Whether the domain is one below which others register theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Psd {
    /// It is.
    Yes,
    /// It is an organisation's own.
    No,
    /// It does not say.
    Unsaid,
}

/// What is wrong with a record that counts nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// A piece that is no tag.
    #[error("`{0}` is no tag and is read over")]
    Tag(Box<str>),
    /// A value that there is not.
    #[error("{0}={1} is no value that there is, and is read over")]
    Value(Box<str>, Box<str>),
    /// `p=` is missing or cannot be read; what is asked is nothing.
    #[error("p= is missing or cannot be read: the record asks for nothing (p=none)")]
    Policy,
    /// A tag that RFC 9989 has taken back.
    #[error("{0}= is no longer looked at (RFC 9989)")]
    Obsolete(Box<str>),
    /// Twice.
    #[error("{0}= stands there twice; the first counts")]
    Twice(Box<str>),
}

/// Tags that are looked at. Chosen, not measured: RFC 9989 knows 11.
const TAGS_MAX: usize = 64;

/// Addresses for reports that are kept. Chosen, not measured.
const ADDRESSES_MAX: usize = 20;

impl DmarcRecord {
    /// Reads a record; none if it is no record at all: `v=DMARC1` does not stand in front, in
    /// exactly these letters (§4.7). A record without a policy that can be read counts if it
    /// says where reports go, and asks for nothing then; else it is none (§4.7, `p`).
    pub fn parse(text: &[u8]) -> Option<Self> {
        let rest = behind_version(text)?;
        let mut record = Self {
            policy: Policy::None,
            subdomain_policy: None,
            missing_policy: None,
            dkim: Alignment::Relaxed,
            spf: Alignment::Relaxed,
            psd: Psd::Unsaid,
            is_testing: false,
            percent: 100,
            reports: Vec::new(),
            failures: Vec::new(),
            faults: Vec::new(),
        };
        let mut seen: Vec<String> = Vec::new();
        let mut policy = None;
        for piece in rest.split(';').map(str::trim).filter(|piece| !piece.is_empty()).take(TAGS_MAX)
        {
            let Some((name, value)) = piece.split_once('=') else {
                record.faults.push(RecordFault::Tag(shortened(piece)));
                continue;
            };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if seen.contains(&name) {
                record.faults.push(RecordFault::Twice(shortened(&name)));
                continue;
            }
            record.read(&name, value, &mut policy);
            seen.push(name);
        }
        match policy {
            Some(policy) => record.policy = policy,
            None if record.reports.is_empty() => return None,
            None => record.faults.push(RecordFault::Policy),
        }
        Some(record)
    }

    /// Whether a text begins as a record does, whatever it is worth.
    pub(super) fn is_begun(text: &[u8]) -> bool {
        behind_version(text).is_some()
    }

    fn read(&mut self, name: &str, value: &str, policy: &mut Option<Policy>) {
        let lower = value.to_ascii_lowercase();
        let known = match name {
            "p" => {
                *policy = Policy::parse(&lower);
                // Its absence is told as such.
                true
            }
            "sp" => set(Policy::parse(&lower), |found| self.subdomain_policy = Some(found)),
            "np" => set(Policy::parse(&lower), |found| self.missing_policy = Some(found)),
            "adkim" => set(Alignment::parse(&lower), |found| self.dkim = found),
            "aspf" => set(Alignment::parse(&lower), |found| self.spf = found),
            "psd" => set(Psd::parse(&lower), |found| self.psd = found),
            "t" => set(yes_or_no(&lower), |found| self.is_testing = found),
            "rua" => {
                self.reports = addresses(value);
                !self.reports.is_empty()
            }
            "ruf" => {
                self.failures = addresses(value);
                !self.failures.is_empty()
            }
            "pct" | "rf" | "ri" => {
                let percent = lower.parse().ok().filter(|p| name == "pct" && *p <= 100);
                self.percent = percent.unwrap_or(self.percent);
                self.faults.push(RecordFault::Obsolete(name.into()));
                true
            }
            // `fo` is for reports, and unknown tags are for others (§4.7).
            _ => true,
        };
        if !known {
            self.faults.push(RecordFault::Value(shortened(name), shortened(value)));
        }
    }
}

/// What stands behind the version, if that stands in front.
fn behind_version(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    let (version, rest) = text.split_once(';').unwrap_or((text, ""));
    let (name, value) = version.split_once('=')?;
    (name.trim() == "v" && value.trim() == "DMARC1").then_some(rest)
}

/// Takes over a value if there is one; whether there was.
fn set<T>(value: Option<T>, take: impl FnOnce(T)) -> bool {
    value.map(take).is_some()
}

impl Policy {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }

    /// As a record has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One step less (§4.7, `t`).
    pub(super) fn lessened(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

impl Alignment {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "r" => Some(Self::Relaxed),
            "s" => Some(Self::Strict),
            _ => None,
        }
    }
}

impl Psd {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "y" => Some(Self::Yes),
            "n" => Some(Self::No),
            "u" => Some(Self::Unsaid),
            _ => None,
        }
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "y" => Some(true),
        "n" => Some(false),
        _ => None,
    }
}

/// The addresses of a list with commas that look like some.
fn addresses(value: &str) -> Vec<Box<str>> {
    let found = value.split(',').map(str::trim).filter(|address| address.contains(':'));
    found.take(ADDRESSES_MAX).map(Into::into).collect()
}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(60).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_read_with_what_it_leaves_unsaid() {
        let record = DmarcRecord::parse(b"v=DMARC1; p=reject; rua=mailto:a@b.example").unwrap();
        assert_eq!((record.policy, record.subdomain_policy), (Policy::Reject, None));
        assert_eq!((record.dkim, record.psd), (Alignment::Relaxed, Psd::Unsaid));
        assert_eq!(record.faults, []);
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in [
            "v=DMARC1",
            "v=DMARC2; p=none",
            "v=dmarc1; p=none",
            "p=none; v=DMARC1",
            "",
            "v=spf1 -all",
            "v=DMARC1; p=rejekt",
        ] {
            assert_eq!(DmarcRecord::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_policy_that_cannot_be_read_asks_for_nothing_where_reports_are_wanted() {
        let record = DmarcRecord::parse(b"v=DMARC1; p=rejekt; rua=mailto:a@b.example").unwrap();
        assert_eq!((record.policy, record.faults), (Policy::None, vec![RecordFault::Policy]));
    }

    #[test]
    fn each_fault_is_named_and_the_rest_counts() {
        let record =
            DmarcRecord::parse(b"v=DMARC1;p=none;sp=all;pct=50;adkim=s;adkim=r;x;psd=n").unwrap();
        assert_eq!((record.dkim, record.psd), (Alignment::Strict, Psd::No));
        let said: Vec<String> = record.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "sp=all is no value that there is, and is read over",
                "pct= is no longer looked at (RFC 9989)",
                "adkim= stands there twice; the first counts",
                "`x` is no tag and is read over",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_octets_are_a_record_or_none(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut record = b"v=DMARC1;p=none;".to_vec();
            record.extend(text);
            DmarcRecord::parse(&record);
        }
    }
}
