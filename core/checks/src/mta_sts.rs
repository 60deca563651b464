//! What a domain asks of those who send to it: that its hosts prove who they are (MTA-STS,
//! RFC 8461). A record in the DNS says that there is a policy, and which; the policy lies on a web
//! server.

mod fetched;

use postlane_mail::{Instant, Span};

use crate::dns::Name;
use crate::web::{Page, Verb};

pub use fetched::StsFetchFault;

/// The record that says that there is a policy (§3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRecord {
    /// Which one: another one means that the policy has changed.
    pub id: Box<str>,
}

/// Why there is no record to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StsRecordFault {
    /// None begins as one does.
    #[error("there is no record that begins with `v=STSv1;`")]
    Missing,
    /// More than one: then there is none (§3.1).
    #[error("there is more than one record that begins with `v=STSv1;`, so that none counts")]
    Many,
    /// No `id=`, or not 1 to 32 letters and digits.
    #[error("id= is missing or has something else than 1 to 32 letters and digits")]
    Id,
    /// Something between the semicolons that is no field.
    #[error("something between its semicolons is no `name=value`")]
    Field,
}

/// What a domain asks for (§3.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StsPolicy {
    /// How serious it is.
    pub mode: StsMode,
    /// How long it may be kept; a year of 365.25 days at most.
    pub max_age: Span,
    /// The hosts that mail may go to.
    pub mx: Vec<MxPattern>,
}

/// How serious a policy is (§5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StsMode {
    /// Mail does not go to hosts that it does not fit.
    Enforce,
    /// It does, and that is reported.
    Testing,
    /// There is no policy, and that is said so that those who keep one forget it (§8.3).
    None,
}

/// Hosts that mail may go to: one, or all with one label in front of a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MxPattern {
    name: Name,
    is_wildcard: bool,
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StsPolicyFault {
    /// Over 64 KiB.
    #[error("it has more than 64 KiB")]
    TooLarge,
    /// Not UTF-8.
    #[error("it is no UTF-8")]
    Encoding,
    /// A line without a colon.
    #[error("the line `{0}` is no `key: value`")]
    Line(Box<str>),
    /// `version` is missing or something else than `STSv1`.
    #[error("`version: STSv1` is missing")]
    Version,
    /// `mode` is missing or unknown.
    #[error("mode: is missing, or none of enforce, testing and none")]
    Mode,
    /// `max_age` is missing or no number of up to ten digits.
    #[error("max_age: is missing, or no number of seconds up to 31557600")]
    MaxAge,
    /// An `mx` that is no name.
    #[error("mx: {0} is neither a host's name nor `*.` and a name")]
    Mx(Box<str>),
    /// No `mx` in a policy that asks for something.
    #[error("there is no mx: line")]
    NoMx,
}

/// Octets of a policy, at most (§3.2 suggests 64 KB).
pub const POLICY_OCTETS_MAX: usize = 64 << 10;

/// The longest time a policy may be kept, in seconds (§3.2).
const MAX_AGE_S: u64 = 31_557_600;

/// A kept policy is fetched again after this (§10.2 suggests a day).
const RENEWED_AFTER: Span = Span::from_h(24);

/// Patterns of one policy, and fields of one record. Chosen, not measured.
const PIECES_MAX: usize = 200;

