//! What tidy says: where, what is wrong, and what puts it right.

use std::fmt;

/// One breach of the house's law.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the root of the tree.
    pub(crate) path: String,
    /// Line in that file, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) wrong: String,
    /// What puts it right.
    pub(crate) cure: String,
}

impl Finding {
    /// A finding about one line of a file.
    pub(crate) fn at(
        path: &str,
        line: usize,
        wrong: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { path: path.to_owned(), line, wrong: wrong.into(), cure: cure.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.wrong, self.cure)
    }
}
