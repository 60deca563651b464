//! Handing in mail.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_mail::{BodyType, Envelope, Label, Mailbox, Recipient, ReversePath, Stream};
use postlane_server::handle::{Composed, Content, Handle, NewMessage, NotAccepted};

use crate::problem::Problem;
use crate::wire::{Answer, MessageRequest, Messages, RecipientAnswer};

/// Messages in one request, at most. Chosen, not measured.
const MESSAGES_MAX: usize = 1000;

/// Hands in one message, or a list of them.
///
/// The answer comes when everything that is said to be queued is safe on disk. In a list each
/// message is taken or refused for itself.
#[utoipa::path(
    post, path = "/v1/messages", tag = "messages", request_body = Messages,
    responses(
        (status = 202, description = "Queued; a list is answered by a list", body = Answer),
        (status = 400, description = "Not JSON, or not of this form", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Cannot be sent", body = Problem),
        (status = 503, description = "Not now: try again", body = Problem),
    )
)]
pub(crate) async fn submit(State(handle): State<Handle>, body: Bytes) -> Response {
    // Told apart here and not by an untagged enum, whose errors name no field.
    let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    if is_list { submit_list(handle, &body).await } else { submit_one(&handle, &body).await }
}

async fn submit_one(handle: &Handle, body: &[u8]) -> Response {
    let request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(e) => {
            return Problem::bad_request(format!("the message cannot be read: {e}"))
                .into_response();
        }
    };
    match hand_in(handle, request).await {
        Ok(answer) => (StatusCode::ACCEPTED, Json(answer)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn submit_list(handle: Handle, body: &[u8]) -> Response {
    let requests: Vec<MessageRequest> = match serde_json::from_slice(body) {
        Ok(requests) => requests,
        Err(e) => {
            return Problem::bad_request(format!("the list cannot be read: {e}")).into_response();
        }
    };
    if requests.len() > MESSAGES_MAX {
        let detail =
            format!("the list has {} messages; send {MESSAGES_MAX} at most", requests.len());
        return Problem::unprocessable(detail).into_response();
    }
    // All at once, so that they share the disk's syncs.
    let mut under_way = Vec::with_capacity(requests.len());
    for request in requests {
        let handle = handle.clone();
        under_way.push(tokio::spawn(async move { hand_in(&handle, request).await }));
    }
    let mut answers = Vec::with_capacity(under_way.len());
    for one in under_way {
        let answer = one.await.map_err(|e| Problem::unavailable(e.to_string())).and_then(|a| a);
        answers.push(answer.unwrap_or_else(|problem| Answer {
            id: None,
            recipients: Vec::new(),
            repeated: false,
            error: Some(problem.detail),
        }));
    }
    (StatusCode::ACCEPTED, Json(answers)).into_response()
}

async fn hand_in(handle: &Handle, request: MessageRequest) -> Result<Answer, Problem> {
    let (addresses, content) = read(&request)?;
    let (recipients, answers) = recipients(&addresses);
    if recipients.is_empty() {
        return Err(Problem::unprocessable(no_recipient(&answers)));
    }
    let envelope = envelope(&request, recipients)?;
    let key = request.idempotency_key.clone();
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 128) {
        return Err(Problem::unprocessable("idempotency_key has 1 to 128 characters"));
    }
    let message = NewMessage { envelope, content, idempotency_key: key };
    let accepted = handle.submit(message).await.map_err(refusal)?;
    Ok(Answer {
        id: Some(accepted.id.to_string()),
        recipients: answers,
        repeated: accepted.repeated,
        error: None,
    })
}

/// Whom it is for, and what is inside.
fn read(request: &MessageRequest) -> Result<(Vec<String>, Content), Problem> {
    let Some(raw) = &request.raw_base64 else {
        let composed = composed(request)?;
        let mut addresses = request.rcpt_to.clone();
        if addresses.is_empty() {
            let shown = request.to.texts().iter().chain(request.cc.texts());
            addresses.extend(shown.chain(request.bcc.texts()).map(|text| address_of(text)));
        }
        return Ok((addresses, Content::Composed(composed)));
    };
    let parts = [&request.from, &request.subject, &request.text, &request.html];
    if parts.iter().any(|part| part.is_some()) {
        let detail = "a message is given whole (raw_base64) or in its parts (from, to, subject, \
                      text, html), not both";
        return Err(Problem::unprocessable(detail));
    }
    let octets = STANDARD
        .decode(raw)
        .map_err(|e| Problem::unprocessable(format!("raw_base64 is not base 64: {e}")))?;
    if request.rcpt_to.is_empty() {
        return Err(Problem::unprocessable("rcpt_to is empty; a raw message needs recipients"));
    }
    Ok((request.rcpt_to.clone(), Content::Raw(octets.into())))
}

fn composed(request: &MessageRequest) -> Result<Composed, Problem> {
    let Some(from) = &request.from else {
        let detail = "neither raw_base64 nor from is given; send a whole message or its parts";
        return Err(Problem::unprocessable(detail));
    };
    if request.text.is_none() && request.html.is_none() {
        return Err(Problem::unprocessable("the message has neither text nor html"));
    }
    Ok(Composed {
        from: from.clone(),
        to: request.to.texts().to_vec(),
        cc: request.cc.texts().to_vec(),
        reply_to: request.reply_to.clone(),
        subject: request.subject.clone().unwrap_or_default(),
        text: request.text.clone(),
        html: request.html.clone(),
        headers: request.headers.clone().into_iter().collect(),
    })
}

fn envelope(request: &MessageRequest, recipients: Vec<Recipient>) -> Result<Envelope, Problem> {
    let from = match (&request.mail_from, &request.from) {
        (Some(path), _) => path.clone(),
        (None, Some(author)) => address_of(author),
        (None, None) => String::new(),
    };
    let wrong = |field: &str, text: &str, e: &dyn std::fmt::Display| {
        Problem::unprocessable(format!("{field} {text:?}: {e}"))
    };
    let reverse_path = ReversePath::parse(&from).map_err(|e| wrong("mail_from", &from, &e))?;
    let stream = match &request.stream {
        None => Stream::default(),
        Some(text) => Stream::parse(text)
            .ok_or_else(|| wrong("stream", text, &"transactional, engaged or cold"))?,
    };
    let label = |field: &str, text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        Label::parse(text).map_err(|e| wrong(field, text, &e))
    };
    Ok(Envelope {
        smtputf8: needs_smtputf8(&reverse_path, &recipients),
        reverse_path,
        recipients,
        body: BodyType::SevenBit,
        ret: None,
        envid: None,
        stream,
        tenant: label("tenant", &request.tenant)?,
        campaign: label("campaign", &request.campaign)?,
    })
}

