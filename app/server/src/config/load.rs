//! The configuration as it comes: from a file or none, with flags, judged as a whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::configuration::{Config, read};
use super::finding::Findings;
use super::overrides::Overrides;
use super::section::Reading;
use super::{dkim, lanes, tree};

/// No configuration. Whoever wrote it is to blame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read ({why}): name a TOML file that we may read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Something in it is wrong.
    #[error("{0}")]
    Wrong(Findings),
}

/// Octets of a configuration, at most. Chosen, not measured.
const FILE_OCTETS_MAX: u64 = 16 << 20;

impl Config {
    /// Reads a file, or none, and flags.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let Some(path) = file else { return Self::parse("", None, overrides) };
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
        let octets = fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
        if octets > FILE_OCTETS_MAX {
            return Err(unreadable(format!("it has {octets} octets, {FILE_OCTETS_MAX} at most")));
        }
        let text = fs::read_to_string(path).map_err(|e| match e.kind() {
            ErrorKind::InvalidData => unreadable("it is no text in UTF-8".to_owned()),
            _ => unreadable(e.to_string()),
        })?;
        Self::parse(&text, Some(path), overrides)
    }

    /// Reads a text that stands in that file, and flags.
    pub fn parse(
        text: &str,
        file: Option<&Path>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let (mut root, mistakes) = tree::parse(text);
        overrides.apply(&mut root);
        let folder = file.and_then(Path::parent).unwrap_or_else(|| Path::new("")).to_owned();
        let mut reading = Reading::new(root, folder);
        for mistake in mistakes {
            let cure = "mend it: the form is TOML, https://toml.io".to_owned();
            reading.complain(mistake.origin, None, mistake.says, cure);
        }
        reading.refuse_former("provider", lanes::provider_now);
        let config = read(&mut reading);
        if let Some(config) = &config {
            lanes::check(&mut reading, config);
            dkim::check(&mut reading, config);
        }
        let mut findings = Findings {
            file: file.map(Path::to_owned),
            text: text.to_owned(),
            list: reading.findings,
        };
        findings.sort();
        match config {
            Some(config) if !findings.refuse() => Ok(config.with_doubts(findings)),
            _ => Err(ConfigError::Wrong(findings)),
        }
    }
}

impl Default for Config {
    /// What holds when nothing is written.
    fn default() -> Self {
        Self::parse("", None, &Overrides::default()).expect("a test reads the empty configuration")
    }
}
