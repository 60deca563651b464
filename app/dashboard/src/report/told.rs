//! What the API tells of a look, as far as a page shows it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A look. What a look of this sort does not have is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) gates: BTreeMap<String, GateTold>,
    pub(super) score: ScoreTold,
    pub(super) checks: Vec<CheckTold>,
    /// Of a test message: the same checks, with why they matter.
    pub(super) tests: Vec<CheckTold>,
    pub(super) spf: Option<Value>,
    pub(super) dkim: Option<Vec<SignatureTold>>,
    pub(super) dmarc: Option<DmarcTold>,
    pub(super) arc: Option<ArcTold>,
    pub(super) breakages: Vec<BreakageTold>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GateTold {
    pub(super) verdict: String,
    pub(super) blocking: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ScoreTold {
    pub(super) points: Option<u64>,
    pub(super) grade: Option<String>,
    pub(super) determined: u64,
    pub(super) of: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CheckTold {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) result: String,
    pub(super) evidence: String,
    pub(super) remedy: Option<String>,
    pub(super) reference: String,
    pub(super) why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignatureTold {
    pub(super) d: Option<String>,
    pub(super) s: Option<String>,
    pub(super) a: Option<String>,
    pub(super) result: String,
    pub(super) reason: Option<String>,
    pub(super) bh_ok: Option<bool>,
    pub(super) key_bits: Option<u64>,
}

/// Of a message with results, of a domain without.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DmarcTold {
    pub(super) method: String,
    pub(super) treewalk: PolicyTold,
    pub(super) psl: PolicyTold,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PolicyTold {
    pub(super) result: String,
    pub(super) policy: Option<String>,
    pub(super) policy_domain: Option<String>,
    pub(super) org_domain: String,
    pub(super) spf_aligned: Option<bool>,
    pub(super) dkim_aligned: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ArcTold {
    pub(super) cv: String,
    pub(super) sets: u64,
}

/// A signature that is not good, and what is known of why.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BreakageTold {
    pub(super) domain: String,
    pub(super) selector: String,
    pub(super) part: String,
    pub(super) canonicalization: String,
    pub(super) steps: Vec<String>,
    pub(super) signed_hash: String,
    pub(super) canonical: String,
    pub(super) explained_by: Vec<String>,
    pub(super) advice: String,
}
