//! Handing in mail.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_mail::{BodyType, Envelope, Label, Mailbox, Recipient, ReversePath, Stream};
use postlane_server::handle::{Composed, Content, Handle, NewMessage, NotAccepted};

use crate::access::Asker;
use crate::body::{JsonBody, read_value};
use crate::problem::{Pointed, Problem};
use crate::wire::{Answer, MessageRequest, Messages, RecipientAnswer};

/// Messages in one request, at most. Chosen, not measured.
const MESSAGES_MAX: usize = 1000;

/// Parts of a request that one answer points to. Chosen, not measured.
const POINTED_MAX: usize = 100;

/// Hands in one message, or a list of them.
///
/// The answer comes when everything that is said to be queued is safe on disk. In a list each
/// message is taken or refused for itself.
#[utoipa::path(
    post, path = "/v1/messages", tag = "messages", request_body = Messages,
    responses(
        (status = 202, description = "Queued; a list is answered by a list", body = Answer),
        (status = 400, description = "Not JSON", body = Problem),
        (status = 409, description = "This idempotency key was used for a different message", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 415, description = "Not said to be JSON", body = Problem),
        (status = 422, description = "Cannot be sent; `errors` points to the parts that are to blame", body = Problem),
        (status = 503, description = "Not now: try again", body = Problem),
    )
)]
pub(crate) async fn submit(State(handle): State<Handle>, asker: Asker, body: JsonBody) -> Response {
    // Told apart here and not by an untagged enum, whose errors name no field.
    let is_list = body.0.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    match is_list {
        true => submit_list(handle, asker, &body).await,
        false => submit_one(&handle, &asker, &body).await,
    }
}

async fn submit_one(handle: &Handle, asker: &Asker, body: &JsonBody) -> Response {
    let answer = match body.read() {
        Ok(request) => hand_in(handle, asker, request).await,
        Err(problem) => Err(problem),
    };
    match answer {
        Ok(answer) => (StatusCode::ACCEPTED, Json(answer)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn submit_list(handle: Handle, asker: Asker, body: &JsonBody) -> Response {
    let requests: Vec<serde_json::Value> = match body.read() {
        Ok(requests) => requests,
        Err(problem) => return problem.into_response(),
    };
    if requests.len() > MESSAGES_MAX {
        let detail =
            format!("the list has {} messages; send {MESSAGES_MAX} at most", requests.len());
        return Problem::unprocessable(detail).into_response();
    }
    // All at once, so that they share the disk's syncs.
    let mut under_way = Vec::with_capacity(requests.len());
    for request in requests {
        let (handle, asker) = (handle.clone(), asker.clone());
        let one = async move { hand_in(&handle, &asker, read_value(request)?).await };
        under_way.push(tokio::spawn(one));
    }
    let mut answers = Vec::with_capacity(under_way.len());
    for one in under_way {
        let answer = one.await.map_err(|e| Problem::unavailable(e.to_string())).and_then(|a| a);
        answers.push(answer.unwrap_or_else(|problem| Answer {
            id: None,
            recipients: Vec::new(),
            repeated: false,
            error: Some(problem),
        }));
    }
    (StatusCode::ACCEPTED, Json(answers)).into_response()
}

async fn hand_in(
    handle: &Handle,
    asker: &Asker,
    request: MessageRequest,
) -> Result<Answer, Problem> {
    let (addressed, content) = read(&request)?;
    let (recipients, mut answers) = recipients(&addressed);
    if recipients.is_empty() {
        return Err(no_recipient(&addressed, &answers));
    }
    let mut envelope = envelope(&request, recipients)?;
    let said = Some(envelope.tenant).filter(|tenant| !tenant.is_none());
    // What a message's own header says counts only where this says nothing.
    envelope.tenant = asker.narrow(said)?.unwrap_or_default();
    let key = request.idempotency_key.clone();
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 128) {
        let detail = "idempotency_key has 1 to 128 characters";
        return Err(Problem::unprocessable(detail).at("/idempotency_key"));
    }
    let message = NewMessage { envelope, content, idempotency_key: key };
    let raw = request.raw_base64.is_some();
    let accepted = match handle.submit(message).await {
        Err(NotAccepted::Suppressed(suppressed)) => {
            refuse(&mut answers, &suppressed);
            return Err(no_recipient(&addressed, &answers));
        }
        accepted => accepted.map_err(|why| refusal(&why, raw))?,
    };
    refuse(&mut answers, &accepted.suppressed);
    Ok(Answer {
        id: Some(accepted.id.to_string()),
        recipients: answers,
        repeated: accepted.repeated,
        error: None,
    })
}

/// An address of the envelope, and where in the request it stands.
struct Addressed {
    address: String,
    pointer: String,
}

fn addressed(field: &str, texts: &[String]) -> Vec<Addressed> {
    let each = texts.iter().enumerate();
    let one = |(i, text): (usize, &String)| Addressed {
        address: address_of(text),
        pointer: format!("/{field}/{i}"),
    };
    each.map(one).collect()
}

/// Whom it is for, and what is inside.
fn read(request: &MessageRequest) -> Result<(Vec<Addressed>, Content), Problem> {
    let mut to = addressed("rcpt_to", &request.rcpt_to);
    let Some(raw) = &request.raw_base64 else {
        let composed = composed(request)?;
        if to.is_empty() {
            to.extend(addressed("to", request.to.texts()));
            to.extend(addressed("cc", request.cc.texts()));
            to.extend(addressed("bcc", request.bcc.texts()));
        }
        return Ok((to, Content::Composed(composed)));
    };
    if let Some(part) = part_beside_raw(request) {
        let detail = "a message is given whole (raw_base64) or in its parts (from, to, cc, bcc, \
                      reply_to, subject, text, html, headers), not both";
        return Err(Problem::unprocessable(detail).at(format!("/{part}")));
    }
    let octets = STANDARD.decode(raw).map_err(|e| {
        Problem::unprocessable(format!("raw_base64 is not base 64: {e}")).at("/raw_base64")
    })?;
    if to.is_empty() {
        let detail = "rcpt_to is empty; a raw message needs recipients";
        return Err(Problem::unprocessable(detail).at("/rcpt_to"));
    }
    Ok((to, Content::Raw(octets.into())))
}

/// A part that is given although the message is given whole.
fn part_beside_raw(request: &MessageRequest) -> Option<&'static str> {
    let given = [
        ("from", request.from.is_some()),
        ("to", !request.to.texts().is_empty()),
        ("cc", !request.cc.texts().is_empty()),
        ("bcc", !request.bcc.texts().is_empty()),
        ("reply_to", request.reply_to.is_some()),
        ("subject", request.subject.is_some()),
        ("text", request.text.is_some()),
        ("html", request.html.is_some()),
        ("headers", !request.headers.is_empty()),
    ];
    given.into_iter().find(|(_, is_given)| *is_given).map(|(part, _)| part)
}

fn composed(request: &MessageRequest) -> Result<Composed, Problem> {
    let path = request.mail_from.as_ref().filter(|path| !path.trim().is_empty());
    let Some(from) = request.from.as_ref().or(path) else {
        let detail = "the message has no author; give from, or a whole message as raw_base64";
        return Err(Problem::unprocessable(detail).at("/from"));
    };
    if request.text.is_none() && request.html.is_none() {
        let detail = "the message has neither text nor html; give one or both";
        return Err(Problem::unprocessable(detail).at("/text"));
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
        Problem::unprocessable(format!("{field} {text:?}: {e}")).at(format!("/{field}"))
    };
    // Where it was left out, the author is to blame.
    let field = if request.mail_from.is_some() { "mail_from" } else { "from" };
    let reverse_path = ReversePath::parse(&from).map_err(|e| wrong(field, &from, &e))?;
    let stream = match &request.stream {
        None => Stream::default(),
        Some(text) => Stream::parse(text)
            .ok_or_else(|| unknown("stream", text, "transactional, engaged or cold"))?,
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
        engaged: None,
    })
}

