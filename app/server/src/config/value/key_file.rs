//! Files with private keys that sign, as they were when the configuration was read.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

/// A PEM file with a private key. What is in it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    pem: Arc<str>,
}

/// Octets that are read of a file with a key: an RSA key of 8192 bits has 6,400 in PEM. Chosen,
/// not measured.
const KEY_OCTETS_MAX: u64 = 32 << 10;

/// Others may do nothing with a key, and those of its group no more than read it.
const TOO_OPEN: u32 = 0o037;

impl KeyFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key in PEM: not to be shown.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn load(path: PathBuf) -> Result<Self, (String, &'static str)> {
        const NAME: &str = "name a PEM file with a private key that we may read";
        let unread = |e: std::io::Error| (e.to_string(), NAME);
        let file = std::fs::File::open(&path).map_err(unread)?;
        let found = file.metadata().map_err(unread)?;
        if !found.is_file() {
            return Err(("it is no file".to_owned(), NAME));
        }
        let mode = found.mode() & 0o777;
        if mode & TOO_OPEN != 0 {
            let cause = format!("its mode is {mode:04o}: others can read or change it");
            return Err((cause, "let only us read it: chmod 600, or 640 with our group"));
        }
        let mut pem = String::new();
        file.take(KEY_OCTETS_MAX + 1).read_to_string(&mut pem).map_err(unread)?;
        if pem.len() as u64 > KEY_OCTETS_MAX {
            return Err((format!("it has more than {KEY_OCTETS_MAX} octets"), NAME));
        }
        Ok(Self { path, pem: pem.into() })
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} …", self.path.display())
    }
}

impl Value for KeyFile {
    fn form() -> String {
        "a PEM file with a private key; in a file, relative names begin where that file is"
            .to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        if node.text().is_some_and(|text| text.contains("-----BEGIN")) {
            let cause = format!("`{}` is the key itself, and a file is wanted", wrongs.name());
            wrongs.add(node, cause, "write the key into a file with the mode 0600, and name that");
            return None;
        }
        let path = PathBuf::read(node, wrongs)?;
        match Self::load(path.clone()) {
            Ok(file) => Some(file),
            Err((why, cure)) => {
                let cause = format!("the key {} cannot be used: {why}", path.display());
                wrongs.add(node, cause, cure);
                None
            }
        }
    }

    fn show(&self) -> String {
        quoted(&self.path.to_string_lossy())
    }

    fn mark(&self, hasher: &mut DefaultHasher) {
        (&self.path, &self.pem).hash(hasher);
    }
}
