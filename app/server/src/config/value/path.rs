//! Names of files and folders.

use std::hash::{DefaultHasher, Hash as _};
use std::path::PathBuf;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

impl Value for PathBuf {
    fn form() -> String {
        "a file or folder; in a file, relative names begin where that file is".to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let text = wrongs.text(node, "\"/var/lib/postlane\"")?;
        if text.is_empty() {
            wrongs.add(node, format!("`{}` is empty", wrongs.name()), "name a file or folder");
            return None;
        }
        Some(wrongs.resolve(node, text))
    }

    fn show(&self) -> String {
        quoted(&self.to_string_lossy())
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        self.hash(hasher);
    }
}
