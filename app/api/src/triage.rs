//! Asking the ledger what is wrong, for the API and the command line alike.
//!
//! All of it reads files: not for a thread that must not wait.

mod evidence;
pub(crate) mod of_lanes;
pub(crate) mod reverse_dns;
pub(crate) mod standing;

use postlane_ledger::{Ledger, LedgerError};
use postlane_mail::{Instant, Span};
use postlane_replies::Providers;
use postlane_server::triage::{Look, examine};

use crate::wire::{DiagnosisPage, DiagnosisQuery, moment_or_ago, timestamp};
pub use evidence::{Asking, evidence};
pub use reverse_dns::ReverseDns;

/// Why there is no diagnosis.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoDiagnosis {
    /// What was asked cannot be read. Whoever asked is to blame.
    #[error("{0}")]
    Wrong(String),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// How far is looked back if nobody says otherwise.
const BACK: Span = Span::from_h(24);
/// How far may be looked back (chosen, not measured).
const BACK_MAX: Span = Span::from_h(24 * 92);

/// What is wrong, by provider.
///
/// # Errors
/// The question or the ledger cannot be read.
pub fn diagnosis(
    ledger: &Ledger,
    query: &DiagnosisQuery,
    now: Instant,
) -> Result<DiagnosisPage, NoDiagnosis> {
    let providers = Providers::built_in();
    let look = look(query, &providers, now)?;
    let (mut assessments, counted) = examine(ledger, &look)?;
    // What needs somebody comes first.
    assessments.sort_by_key(|of| {
        (!of.verdict.class.is_trouble(), std::cmp::Reverse(of.figures.attempts()))
    });
    Ok(DiagnosisPage {
        from: timestamp(look.from),
        to: timestamp(look.to),
        providers: assessments
            .iter()
            .map(|of| crate::wire::diagnosed(of, &counted, &providers))
            .collect(),
    })
}

/// What is asked for.
pub(crate) fn look(
    query: &DiagnosisQuery,
    providers: &Providers,
    now: Instant,
) -> Result<Look, NoDiagnosis> {
    let read = |text: &Option<String>, otherwise| {
        text.as_deref().map_or(Ok(otherwise), |text| {
            moment_or_ago(text, now).map_err(|e| NoDiagnosis::Wrong(format!("{text:?}: {e}")))
        })
    };
    let to = read(&query.until, now)?;
    let from = read(&query.since, to - BACK)?;
    if from >= to || to.since(from) > BACK_MAX {
        let says = "look at a span that ends after it begins, and of 92 days at most";
        return Err(NoDiagnosis::Wrong(says.to_owned()));
    }
    let provider = query.provider.as_deref().map(|name| {
        // Whoever is in no table is a provider of their own.
        providers.resolve(name).map_or_else(|| name.into(), |id| id.as_str().into())
    });
    Ok(Look { from, to, provider, tenant: query.tenant.as_deref().map(Into::into) })
}

#[cfg(test)]
mod tests;
