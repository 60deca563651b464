//! What a domain has to publish: its record of SPF written out, and the keys that we sign with.

use axum::Json;
use axum::extract::{Path, State};
use postlane_checks::dkim::{SignError, Visible};
use postlane_checks::spf::{FlattenError, flatten};
use postlane_checks::{Known, Name};
use postlane_inspection::{Drift, flat_as_json, key_as_json};
use postlane_server::NotInspected;
use postlane_server::handle::Handle;
use serde_json::Value;

use crate::access::Asker;
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::FlatQuery;

/// A record of SPF with its networks written out, and what a published copy of it lacks. The answer
/// is that of `postlane spf flatten --json`.
#[utoipa::path(
    get, path = "/v1/checks/spf/flat/{domain}", tag = "checks",
    params(("domain" = String, Path, description = "For which the record is"), FlatQuery),
    responses((status = 200, body = Value), (status = 400, body = Problem),
              (status = 503, body = Problem))
)]
pub(crate) async fn flat(
    State(handle): State<Handle>,
    Path(domain): Path<String>,
    UrlQuery(query): UrlQuery<FlatQuery>,
) -> Result<Json<Value>, Problem> {
    let domain = name(&domain)?;
    let source = query.source.as_deref().map_or_else(|| Ok(domain.clone()), name)?;
    let against = query.against.as_deref().map(name).transpose()?;
    let look = move |known: &mut Known| {
        let source = flatten(known, &source, &domain);
        let copy = against.as_ref().map(|against| flatten(known, against, &domain));
        Some((source?, copy.map_or(Some(None), |copy| copy.map(Some))?))
    };
    let looked = handle.inspector().look(Known::new(), look).await;
    let ((source, copy), _) = looked.map_err(|why| not_looked(&why))?;
    let source = source.map_err(|why| not_flat(&why))?;
    let copy = copy.transpose().map_err(|why| not_flat(&why))?;
    let drift = copy.as_ref().map(|copy| Drift::between(&source, copy));
    Ok(Json(flat_as_json(&source, drift.as_ref())))
}

/// The keys that mail is signed with, in the order of the configuration, and whether receivers find
/// them: objects like those of `postlane dkim check --json`. A token that is bound to a tenant sees
/// that tenant's alone.
#[utoipa::path(
    get, path = "/v1/checks/dkim", tag = "checks",
    responses((status = 200, body = Vec<Value>), (status = 503, body = Problem))
)]
pub(crate) async fn keys(
    State(handle): State<Handle>,
    asker: Asker,
) -> Result<Json<Vec<Value>>, Problem> {
    let (of, is_bound) = (asker.tenant().clone(), asker.is_bound());
    let mut keys = handle.signing_keys();
    keys.retain(|key| !is_bound || key.tenant() == Some(&of));
    let asked: Vec<_> = keys.iter().map(|key| key.signer.clone()).collect();
    let look = move |known: &mut Known| {
        // All are asked for before the first answer is waited for.
        let found: Vec<_> = asked.iter().map(|signer| signer.published(known)).collect();
        found.into_iter().collect::<Option<Vec<Visible>>>()
    };
    let looked = handle.inspector().look(Known::new(), look).await;
    let (found, _) = looked.map_err(|why| not_looked(&why))?;
    let told = keys.iter().zip(&found).map(|(key, found)| key_as_json(&key.signer, found));
    let told: Result<Vec<Value>, SignError> = told.collect();
    told.map(Json).map_err(|why| Problem::unavailable(why.to_string()))
}

fn name(text: &str) -> Result<Name, Problem> {
    Name::parse(text).map_err(|why| Problem::bad_request(format!("that is no name: {why}")))
}

fn not_looked(why: &NotInspected) -> Problem {
    Problem::unavailable(why.to_string())
}

/// Nobody could say, or there is nothing that could be written out.
fn not_flat(why: &FlattenError) -> Problem {
    match why {
        FlattenError::Open(..) => Problem::unavailable(why.to_string()),
        _ => Problem::bad_request(why.to_string()),
    }
}
