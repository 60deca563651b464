//! What a reply means, for whom, and what to do about it; and which provider said it.
//!
//! Knowledge advises; it does not act. So far a reply is judged by its code's class and by
//! where it was said; the book of rules joins behind the same [`diagnose`].

mod diagnosis;
mod label;
mod provider;

pub use diagnosis::{Diagnosis, Persistence, Scope, classify, diagnose};
pub use label::{Family, Label};
pub use provider::{Provider, ProviderId, Providers, ProvidersError};
