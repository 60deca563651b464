//! Webhooks: who is told what happens.

use axum::Json;
use axum::extract::{Path, State};
use postlane_mail::{Label, Span};
use postlane_registry::NewWebhook;
use postlane_server::handle::{Handle, NoWebhook};

use super::token::refused;
use crate::access::Asker;
use crate::body::JsonBody;
use crate::problem::Problem;
use crate::wire::{
    WEBHOOK_COMMANDS, WebhookMade, WebhookOrder, WebhookOrdered, WebhookPage, WebhookRequest,
    WebhookRow, moment,
};

/// How long messages are signed with two secrets, where it is not said. Chosen, not measured.
const OVERLAP: Span = Span::from_h(24);

/// Lists all webhooks, and how telling them goes.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks",
    responses((status = 200, body = WebhookPage), (status = 503, body = Problem))
)]
pub(crate) async fn list(State(handle): State<Handle>) -> Result<Json<WebhookPage>, Problem> {
    let webhooks = handle.webhooks().await.map_err(not_so)?;
    Ok(Json(WebhookPage { webhooks: webhooks.iter().map(WebhookRow::from).collect() }))
}

/// Makes a webhook: it is told what happens from now on. Its secret is answered this once.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", request_body = WebhookRequest,
    responses(
        (status = 200, body = WebhookMade),
        (status = 409, description = "There is one of that name", body = Problem),
        (status = 422, description = "It cannot be made so", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn add(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<WebhookMade>, Problem> {
    let request: WebhookRequest = body.read()?;
    let label = |field: &str, text: &str| {
        let says =
            format!("{text:?}: a name has 1 to 64 letters, digits, dots, hyphens and underscores");
        Label::parse(text).map_err(|_| Problem::unprocessable(says).at(format!("/{field}")))
    };
    let name = request.name.clone().unwrap_or_else(|| host(&request.url));
    let new = NewWebhook {
        name: label("name", &name)?,
        url: request.url,
        events: request.events,
        tenant: label("tenant", request.tenant.as_deref().unwrap_or_default())?,
        by: asker.name().to_owned(),
    };
    let (webhook, secret) = handle.add_webhook(new).await.map_err(not_so)?;
    Ok(Json(WebhookMade { secret, row: WebhookRow::from(&webhook) }))
}

/// Removes a webhook: it is told nothing more.
#[utoipa::path(
    delete, path = "/v1/webhooks/{name}", tag = "webhooks",
    params(("name" = String, Path, description = "The webhook's name")),
    responses((status = 200, body = WebhookRow), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn remove(
    State(handle): State<Handle>,
    Path(name): Path<String>,
) -> Result<Json<WebhookRow>, Problem> {
    let removed = handle.remove_webhook(named(&name)?).await.map_err(not_so)?;
    Ok(Json(WebhookRow::from(&removed)))
}

/// Does something with a webhook: tries it, pauses it, resumes it, tells it again what has happened
/// since a moment, or gives it a new secret.
#[utoipa::path(
    post, path = "/v1/webhooks/{name}/{command}", tag = "webhooks", request_body = WebhookOrder,
    params(
        ("name" = String, Path, description = "The webhook's name"),
        ("command" = String, Path, description = "`test`, `pause`, `resume`, `replay` or `rotate-secret`"),
    ),
    responses(
        (status = 200, body = WebhookOrdered),
        (status = 404, body = Problem),
        (status = 422, description = "No such command, or it lacks something", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn order(
    State(handle): State<Handle>,
    asker: Asker,
    Path((name, command)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<WebhookOrdered>, Problem> {
    let order: WebhookOrder = body.read()?;
    let name = named(&name)?;
    let (mut secret, mut test) = (None, None);
    let webhook = match command.as_str() {
        "pause" => handle.pause_webhook(name, format!("by {}", asker.name())).await,
        "resume" => handle.resume_webhook(name, None).await,
        "replay" => {
            let since = order.since.as_ref().ok_or_else(|| {
                Problem::unprocessable("say since when: since, as 2026-11-21T05:39:05Z")
                    .at("/since")
            })?;
            let since = moment(since).map_err(|e| Problem::unprocessable(e).at("/since"))?;
            handle.resume_webhook(name, Some(since)).await
        }
        "rotate-secret" => {
            let overlap = order.overlap_s.map_or(OVERLAP, Span::from_s);
            let rotated = handle.rotate_webhook(name, overlap).await;
            rotated.map(|(webhook, new)| {
                secret = Some(new);
                webhook
            })
        }
        "test" => {
            test = Some(handle.try_webhook(name.clone()).await.map_err(not_so)?.into());
            let all = handle.webhooks().await.map_err(not_so)?;
            all.into_iter().find(|webhook| webhook.name == name).ok_or(NoWebhook::NoHistory)
        }
        _ => {
            let known = WEBHOOK_COMMANDS.join(", ");
            let says = format!("{command:?} is no command for webhooks: use one of {known}");
            return Err(Problem::unprocessable(says).at("/command"));
        }
    };
    let webhook = WebhookRow::from(&webhook.map_err(not_so)?);
    Ok(Json(WebhookOrdered { webhook, secret, test }))
}

fn named(name: &str) -> Result<Label, Problem> {
    Label::parse(name).map_err(|e| Problem::bad_request(e.to_string()))
}

/// The host of a URL, as a name; what else is wrong with the URL is told of the URL.
fn host(url: &str) -> String {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host: String = behind.chars().take_while(|c| !"/:?#@[".contains(*c)).take(64).collect();
    if Label::parse(&host).is_ok_and(|label| !label.is_none()) {
        host
    } else {
        "webhook".to_owned()
    }
}

fn not_so(why: NoWebhook) -> Problem {
    match why {
        NoWebhook::Registry(why) => refused(&why),
        NoWebhook::Url(why) => Problem::unprocessable(why.to_string()).at("/url"),
        NoWebhook::Event { .. } => Problem::unprocessable(why.to_string()).at("/events"),
        why => Problem::unavailable(why.to_string()),
    }
}
