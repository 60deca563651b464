//! Static routes: what an operator has written about where mail goes.
//!
//! The most specific one holds, in this order, whatever the order they are written in:
//!
//! 1. the recipient's domain, `example.com`, or its address literal, `[192.0.2.1]`
//! 2. a domain above it, `.example.com` or `*.example.com`, the nearest one first
//! 3. its provider, `provider:google`
//! 4. the sender: `sender:a@example.com`, then `sender:example.com`, then
//!    `sender:.example.com`, the nearest one first
//! 5. `*`, all mail
//!
//! So what is written about where mail goes beats what is written about whence it comes.

use std::collections::BTreeMap;
use std::fmt;

use postlane_mail::{Domain, Host, Mailbox, ReversePath};

use super::target::{Target, TargetError};

/// Which mail a static route is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Mail to this domain or address literal.
    To(Host),
    /// Mail to domains below this one.
    Below(Domain),
    /// Mail to domains of this provider.
    Provider(Box<str>),
    /// Mail from there.
    Sender(SenderPattern),
    /// All mail.
    All,
}

/// Which reverse-path a static route is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SenderPattern {
    /// This mailbox; the local part as it is written, the host in any case.
    Mailbox(Box<str>, Host),
    /// This domain or address literal.
    At(Host),
    /// Domains below this one.
    Below(Domain),
}

/// A pattern and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticRoute {
    /// Which mail.
    pub pattern: Pattern,
    /// Where to.
    pub target: Target,
}

/// All static routes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaticRoutes(BTreeMap<Pattern, Target>);

/// Why a text is no static route. Whoever wrote it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StaticRouteError {
    /// There is no `=`.
    #[error("\"{0}\" is no route: write PATTERN=HOST:PORT, as in example.com=127.0.0.1:2525")]
    Shape(Box<str>),
    /// The pattern is none.
    #[error(
        "\"{0}\" is no pattern: write *, example.com, .example.com, provider:ID or \
         sender:a@example.com"
    )]
    Pattern(Box<str>),
    /// The target is none.
    #[error("the route for {0}: {1}")]
    Target(Pattern, TargetError),
    /// Two routes have the same pattern.
    #[error("there are two routes for {0}: remove one of them")]
    Twice(Pattern),
}

impl StaticRoutes {
    /// All of these.
    pub fn new(routes: Vec<StaticRoute>) -> Result<Self, StaticRouteError> {
        let mut by_pattern = BTreeMap::new();
        for StaticRoute { pattern, target } in routes {
            if by_pattern.insert(pattern.clone(), target).is_some() {
                return Err(StaticRouteError::Twice(pattern));
            }
        }
        Ok(Self(by_pattern))
    }

    /// Where mail of this sender to that destination goes, if it is written down. Where
    /// [`Self::asks_for_provider`] says so, the destination's provider must be given to be sure.
    pub fn find(
        &self,
        sender: &ReversePath,
        destination: &Host,
        provider: Option<&str>,
    ) -> Option<&Target> {
        let at = |pattern| self.0.get(&pattern);
        at(Pattern::To(destination.clone()))
            .or_else(|| parents(destination).find_map(|parent| at(Pattern::Below(parent))))
            .or_else(|| provider.and_then(|id| at(Pattern::Provider(id.into()))))
            .or_else(|| self.find_sender(sender.mailbox()?))
            .or_else(|| at(Pattern::All))
    }

    /// Whether where mail to this destination goes depends on its provider, which only the DNS
    /// can tell: there are routes by provider, and none that beats them.
    pub fn asks_for_provider(&self, destination: &Host) -> bool {
        let by_provider = self.0.keys().any(|p| matches!(p, Pattern::Provider(_)));
        let beaten = || {
            self.0.contains_key(&Pattern::To(destination.clone()))
                || parents(destination).any(|parent| self.0.contains_key(&Pattern::Below(parent)))
        };
        by_provider && !beaten()
    }

    /// Whether where mail goes can depend on its sender.
    pub fn asks_for_sender(&self) -> bool {
        self.0.keys().any(|pattern| matches!(pattern, Pattern::Sender(_)))
    }

