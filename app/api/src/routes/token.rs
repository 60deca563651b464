//! Tokens: making them, looking at them, revoking them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::Label;
use postlane_registry::RegistryError;
use postlane_server::handle::Handle;

use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::wire::{TokenMade, TokenPage, TokenRequest, TokenRow, Whoami, scopes};

/// Lists all tokens, those that open nothing any more, too. Their secrets are nowhere.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "access",
    responses((status = 200, body = TokenPage), (status = 503, body = Problem))
)]
pub(crate) async fn list(State(handle): State<Handle>) -> Result<Json<TokenPage>, Problem> {
    let now = handle.now();
    let tokens = handle.registry(|db| db.tokens()).await.map_err(|why| refused(&why))?;
    Ok(Json(TokenPage { tokens: tokens.iter().map(|token| TokenRow::of(token, now)).collect() }))
}

/// Makes a token. What it is is answered this once, and kept nowhere.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "access", request_body = TokenRequest,
    responses(
        (status = 200, body = TokenMade),
        (status = 409, description = "There is one of that name, perhaps revoked", body = Problem),
        (status = 422, description = "It cannot be made so", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn make(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<TokenMade>, Problem> {
    let request: TokenRequest = body.read()?;
    let now = handle.now();
    let new = request.token(asker.name(), now);
    let new = new.map_err(|e| Problem::unprocessable(e.says).at(format!("/{}", e.field)))?;
    let made = handle.registry(move |db| db.add_token(&new, now)).await;
    let (token, secret) = made.map_err(|why| refused(&why))?;
    Ok(Json(TokenMade { token: secret.as_str().to_owned(), row: TokenRow::of(&token, now) }))
}

/// Revokes a token: from now on it opens nothing. It stays in the list, and its name is taken.
#[utoipa::path(
    delete, path = "/v1/tokens/{name}", tag = "access",
    params(("name" = String, Path, description = "The token's name")),
    responses((status = 200, body = TokenRow), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn revoke(
    State(handle): State<Handle>,
    Path(name): Path<String>,
) -> Result<Json<TokenRow>, Problem> {
    let now = handle.now();
    let name = Label::parse(&name).map_err(|e| Problem::bad_request(e.to_string()))?;
    let revoked = handle.registry(move |db| db.revoke_token(&name, now)).await;
    Ok(Json(TokenRow::of(&revoked.map_err(|why| refused(&why))?, now)))
}

/// Who asks: what the token that is sent may do.
#[utoipa::path(get, path = "/v1/whoami", tag = "access", responses((status = 200, body = Whoami)))]
pub(crate) async fn whoami(asker: Asker) -> Json<Whoami> {
    Json(Whoami {
        name: asker.name().to_owned(),
        scopes: scopes(asker.scopes()),
        tenant: asker.tenant().to_string(),
        from: asker.origin().to_string(),
    })
}

/// What the registry could not do, as an answer.
pub(crate) fn refused(why: &RegistryError) -> Problem {
    let status = match why {
        RegistryError::Taken { .. } => StatusCode::CONFLICT,
        RegistryError::Unknown { .. } => StatusCode::NOT_FOUND,
        RegistryError::Refused(_) | RegistryError::Full { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, why.to_string())
}
