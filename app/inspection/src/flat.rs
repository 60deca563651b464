//! A record of SPF with its networks written out, told in one form, and what a published copy of it
//! has otherwise.

use postlane_checks::spf::Flattened;
use serde_json::{Value, json};

/// What a published copy has otherwise than its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Networks that the source passes and the copy does not: mail from there is refused.
    pub missing: Vec<String>,
    /// Networks that the copy passes and the source does not.
    pub extra: Vec<String>,
}

impl Drift {
    /// Holds a copy against its source.
    pub fn between(source: &Flattened, copy: &Flattened) -> Self {
        let shown = |all: Vec<_>| all.iter().map(ToString::to_string).collect();
        Self { missing: shown(copy.missing_of(source)), extra: shown(source.missing_of(copy)) }
    }
}

/// What `postlane spf flatten --json` prints: `records[{name,txt}]`, `networks[]`, `kept[]`,
/// `lookups`, and `missing[]` and `extra[]`, which are null where no copy was held against it.
pub fn flat_as_json(found: &Flattened, drift: Option<&Drift>) -> Value {
    let records =
        found.records.iter().map(|(name, text)| json!({"name": name.to_string(), "txt": text}));
    json!({
        "records": records.collect::<Vec<Value>>(),
        "networks": found.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "kept": found.kept.iter().map(|term| &**term).collect::<Vec<_>>(),
        "lookups": found.lookups,
        "missing": drift.map(|drift| &drift.missing),
        "extra": drift.map(|drift| &drift.extra),
    })
}
