//! Whose mail it is, and which way it goes: what one verdict is about.

use std::sync::Arc;

use postlane_mail::{Domain, Label, Stream};

use crate::lanes::LaneName;

/// Mail that stands before a gate alike: of one author's domain, by one source, of one stream. A
/// tenant's keys are its own, so its mail is another's, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The provider's id.
    pub provider: Arc<str>,
    /// The source's name.
    pub source: Arc<str>,
    /// What kind of mail.
    pub stream: Stream,
    /// The domain in From; none where it names nobody that can be read.
    pub author: Option<Domain>,
    /// Whose; [`Label::NONE`] for nobody's.
    pub tenant: Label,
}

impl Subject {
    /// Whether its mail goes by that lane.
    pub fn goes_by(&self, lane: &LaneName) -> bool {
        *self.provider == *lane.provider && lane.source.as_deref() == Some(&*self.source)
    }

    /// The author's domain, as people read it.
    pub fn author(&self) -> &str {
        self.author.as_ref().map_or("(no author)", Domain::as_str)
    }
}
