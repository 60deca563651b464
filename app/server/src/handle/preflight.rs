//! How mail stands before the gates of providers, for whoever looks at it.

use postlane_mail::Label;

use super::Handle;
use crate::identity::preflight::{PreflightRow, Subject};

/// Which of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreflightFilter {
    /// Of this provider, by id.
    pub provider: Option<String>,
    /// By this source.
    pub source: Option<String>,
    /// Of this author's domain.
    pub domain: Option<String>,
    /// Of this tenant.
    pub tenant: Option<Label>,
}

impl PreflightFilter {
    fn has(&self, subject: &Subject) -> bool {
        let author = subject.author.as_ref();
        let is_of = |wanted: &Option<String>, is: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is))
        };
        is_of(&self.provider, &subject.provider)
            && is_of(&self.source, &subject.source)
            && is_of(&self.domain, author.map_or("", |author| author.as_str()))
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == subject.tenant)
    }
}

impl Handle {
    /// How mail stands before the gates that it came by, in the order of
    /// providers, sources, streams and authors.
    pub fn preflight(&self, filter: &PreflightFilter) -> Vec<PreflightRow> {
        let mut rows = self.0.preflight.rows();
        rows.retain(|row| filter.has(&row.subject));
        rows
    }

    /// Has the next message of each that is meant looked at, or one of those that are held at
    /// once, believing nothing that the DNS said before. How many are meant.
    pub fn look_again(&self, filter: &PreflightFilter) -> usize {
        self.0.preflight.recheck(|subject| filter.has(subject))
    }
}
