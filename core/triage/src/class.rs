//! What can be wrong: the rows of the decision table.

use std::fmt;

use crate::group::Group;

/// What is wrong between a source and a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nothing: less than one refusal in fifty.
    Healthy,
    /// Nothing can be said yet.
    TooLittle,
    /// The provider takes mail, but less in a time than is sent.
    Throttle,
    /// The provider refuses what we are, not how fast: a rule, a bad name, or no name yet.
    Policy,
    /// One source is refused where its neighbours are not.
    PoolIp,
    /// Our own retries use up what the provider would take.
    RetryStorm,
    /// Our mail does not prove whose it is.
    Identity,
    /// Too much goes to mailboxes that do not exist.
    Recipients,
    /// A list, public or the provider's own, has our address or domain on it.
    Block,
    /// Our own server is at fault: reverse DNS, greeting, TLS, login, route.
    Infra,
    /// Their servers, or the way to them, are down.
    Outage,
    /// First contact: the provider lets new senders come twice.
    Greylisting,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Healthy,
        Self::TooLittle,
        Self::Throttle,
        Self::Policy,
        Self::PoolIp,
        Self::RetryStorm,
        Self::Identity,
        Self::Recipients,
        Self::Block,
        Self::Infra,
        Self::Outage,
        Self::Greylisting,
    ];

    /// Its name in JSON, incidents and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::TooLittle => "too_little",
            Self::Throttle => "throttle",
            Self::Policy => "policy",
            Self::PoolIp => "pool_ip",
            Self::RetryStorm => "retry_storm",
            Self::Identity => "identity",
            Self::Recipients => "recipients",
            Self::Block => "block",
            Self::Infra => "infra",
            Self::Outage => "outage",
            Self::Greylisting => "greylisting",
        }
    }

    /// The class with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// In two or three words, for a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::TooLittle => "too little seen",
            Self::Throttle => "throttled",
            Self::Policy => "policy or identity",
            Self::PoolIp => "one source is refused",
            Self::RetryStorm => "retry storm",
            Self::Identity => "not authenticated",
            Self::Recipients => "recipient quality",
            Self::Block => "blocked",
            Self::Infra => "our own server",
            Self::Outage => "outage over there",
            Self::Greylisting => "greylisted",
        }
    }

    /// What it is, as the main clause of the verdict's sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Healthy => "Mail is taken as it should be",
            Self::TooLittle => "Too little was seen to say anything",
            Self::Throttle => "The provider takes mail, but less in a time than we send",
            Self::Policy => "The provider refuses what we are, not how fast we send",
            Self::PoolIp => "One source is refused where its neighbours are not",
            Self::RetryStorm => "Our own retries use up what the provider would take",
            Self::Identity => "The provider wants proof whose mail this is, and does not get it",
            Self::Recipients => "Too much of this mail goes to mailboxes that do not exist",
            Self::Block => "A block list keeps this mail out",
            Self::Infra => "Our own server is set up in a way the provider refuses",
            Self::Outage => "Their servers, or the way to them, are down",
            Self::Greylisting => "The provider lets new senders come twice",
        }
    }

    /// What the relay does about it by itself.
    pub const fn automatic(self) -> &'static str {
        match self {
            Self::Healthy => "Nothing: lanes go on as they are.",
            Self::TooLittle => "Nothing: lanes begin slowly and learn.",
            Self::Throttle => {
                "The lane rests, asks with one message whether it may go on, and goes on below the rate that was refused."
            }
            Self::Policy => {
                "The lane stops new mail and sends one message now and then to see whether anything has changed."
            }
            Self::PoolIp => {
                "The lane of that source rests; mail of the pool goes by the others meanwhile."
            }
            Self::RetryStorm => {
                "Retries and new mail share one budget, and waiting times grow: nothing bursts."
            }
            Self::Identity | Self::Recipients => {
                "What is refused for good is bounced; the lane slows down with the share of refusals."
            }
            Self::Block => {
                "The lane of the listed source rests; messages wait, they are not bounced for it."
            }
            Self::Infra => {
                "Messages wait and are tried again at long intervals until it is mended."
            }
            Self::Outage => "Other MX hosts are tried, then the same again at growing intervals.",
            Self::Greylisting => "Each message is tried again by the same source after the delay.",
        }
    }

    /// What a person has to do about it, in a sentence.
    pub const fn human(self) -> &'static str {
        match self {
            Self::Healthy | Self::TooLittle | Self::Outage | Self::Greylisting => "Nothing.",
            Self::Throttle => "Wait; then restart by a plan of days.",
            Self::Policy => "Check identity, lists and content; then write to the postmaster.",
            Self::PoolIp => "Take the source out of this lane and send the evidence to its owner.",
            Self::RetryStorm => "Stop adding new bulk mail until the queue has drained.",
            Self::Identity => "Mend the record or the signature that is named.",
            Self::Recipients => "Clean the list before anything more is sent to it.",
            Self::Block => "Remove the cause, then ask for removal with the evidence.",
            Self::Infra => "Mend what the replies name.",
        }
    }

    /// The groups of labels that name it; none where no reply does.
    pub const fn groups(self) -> &'static [Group] {
        match self {
            Self::Throttle => &[Group::Rate],
            Self::Policy => &[Group::Policy],
            Self::Identity => &[Group::Identity],
            Self::Recipients => &[Group::Recipients, Group::NoMailbox],
            Self::Block => &[Group::Block],
            Self::Infra => &[Group::Infra],
            Self::Outage => &[Group::Outage],
            Self::Greylisting => &[Group::Greylisting],
            Self::Healthy | Self::TooLittle | Self::PoolIp | Self::RetryStorm => &[],
        }
    }

    /// Whether somebody should hear of it.
    pub const fn is_trouble(self) -> bool {
        !matches!(self, Self::Healthy | Self::TooLittle)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
