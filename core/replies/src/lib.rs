//! What a reply means, for whom, and what to do about it; and which provider said it.
//!
//! Knowledge advises; it does not act. The rules are data (`rules/`, docs/design/009); a text is
//! read once whatever their number.

mod automaton;
mod book;
mod classifier;
mod cluster;
mod diagnosis;
mod fields;
mod flags;
mod hint;
mod label;
mod logged;
mod meaning;
mod own;
mod pattern;
mod provider;
mod recorded;
mod vocabulary;
mod words;

pub use book::{
    Advice, Example, Fault, Finding, Heard, Origin, Rank, Rule, RuleBook, RuleName, RulesError,
    Scratch, Wrong,
};
pub use classifier::{Classifier, WeightsError};
pub use cluster::cluster_of;
pub use diagnosis::{Action, Confidence, Diagnosis, Extent, Persistence, Scope, Signal};
pub use fields::{CaseUrl, Fields, ProviderCode};
pub use hint::{Hint, Quota, Unit, Wait};
pub use label::{Family, Label};
pub use logged::{Logged, read_logged};
pub use meaning::{Meanings, MeaningsError};
pub use own::OwnRules;
pub use pattern::PatternError;
pub use provider::{
    Brand, Note, PostmasterPage, Provider, ProviderId, Providers, ProvidersError, Standing,
};
pub use recorded::{read_reply, read_stage, status_of};
