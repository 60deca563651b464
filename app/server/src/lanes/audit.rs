//! Who commanded what, when and why.

use std::collections::VecDeque;

use postlane_mail::Instant;
use serde::{Deserialize, Serialize};

/// One command to a lane or a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// When, in microseconds since 1970.
    pub at: u64,
    /// Who: 64 octets at most.
    pub by: String,
    /// What, as the command line has it: `pause cold`.
    pub command: String,
    /// Why, in their words; 256 octets at most, empty for none.
    pub why: String,
}

/// Commands that are kept of each. Chosen, not measured: some months of an operator's.
const KEPT: usize = 16;

/// Octets of what is said. Chosen, not measured.
const WHY_OCTETS: usize = 256;

impl Audit {
    /// A command, given now.
    pub fn new(at: Instant, by: &str, command: String, why: &str) -> Self {
        let mut end = why.len().min(WHY_OCTETS);
        while !why.is_char_boundary(end) {
            end -= 1;
        }
        let why = why.get(..end).unwrap_or_default().to_owned();
        Self { at: at.0, by: by.to_owned(), command, why }
    }
}

/// One more; the oldest goes.
pub(super) fn record(audits: &mut VecDeque<Audit>, audit: Audit) {
    audits.push_back(audit);
    while audits.len() > KEPT {
        audits.pop_front();
    }
}

/// As the spool keeps them: JSON, which people can read in an export.
pub(super) fn to_octets(audits: &VecDeque<Audit>) -> Vec<u8> {
    serde_json::to_vec(audits).unwrap_or_default()
}

/// What the spool has kept; nothing where that cannot be read.
pub(super) fn of_octets(octets: &[u8]) -> Option<VecDeque<Audit>> {
    serde_json::from_slice(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_commands_are_kept_and_read_back() {
        let mut audits = VecDeque::new();
        for n in 0..20 {
            let why = "x".repeat(300);
            record(&mut audits, Audit::new(Instant(n), "jo", format!("pin {n}/h"), &why));
        }
        assert_eq!((audits.len(), audits[0].at, audits[0].why.len()), (16, 4, 256));
        assert_eq!(of_octets(&to_octets(&audits)), Some(audits));
        assert_eq!(of_octets(b"\xff"), None);
    }
}
