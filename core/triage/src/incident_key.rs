//! Which incident: what makes two sights of trouble one.

use std::sync::Arc;

use crate::class::Class;

/// Which incident: those that agree in it are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentKey {
    /// A provider does not take our mail as it should.
    Delivery {
        /// The provider's id.
        provider: Arc<str>,
        /// What is wrong.
        class: Class,
        /// With which source; empty where all are concerned.
        source: Arc<str>,
    },
    /// A webhook of this name is told nothing any more.
    Webhook(Arc<str>),
    /// An address or a domain of ours is on a block list by which providers refuse mail.
    Listing {
        /// The list's id.
        list: Arc<str>,
        /// Who.
        subject: Arc<str>,
    },
    /// A record that receivers look for is not published any more.
    Record {
        /// Whose: the domain's.
        domain: Arc<str>,
        /// Which: its name and type.
        record: Arc<str>,
    },
}

impl IncidentKey {
    /// What kind an incident is that is no class of the decision table: a paused webhook.
    pub const WEBHOOK_PAUSED: &'static str = "webhook_paused";
    /// The same of a listing.
    pub const LISTED: &'static str = "listed";
    /// The same of a record that is gone.
    pub const RECORD_GONE: &'static str = "record_gone";

    /// What kind of incident it is: the class's name, or one of those above.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Delivery { class, .. } => class.name(),
            Self::Webhook(_) => Self::WEBHOOK_PAUSED,
            Self::Listing { .. } => Self::LISTED,
            Self::Record { .. } => Self::RECORD_GONE,
        }
    }

    /// In two or three words, for a heading.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Delivery { class, .. } => class.title(),
            Self::Webhook(_) => "webhook paused",
            Self::Listing { .. } => "on a block list",
            Self::Record { .. } => "record gone",
        }
    }

    /// The provider's id; empty where it is about none.
    pub fn provider(&self) -> &str {
        match self {
            Self::Delivery { provider, .. } => provider,
            _ => "",
        }
    }

    /// The source's name; empty where it is about all or none.
    pub fn source(&self) -> &str {
        match self {
            Self::Delivery { source, .. } => source,
            _ => "",
        }
    }

    /// The webhook's name; empty where it is about none.
    pub fn webhook(&self) -> &str {
        match self {
            Self::Webhook(name) => name,
            _ => "",
        }
    }

    /// The address or domain that is listed, or whose record is gone; empty where it is about
    /// none.
    pub fn subject(&self) -> &str {
        match self {
            Self::Listing { subject, .. } => subject,
            Self::Record { domain, .. } => domain,
            _ => "",
        }
    }

    /// The list's id, or the name and type of the record; empty where it is about none.
    pub fn of(&self) -> &str {
        match self {
            Self::Listing { list, .. } => list,
            Self::Record { record, .. } => record,
            _ => "",
        }
    }
}