fn unknown(field: &str, text: &str, known: &str) -> Problem {
    let detail = format!("{field} {text:?} is not known: use {known}");
    Problem::unprocessable(detail).at(format!("/{field}"))
}

fn needs_smtputf8(reverse_path: &ReversePath, recipients: &[Recipient]) -> bool {
    reverse_path.mailbox().is_some_and(Mailbox::needs_smtputf8)
        || recipients.iter().any(|recipient| recipient.mailbox.needs_smtputf8())
}

fn recipients(addressed: &[Addressed]) -> (Vec<Recipient>, Vec<RecipientAnswer>) {
    let mut recipients: Vec<Recipient> = Vec::with_capacity(addressed.len());
    let mut known = BTreeSet::new();
    let mut answers = Vec::with_capacity(addressed.len());
    for Addressed { address, .. } in addressed {
        let (status, reason) = match Mailbox::parse(address) {
            Ok(mailbox) => {
                // Who stands in `to` and in `cc` gets it once.
                if known.insert(mailbox.as_str().to_owned()) {
                    recipients.push(Recipient::new(mailbox));
                }
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

/// Those that the suppression list keeps their mail from are refused, in the words that a client
/// hears at RCPT.
fn refuse(answers: &mut [RecipientAnswer], suppressed: &[(Box<str>, String)]) {
    for answer in answers {
        let said = suppressed.iter().find(|(address, _)| **address == *answer.address);
        if let Some((_, reason)) = said {
            "refused".clone_into(&mut answer.status);
            answer.reason = Some(reason.clone());
        }
    }
}

fn no_recipient(addressed: &[Addressed], answers: &[RecipientAnswer]) -> Problem {
    if addressed.is_empty() {
        let detail = "the message has no recipients; give rcpt_to, or to, cc, bcc";
        return Problem::unprocessable(detail).at("/rcpt_to");
    }
    let wrong = addressed.iter().zip(answers).map(|(addressed, answer)| {
        let reason = answer.reason.as_deref().unwrap_or_default();
        let detail = format!("{:?}: {reason}", addressed.address);
        Pointed { pointer: addressed.pointer.clone(), detail }
    });
    Problem::unprocessable("no recipient can be written to").at_all(wrong.take(POINTED_MAX))
}

/// The address in `Name <local@domain>`, or the text itself.
fn address_of(text: &str) -> String {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(text, |(address, _)| address).trim().to_owned()
}

fn refusal(why: &NotAccepted, raw: bool) -> Problem {
    let status = match why {
        NotAccepted::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        NotAccepted::KeyReused => StatusCode::CONFLICT,
        NotAccepted::NotNow(_) | NotAccepted::Unknown(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let problem = Problem::new(status, why.to_string());
    match why {
        NotAccepted::Invalid { field: Some(field), .. } => problem.at(format!("/{field}")),
        NotAccepted::Invalid { field: None, .. } if raw => problem.at("/raw_base64"),
        NotAccepted::KeyReused => problem.at("/idempotency_key"),
        _ => problem,
    }
}
