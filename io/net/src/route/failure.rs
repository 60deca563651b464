//! Why mail for a domain goes nowhere, now or ever.

use std::fmt;

use postlane_mail::{Host, Span, Status};

use crate::dns::DnsError;

/// Why there is no route. What it says is for the sender to read, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFailure {
    /// 4.x.x: ask again; 5.x.x: give it up.
    pub status: Status,
    /// What is wrong, in words.
    pub text: Box<str>,
    /// How long that is good for.
    pub ttl: Span,
}

/// The domain does not exist (RFC 3463 §3.2, X.1.2).
const BAD_DOMAIN: Status = Status::new(5, 1, 2);
/// The domain takes no mail (RFC 7505 §6).
const NULL_MX: Status = Status::new(5, 1, 10);
/// There is no way there (RFC 3463 §3.5, X.4.4).
const NO_ROUTE: Status = Status::new(5, 4, 4);
/// There is no way there over the families of addresses we use; that can be changed.
const NO_FAMILY: Status = Status::new(4, 4, 4);
/// The DNS did not answer (RFC 3463 §3.5, X.4.3).
const NO_ANSWER: Status = Status::new(4, 4, 3);
/// The way leads back to us (RFC 3463 §3.5, X.4.6).
const LOOP: Status = Status::new(5, 4, 6);
/// Our own configuration leads nowhere (RFC 3463 §3.4, X.3.5).
const MISCONFIGURED: Status = Status::new(4, 3, 5);

impl RouteFailure {
    pub(super) fn no_such_domain(domain: &impl fmt::Display, ttl: Span) -> Self {
        let text =
            format!("the domain {domain} does not exist: check the address for a typing mistake");
        Self::new(BAD_DOMAIN, text, ttl)
    }

    pub(super) fn null_mx(domain: &impl fmt::Display, ttl: Span) -> Self {
        Self::new(NULL_MX, format!("the domain {domain} takes no mail (null MX)"), ttl)
    }

    pub(super) fn no_answer(domain: &impl fmt::Display, error: &DnsError, ttl: Span) -> Self {
        let text = format!("the DNS does not say where mail for {domain} goes: {error}");
        Self::new(NO_ANSWER, text, ttl)
    }

    pub(super) fn no_host(domain: &impl fmt::Display, found: &str, ttl: Span) -> Self {
        Self::new(NO_ROUTE, format!("no host takes mail for {domain}: {found}"), ttl)
    }

    pub(super) fn no_family(domain: &impl fmt::Display, ttl: Span) -> Self {
        let text =
            format!("no host of {domain} has an address of a family that is used for sending");
        Self::new(NO_FAMILY, text, ttl)
    }

    pub(super) fn leads_back(domain: &impl fmt::Display, ttl: Span) -> Self {
        let text = format!("mail for {domain} leads back to this relay, which does not keep it");
        Self::new(LOOP, text, ttl)
    }

    /// Where an operator has written down the way there, its mistakes make mail wait; they
    /// never bounce it.
    pub(super) fn by_operator(self, target: &Host) -> Self {
        if !self.is_permanent() {
            return self;
        }
        let text = format!("the static route to {target} leads nowhere: {}", self.text);
        Self::new(MISCONFIGURED, text, self.ttl)
    }

    /// Whether it will be the same next time.
    pub fn is_permanent(&self) -> bool {
        self.status.class == 5
    }

    fn new(status: Status, text: String, ttl: Span) -> Self {
        Self { status, text: text.into(), ttl }
    }
}

impl fmt::Display for RouteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}

impl std::error::Error for RouteFailure {}
