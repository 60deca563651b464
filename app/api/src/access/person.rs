//! Somebody who is known without a token: whoever is signed in at the dashboard.

use postlane_mail::Label;
use postlane_registry::Scopes;

use super::origin::Origin;

/// Somebody who is known already: what they are called, what they may do, and whose mail alone
/// they see.
#[derive(Debug, Clone)]
pub struct Person {
    /// What they are called, in the audit, too.
    pub name: Label,
    /// What they may do: as much as a token with these scopes.
    pub scopes: Scopes,
    /// Whose mail alone they see and act on; [`Label::NONE`] for everybody's.
    pub tenant: Label,
    /// From where they ask.
    pub origin: Origin,
}
