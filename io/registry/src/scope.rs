//! What a token may do.

use std::fmt;

/// One thing that a token may do. `docs/guide/api.md` lists which address asks for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Hand in mail, and nothing else.
    Submit,
    /// Look at everything but tokens and the audit.
    Read,
    /// Look, and act on what is seen: queue, lanes, suppression list, saved views.
    Operate,
    /// Everything, with tokens, webhooks, the audit, and reading the configuration again.
    Admin,
}

/// What a token may do: one scope at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Box<[Scope]>);

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Submit, Self::Read, Self::Operate, Self::Admin];

    /// The name, as in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// Whether who has this scope may do what asks for the other.
    fn covers(self, other: Self) -> bool {
        self == other || self == Self::Admin || (self == Self::Operate && other == Self::Read)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scopes {
    /// These scopes, each once; none where there is none.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Option<Self> {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        (!scopes.is_empty()).then(|| Self(scopes.into()))
    }

    /// Whether they allow what asks for that scope: `operate` allows reading, `admin` everything.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.iter().any(|own| own.covers(scope))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// As [`fmt::Display`] writes them; names that a later version has written are left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::new(text.split(' ').filter_map(Scope::parse))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, scope) in self.0.iter().enumerate() {
            let between = if number > 0 { " " } else { "" };
            write!(f, "{between}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_operate_is_to_read_and_never_to_submit_or_to_make_tokens() {
        let operate = Scopes::new([Scope::Operate]).unwrap();
        assert!(operate.allow(Scope::Read) && operate.allow(Scope::Operate));
        assert!(!operate.allow(Scope::Submit) && !operate.allow(Scope::Admin));
        let admin = Scopes::new([Scope::Admin]).unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        let submit = Scopes::new([Scope::Submit]).unwrap();
        assert!(!submit.allow(Scope::Read));
    }

    #[test]
    fn scopes_are_read_as_they_are_written_and_what_is_not_known_allows_nothing() {
        let both = Scopes::new([Scope::Read, Scope::Submit, Scope::Read]).unwrap();
        assert_eq!(both.to_string(), "submit read");
        assert_eq!(Scopes::parse("submit read"), Some(both));
        assert_eq!(Scopes::parse("paint"), None);
        assert_eq!(Scopes::new([]), None);
    }
}
