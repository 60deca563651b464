//! What a person who signs in may do.

use std::fmt;

use crate::scope::{Scope, Scopes};

/// What a person who signs in may do. Each may what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look at everything but tokens and the audit.
    Viewer,
    /// Act on queue, lanes, suppression list, incidents and saved views, too.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The name, as on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The scopes of an API token that may as much.
    pub fn scopes(self) -> Scopes {
        let scope = match self {
            Self::Viewer => Scope::Read,
            Self::Operator => Scope::Operate,
            Self::Admin => Scope::Admin,
        };
        Scopes::new([scope]).expect("one scope is not none")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_what_a_token_of_its_scope_may_and_no_more() {
        assert!(!Role::Viewer.scopes().allow(Scope::Operate));
        assert!(Role::Operator.scopes().allow(Scope::Read));
        assert!(!Role::Operator.scopes().allow(Scope::Admin));
        assert!(Scope::ALL.into_iter().all(|scope| Role::Admin.scopes().allow(scope)));
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
    }
}