fn needs_smtputf8(reverse_path: &ReversePath, recipients: &[Recipient]) -> bool {
    reverse_path.mailbox().is_some_and(Mailbox::needs_smtputf8)
        || recipients.iter().any(|recipient| recipient.mailbox.needs_smtputf8())
}

fn recipients(addresses: &[String]) -> (Vec<Recipient>, Vec<RecipientAnswer>) {
    let mut recipients = Vec::with_capacity(addresses.len());
    let mut answers = Vec::with_capacity(addresses.len());
    for address in addresses {
        let (status, reason) = match Mailbox::parse(address) {
            Ok(mailbox) => {
                recipients.push(Recipient::new(mailbox));
                ("queued", None)
            }
            Err(e) => ("refused", Some(e.to_string())),
        };
        answers.push(RecipientAnswer {
            address: address.clone(),
            status: status.to_owned(),
            reason,
        });
    }
    (recipients, answers)
}

fn no_recipient(answers: &[RecipientAnswer]) -> String {
    let Some(first) = answers.first() else {
        return "the message has no recipients; give rcpt_to, or to, cc, bcc".to_owned();
    };
    let reason = first.reason.as_deref().unwrap_or_default();
    format!("no recipient can be written to; the first, {:?}: {reason}", first.address)
}

/// The address in `Name <local@domain>`, or the text itself.
fn address_of(text: &str) -> String {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(text, |(address, _)| address).trim().to_owned()
}

fn refusal(why: NotAccepted) -> Problem {
    let status = match &why {
        NotAccepted::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        NotAccepted::KeyReused => StatusCode::CONFLICT,
        NotAccepted::NotNow(_) | NotAccepted::Unknown(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, why.to_string())
}
