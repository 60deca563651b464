//! The rules of replies that a server goes by: made when they are first asked for.

use std::fmt;
use std::sync::{Arc, OnceLock};

use postlane_replies::{Providers, RuleBook};

use crate::config::RulesFile;

/// The program's rules, and an operator's own before them. Cheap to clone.
///
/// Why not made at once: it takes a tenth of a second, which a setup that is only looked at need
/// not spend, nor a reload that changes something else.
#[derive(Clone)]
pub struct Rules(Arc<Made>);

struct Made {
    own: Vec<RulesFile>,
    book: OnceLock<RuleBook>,
}

impl Rules {
    /// The program's rules, and these before them, which were checked.
    pub(crate) fn with(own: &[RulesFile]) -> Self {
        Self(Arc::new(Made { own: own.to_vec(), book: OnceLock::new() }))
    }

    /// The rules, ready to be asked.
    pub fn book(&self) -> &RuleBook {
        self.0.book.get_or_init(|| self.make())
    }

    /// A book of the same rules for somebody who keeps it.
    pub fn make(&self) -> RuleBook {
        let names = self.0.own.iter().map(|file| file.path().to_string_lossy());
        let names: Vec<_> = names.collect();
        let own: Vec<_> =
            names.iter().zip(&self.0.own).map(|(name, file)| (&**name, file.text())).collect();
        RuleBook::with(&Providers::built_in(), &own)
            .expect("the check of the file refuses rules that cannot be used")
    }

    /// These, unless those that are in use are the same.
    pub(crate) fn or_same(self, used: &Self) -> Self {
        if self.0.own == used.0.own { used.clone() } else { self }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.own).finish()
    }
}
