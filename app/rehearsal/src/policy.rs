//! Who decides when to send.

use std::fmt;

/// A policy that a scenario can be run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Postlane's own engine, knowing nothing of the receiver.
    Lane,
    /// The same with the beliefs of an earlier run.
    LaneWarm,
    /// Postfix's queue manager with its defaults.
    Postfix,
    /// What postmasters configure by hand: one connection, 2 messages a minute, retry after 30 min.
    Static,
    /// KumoMTA with its community shaping rules and automation.
    KumoTsa,
    /// PowerMTA with its documented defaults for backoff mode.
    Pmta,
    /// PowerMTA as nearly every public configuration sets it: back to normal after 2 h.
    Pmta2h,
    /// Additive increase, multiplicative decrease.
    Aimd,
    /// One that knows the receiver's state: the best there is.
    Oracle,
}

impl Policy {
    /// All of them, ours first, in the order of tables.
    pub const ALL: [Self; 9] = [
        Self::Lane,
        Self::LaneWarm,
        Self::Postfix,
        Self::Static,
        Self::KumoTsa,
        Self::Pmta,
        Self::Pmta2h,
        Self::Aimd,
        Self::Oracle,
    ];

    /// The policy of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lane => "lane",
            Self::LaneWarm => "lane-warm",
            Self::Postfix => "postfix",
            Self::Static => "static",
            Self::KumoTsa => "kumo-tsa",
            Self::Pmta => "pmta",
            Self::Pmta2h => "pmta-2h",
            Self::Aimd => "aimd",
            Self::Oracle => "oracle",
        }
    }

    /// What it does, for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::Lane => "Postlane, knowing nothing of the receiver",
            Self::LaneWarm => "Postlane with what it believed at the end of an earlier run",
            Self::Postfix => "Postfix's queue manager with its defaults",
            Self::Static => "one connection, two messages a minute, retry after 30 minutes",
            Self::KumoTsa => "KumoMTA with its community shaping rules and automation",
            Self::Pmta => "PowerMTA's backoff mode, left after 2 hours or with the first delivery",
            Self::Pmta2h => "PowerMTA's backoff mode, left after 2 hours only",
            Self::Aimd => "a rate that is raised slowly and halved at a refusal",
            Self::Oracle => "one that sees the receiver's counters: the best there is",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_found_by_its_name() {
        for policy in Policy::ALL {
            assert_eq!(Policy::parse(policy.as_str()), Some(policy));
        }
        assert_eq!(Policy::parse("sendmail"), None);
    }
}