impl StsRecord {
    /// The one record among the texts at `_mta-sts` below a domain.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> Result<Self, StsRecordFault> {
        let mut records = texts.into_iter().filter(|text| begins(text, "v=STSv1"));
        let first = records.next().ok_or(StsRecordFault::Missing)?;
        if records.next().is_some() {
            return Err(StsRecordFault::Many);
        }
        Self::parse(first)
    }

    fn parse(text: &[u8]) -> Result<Self, StsRecordFault> {
        let text = std::str::from_utf8(text).map_err(|_| StsRecordFault::Field)?;
        let mut id = None;
        let pieces = text.split(';').skip(1).map(trimmed).filter(|piece| !piece.is_empty());
        for piece in pieces.take(PIECES_MAX) {
            let (name, value) = piece.split_once('=').ok_or(StsRecordFault::Field)?;
            if name == "id" && id.is_none() {
                id = Some(value);
            }
        }
        let id = id.filter(|id| {
            (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        Ok(Self { id: id.ok_or(StsRecordFault::Id)?.into() })
    }

    /// Where the record of a domain is.
    pub fn name_of(domain: &Name) -> Option<Name> {
        Name::parse(&format!("_mta-sts.{domain}")).ok()
    }
}

impl StsPolicy {
    /// Where the policy of a domain lies: `https://HOST/.well-known/mta-sts.txt` (§3.3).
    pub fn host_of(domain: &Name) -> Option<Name> {
        Name::parse(&format!("mta-sts.{domain}")).ok()
    }

    /// The page with the policy of a domain (§3.3); none if its name is too long for one.
    pub fn page_of(domain: &Name) -> Option<Page> {
        let host = Self::host_of(domain)?;
        let path = "/.well-known/mta-sts.txt".into();
        Some(Page { host, path, octets_max: POLICY_OCTETS_MAX, verb: Verb::Get })
    }

    /// Reads a policy. Of keys that stand there twice the first counts, except `mx`; keys that
    /// nobody knows are read over (§3.2).
    pub fn parse(text: &[u8]) -> Result<Self, StsPolicyFault> {
        if text.len() > POLICY_OCTETS_MAX {
            return Err(StsPolicyFault::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| StsPolicyFault::Encoding)?;
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.split('\n').map(|line| trimmed(line.strip_suffix('\r').unwrap_or(line))) {
            if line.is_empty() {
                continue;
            }
            let unread = || StsPolicyFault::Line(shortened(line));
            let (key, value) = line.split_once(':').ok_or_else(unread)?;
            let value = trimmed(value);
            match key {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if mx.len() < PIECES_MAX => {
                    let fault = || StsPolicyFault::Mx(shortened(value));
                    mx.push(MxPattern::parse(value).ok_or_else(fault)?);
                }
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(StsPolicyFault::Version);
        }
        let mode = match mode {
            Some("enforce") => StsMode::Enforce,
            Some("testing") => StsMode::Testing,
            Some("none") => StsMode::None,
            _ => return Err(StsPolicyFault::Mode),
        };
        let max_age = max_age.and_then(seconds).ok_or(StsPolicyFault::MaxAge)?;
        if mx.is_empty() && mode != StsMode::None {
            return Err(StsPolicyFault::NoMx);
        }
        Ok(Self { mode, max_age: Span::from_s(max_age), mx })
    }

    /// Whether mail may go to a host (§4.1).
    pub fn allows(&self, host: &Name) -> bool {
        self.mx.iter().any(|pattern| pattern.fits(host))
    }
}

impl std::fmt::Display for StsPolicy {
    /// As a web server has it, one `key: value` to a line (§3.2).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "version: STSv1\nmode: {}\n", self.mode.as_str())?;
        self.mx.iter().try_for_each(|pattern| writeln!(f, "mx: {pattern}"))?;
        writeln!(f, "max_age: {}", self.max_age.as_s())
    }
}

/// 1 to 10 digits, not over a year (§3.2).
fn seconds(text: &str) -> Option<u64> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|seconds| is_number && *seconds <= MAX_AGE_S)
}

impl MxPattern {
    /// A name, or `*.` and a name.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, is_wildcard) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let name = Name::parse(name).ok().filter(|name| name.as_str().bytes().all(is_plain))?;
        Some(Self { name, is_wildcard })
    }

    /// Whether it means this host: `*.` stands for one label, not for none and not for more.
    pub fn fits(&self, host: &Name) -> bool {
        if !self.is_wildcard {
            return self.name == *host;
        }
        host.as_str().split_once('.').is_some_and(|(_, parent)| parent == self.name.as_str())
    }
}

impl std::fmt::Display for MxPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.is_wildcard { "*." } else { "" }, self.name)
    }
}

impl StsMode {
    /// As a policy has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// A policy that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPolicy {
    /// What the domain asked for.
    pub policy: StsPolicy,
    /// The record's `id` when it was fetched.
    pub id: Box<str>,
    /// When it was fetched or last found unchanged.
    pub fetched: Instant,
}

/// What the DNS says about a domain's policy, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// There is one with this `id`.
    Policy(Box<str>),
    /// There is none that can be read, or it could not be found out: neither makes one forget a
    /// policy that still counts (§3.1, §10.2).
    Nothing,
}

/// What is to be done before mail goes to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is no policy: mail goes as to anybody.
    NoPolicy,
    /// The kept policy counts.
    UseKept,
    /// The policy is to be fetched. If that fails, the kept one counts as long as it may; without
    /// one there is no policy (§5.1).
    Fetch,
}

impl KeptPolicy {
    /// Whether it may still be gone by.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now.since(self.fetched) < self.policy.max_age
    }

    /// Whether it is time to fetch it again, so that it does not end while nobody looks (§10.2): a
    /// day after it was fetched, or after half of its time, whichever comes first. Whoever hides
    /// the record from us for a while then gains nothing by it.
    pub fn is_to_be_renewed(&self, now: Instant) -> bool {
        now.since(self.fetched) >= RENEWED_AFTER.min(Span(self.policy.max_age.0 / 2))
    }

    /// The policy to go by when none can be fetched: the kept one while it is fresh.
    pub fn in_force(kept: Option<&Self>, now: Instant) -> Option<&StsPolicy> {
        kept.filter(|kept| kept.is_fresh(now)).map(|kept| &kept.policy)
    }
}

impl Step {
    /// What is to be done, by what the DNS says and what is kept.
    pub fn next(announced: &Announced, kept: Option<&KeptPolicy>, now: Instant) -> Self {
        let kept = kept.filter(|kept| kept.is_fresh(now));
        match (announced, kept) {
            (Announced::Policy(id), Some(kept)) if *id == kept.id => Self::UseKept,
            (Announced::Policy(_), _) => Self::Fetch,
            (Announced::Nothing, Some(_)) => Self::UseKept,
            (Announced::Nothing, None) => Self::NoPolicy,
        }
    }
}

/// Whether a text begins with this version and a semicolon, with blanks between them.
pub(crate) fn begins(text: &[u8], version: &str) -> bool {
    let rest = text.strip_prefix(version.as_bytes());
    rest.is_some_and(|rest| {
        rest.iter().find(|b| !matches!(b, b' ' | b'\t')).is_some_and(|b| *b == b';')
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(60).collect::<String>().into()
}

#[cfg(test)]
mod tests;