    /// Whether nothing is written down.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&Pattern, &Target)> {
        self.0.iter()
    }

    fn find_sender(&self, sender: &Mailbox) -> Option<&Target> {
        let at = |pattern| self.0.get(&Pattern::Sender(pattern));
        let host = sender.host();
        at(SenderPattern::Mailbox(sender.local_part().into(), host.clone()))
            .or_else(|| at(SenderPattern::At(host.clone())))
            .or_else(|| parents(host).find_map(|parent| at(SenderPattern::Below(parent))))
    }
}

/// The domains above a host's, the nearest first.
fn parents(host: &Host) -> impl Iterator<Item = Domain> {
    let mut rest = match host {
        Host::Domain(domain) => domain.as_str(),
        Host::Literal(_) => "",
    };
    std::iter::from_fn(move || {
        rest = rest.split_once('.')?.1;
        Domain::parse(rest).ok()
    })
}

impl StaticRoute {
    /// Reads `PATTERN=TARGET`; [`Pattern::parse`] and [`Target::parse`] say what these are.
    pub fn parse(text: &str) -> Result<Self, StaticRouteError> {
        // A local part may hold `=` (VERP), a target's options do: the first reading holds.
        let mut first_error = StaticRouteError::Shape(text.into());
        for (tried, (at, _)) in text.match_indices('=').enumerate() {
            match Self::of(&text[..at], &text[at + 1..]) {
                Ok(route) => return Ok(route),
                Err(error) if tried == 0 => first_error = error,
                Err(_) => {}
            }
        }
        Err(first_error)
    }

    fn of(pattern: &str, target: &str) -> Result<Self, StaticRouteError> {
        let pattern = Pattern::parse(pattern.trim())?;
        match Target::parse(target.trim()) {
            Ok(target) => Ok(Self { pattern, target }),
            Err(error) => Err(StaticRouteError::Target(pattern, error)),
        }
    }
}

impl Pattern {
    /// Reads `*`, `example.com`, `[192.0.2.1]`, `.example.com`, `*.example.com`,
    /// `provider:ID`, or `sender:` before a mailbox or another of the forms with a domain.
    pub fn parse(text: &str) -> Result<Self, StaticRouteError> {
        let none = || StaticRouteError::Pattern(text.into());
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(id) = text.strip_prefix("provider:") {
            let plain = |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase();
            let is_id = !id.is_empty() && id.bytes().all(plain);
            return if is_id { Ok(Self::Provider(id.into())) } else { Err(none()) };
        }
        if let Some(sender) = text.strip_prefix("sender:") {
            return Ok(Self::Sender(SenderPattern::parse(sender).ok_or_else(none)?));
        }
        match below(text) {
            Some(parent) => Domain::parse(parent).map(Self::Below).map_err(|_| none()),
            None => Host::parse(text).map(Self::To).map_err(|_| none()),
        }
    }
}

impl SenderPattern {
    fn parse(text: &str) -> Option<Self> {
        if let Some(parent) = below(text) {
            return Domain::parse(parent).ok().map(Self::Below);
        }
        if text.contains('@') {
            let mailbox = Mailbox::parse(text).ok()?;
            return Some(Self::Mailbox(mailbox.local_part().into(), mailbox.host().clone()));
        }
        Host::parse(text).ok().map(Self::At)
    }
}

/// The domain of `.example.com` or `*.example.com`.
fn below(text: &str) -> Option<&str> {
    text.strip_prefix("*.").or_else(|| text.strip_prefix('.'))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(host) => host.fmt(f),
            Self::Below(domain) => write!(f, ".{domain}"),
            Self::Provider(id) => write!(f, "provider:{id}"),
            Self::Sender(SenderPattern::Mailbox(local, host)) => write!(f, "sender:{local}@{host}"),
            Self::Sender(SenderPattern::At(host)) => write!(f, "sender:{host}"),
            Self::Sender(SenderPattern::Below(domain)) => write!(f, "sender:.{domain}"),
            Self::All => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests;
