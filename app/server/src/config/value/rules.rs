//! Files with rules for replies, as they were when the configuration was read.

use std::hash::{DefaultHasher, Hash as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

/// A file with an operator's own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesFile {
    path: PathBuf,
    text: Arc<str>,
}

/// Octets that are read of a file with rules: ten times those of the program's.
/// Chosen, not measured.
const RULES_OCTETS_MAX: u64 = 8 << 20;

impl RulesFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn load(path: PathBuf) -> Result<Self, String> {
        let file = std::fs::File::open(&path).map_err(|e| e.to_string())?;
        let mut text = String::new();
        file.take(RULES_OCTETS_MAX + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
        if text.len() as u64 > RULES_OCTETS_MAX {
            return Err(format!("it has more than {RULES_OCTETS_MAX} octets"));
        }
        Ok(Self { path, text: text.into() })
    }
}

impl Value for RulesFile {
    fn form() -> String {
        "a file with rules; in a file, relative names begin where that file is".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let path = PathBuf::read(node, wrongs)?;
        match Self::load(path.clone()) {
            Ok(file) => Some(file),
            Err(why) => {
                let cause = format!("the file {} cannot be used: {why}", path.display());
                wrongs.add(node, cause, "name a file with rules that we may read");
                None
            }
        }
    }

    fn show(&self) -> String {
        quoted(&self.path.to_string_lossy())
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        (&self.path, &self.text).hash(hasher);
    }
}
