//! What a reply means, for whom, and what to do about it.
//!
//! Knowledge advises; it does not act. So far a reply is judged by its code's class and by
//! where it was said; the book of rules joins behind the same [`classify`].

mod diagnosis;

pub use diagnosis::{Diagnosis, Persistence, Scope, classify};
