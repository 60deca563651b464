//! What is wrong, and the evidence for whoever can help.

use axum::Json;
use axum::extract::State;
use postlane_server::handle::Handle;
use tokio::runtime;

use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::triage::standing::{standing, tell};
use crate::triage::{Asking, NoDiagnosis, diagnosis, evidence, reverse_dns};
use crate::wire::{DiagnosisPage, DiagnosisQuery, EvidencePack, EvidenceQuery};

/// What is wrong, by provider: verdict, evidence, what speaks against it, and steps.
#[utoipa::path(
    get, path = "/v1/diagnosis", tag = "triage", params(DiagnosisQuery),
    responses((status = 200, body = DiagnosisPage), (status = 400, body = Problem))
)]
pub(crate) async fn page(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<DiagnosisQuery>,
) -> Result<Json<DiagnosisPage>, Problem> {
    let past = past(&handle)?;
    let now = handle.now();
    // What stands still now says nothing of a time that is over.
    let still = match query.until {
        None => standing(&handle, &query).await.map_err(|_| closing())?,
        Some(_) => Vec::new(),
    };
    let answer = tokio::task::spawn_blocking(move || diagnosis(past.ledger(), &query, now));
    let mut page = answer.await.map_err(|_| closing())?.map_err(|e| undiagnosed(&e))?;
    tell(&mut page, &still);
    Ok(Json(page))
}

/// A pack of evidence for a postmaster or an ESP: report, letter, samples, headers, hashes.
#[utoipa::path(
    get, path = "/v1/evidence", tag = "triage", params(EvidenceQuery),
    responses((status = 200, body = EvidencePack), (status = 400, body = Problem))
)]
pub(crate) async fn pack(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<EvidenceQuery>,
) -> Result<Json<EvidencePack>, Problem> {
    let past = past(&handle)?;
    let now = handle.now();
    let key = postlane_server::triage::fresh_key().ok_or_else(closing)?;
    let (inspector, ring) = (handle.inspector().clone(), runtime::Handle::current());
    let pack = tokio::task::spawn_blocking(move || {
        // This thread may wait; the ring it comes from does the asking.
        let prove = |proofs| Ok(ring.block_on(reverse_dns::prove(&inspector, now, proofs)));
        evidence(past.ledger(), &query, &Asking { now, key, prove: &prove })
    });
    let pack = pack.await.map_err(|_| closing())?.map_err(|e| undiagnosed(&e))?;
    Ok(Json(pack.into()))
}

fn past(handle: &Handle) -> Result<postlane_server::handle::Past, Problem> {
    handle.past().ok_or_else(|| {
        Problem::unavailable(
            "no history is kept: ledger.on is false, or the ledger could not be opened; the \
             server's log says why",
        )
    })
}

fn closing() -> Problem {
    Problem::unavailable("the server is closing")
}

fn undiagnosed(error: &NoDiagnosis) -> Problem {
    match error {
        NoDiagnosis::Wrong(says) => Problem::bad_request(says.clone()),
        error => Problem::unavailable(error.to_string()),
    }
}
