//! Looks at a message, a domain, or an address, as a receiver would.

use std::net::IpAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use postlane_checks::address::{Sender, address_checks, check_address};
use postlane_checks::message::Message;
use postlane_checks::spf::{Envelope, check_host};
use postlane_checks::{
    Arrived, Client, KeysSeen, Known, Name, Report, SendingDomain, Session, check_domain,
    check_message, domain_checks, message_checks,
};
use postlane_inspection::{
    AsSent, COMMON_SELECTORS, address_as_json, domain_as_json, message_as_json, spf_as_json,
};
use postlane_mail::{Domain, Instant};
use postlane_server::NotInspected;
use postlane_server::handle::Handle;
use postlane_tester::breakages;
use serde_json::Value;

use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{CheckAddressQuery, CheckDomainQuery, CheckMessageQuery, CheckSpfQuery};

/// Selectors or addresses in a question, at most. Chosen, not measured: more than anybody has.
const NAMED_MAX: usize = 32;

/// Looks at a message as a receiver would: form, SPF, DKIM, DMARC, ARC, and what mail to many
/// needs. The answer is that of `postlane check message --json`.
///
/// The body is the message itself, `Content-Type: message/rfc822`.
#[utoipa::path(
    post, path = "/v1/checks/message", tag = "checks", params(CheckMessageQuery),
    request_body(content = String, content_type = "message/rfc822"),
    responses((status = 200, body = Value), (status = 415, body = Problem),
              (status = 503, body = Problem))
)]
pub(crate) async fn message(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<CheckMessageQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    is_a_message(&headers)?;
    let octets = AsSent::of(body.to_vec()).octets;
    let now = handle.now();
    let look = move |known: &mut Known| {
        let arrived = arrived(&octets, &query, now);
        let (authentication, findings) = check_message(known, &arrived)?;
        let report = Report::new(message_checks(), findings);
        let mut told = message_as_json(&arrived, &authentication, &report);
        let broken = breakages(known, (&octets, now), &authentication.dkim);
        told["breakages"] = serde_json::to_value(broken).unwrap_or_default();
        Some(told)
    };
    told(&handle, look).await
}

/// Looks at what a domain publishes. The answer is that of `postlane check domain --json`.
#[utoipa::path(
    get, path = "/v1/checks/domain/{name}", tag = "checks",
    params(("name" = String, Path, description = "The domain of From"), CheckDomainQuery),
    responses((status = 200, body = Value), (status = 400, body = Problem),
              (status = 503, body = Problem))
)]
pub(crate) async fn domain(
    State(handle): State<Handle>,
    Path(name): Path<String>,
    UrlQuery(query): UrlQuery<CheckDomainQuery>,
) -> Result<Json<Value>, Problem> {
    let asked = asked(&name, &query, handle.now())?;
    let look = move |known: &mut Known| {
        let found = check_domain(known, &asked)?;
        let report = Report::new(domain_checks(), found.findings.clone());
        Some(domain_as_json(&asked, &found, &report))
    };
    told(&handle, look).await
}

/// Looks at an address that sends: its name, and the block lists. The answer is that of `postlane
/// check ip --json`.
#[utoipa::path(
    get, path = "/v1/checks/ip/{address}", tag = "checks",
    params(("address" = String, Path, description = "Of IPv4 or IPv6"), CheckAddressQuery),
    responses((status = 200, body = Value), (status = 400, body = Problem),
              (status = 503, body = Problem))
)]
pub(crate) async fn address(
    State(handle): State<Handle>,
    Path(address): Path<String>,
    UrlQuery(query): UrlQuery<CheckAddressQuery>,
) -> Result<Json<Value>, Problem> {
    let address = ip(&address)?;
    let sends_for = query.sends_for.as_deref().map(domain_name).transpose()?;
    let look = move |known: &mut Known| {
        let (helo, sends_for) = (query.helo.as_deref(), sends_for.as_ref());
        let sender = Sender { address, helo, sends_for, may_call: query.probe };
        let report = Report::new(address_checks(), check_address(known, sender)?);
        Some(address_as_json(sender, &report))
    };
    told(&handle, look).await
}

/// Says whether a domain lets an address send, term by term. The answer is that of `postlane check
/// spf --json`.
#[utoipa::path(
    get, path = "/v1/checks/spf", tag = "checks", params(CheckSpfQuery),
    responses((status = 200, body = Value), (status = 400, body = Problem),
              (status = 503, body = Problem))
)]
pub(crate) async fn spf(
    State(handle): State<Handle>,
    UrlQuery(query): UrlQuery<CheckSpfQuery>,
) -> Result<Json<Value>, Problem> {
    let now = handle.now();
    let look = move |known: &mut Known| {
        let envelope = Envelope {
            address: query.ip,
            helo: helo(query.helo.as_deref()),
            mail_from: reverse_path(query.mail_from.as_deref()),
            receiver: "unknown",
            now,
        };
        check_host(known, &envelope).map(|explained| spf_as_json(&explained))
    };
    told(&handle, look).await
}

/// What a look has found, with the relay's own resolver.
async fn told(
    handle: &Handle,
    look: impl FnMut(&mut Known) -> Option<Value> + Send + 'static,
) -> Result<Json<Value>, Problem> {
    let looked = handle.inspector().look(Known::new(), look).await;
    let (found, _) = looked.map_err(|why: NotInspected| Problem::unavailable(why.to_string()))?;
    Ok(Json(found))
}

fn is_a_message(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("message/rfc822")) {
        return Ok(());
    }
    let detail = "the body is not said to be a message; send the message itself, with \
                  `Content-Type: message/rfc822`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

fn arrived<'a>(octets: &'a [u8], query: &'a CheckMessageQuery, now: Instant) -> Arrived<'a> {
    let client = query.ip.map(|address| Client {
        address,
        helo: helo(query.helo.as_deref()),
        mail_from: reverse_path(query.mail_from.as_deref()),
    });
    Arrived {
        message: Message::new(octets),
        now,
        is_utf8: query.smtputf8,
        client,
        session: Session::Unseen,
        is_transactional: query.transactional,
        may_fetch: false,
    }
}

fn helo(given: Option<&str>) -> &str {
    given.unwrap_or("unknown")
}

/// Without brackets.
fn reverse_path(given: Option<&str>) -> &str {
    given.unwrap_or_default().trim_start_matches('<').trim_end_matches('>')
}

fn asked(name: &str, query: &CheckDomainQuery, now: Instant) -> Result<SendingDomain, Problem> {
    let name = domain_name(name)?;
    let return_path = query.return_path.as_deref().map_or_else(|| Ok(name.clone()), domain_name)?;
    let selectors = listed(query.selectors.as_deref(), "selectors")?;
    let is_guessed = selectors.is_empty();
    let selectors = if is_guessed { COMMON_SELECTORS.to_vec() } else { selectors };
    let addresses = listed(query.ips.as_deref(), "ips")?;
    let unsubscribe = listed(query.unsubscribe.as_deref(), "unsubscribe")?;
    let wrong = |why| Problem::bad_request(format!("spf_source is no name: {why}"));
    let spf_source = query.spf_source.as_deref().map(Name::parse).transpose().map_err(wrong)?;
    Ok(SendingDomain {
        name,
        return_path,
        selectors: selectors.into_iter().map(Into::into).collect(),
        selectors_are_guessed: is_guessed,
        addresses: addresses.into_iter().map(ip).collect::<Result<_, _>>()?,
        now,
        registered: None,
        may_call: query.probe,
        unsubscribe: unsubscribe.into_iter().map(Into::into).collect(),
        spf_source,
        keys_seen: KeysSeen::default(),
    })
}

/// What stands between commas.
fn listed<'a>(text: Option<&'a str>, what: &str) -> Result<Vec<&'a str>, Problem> {
    let each = text.unwrap_or_default().split(',').map(str::trim);
    let each: Vec<&str> = each.filter(|each| !each.is_empty()).take(NAMED_MAX + 1).collect();
    if each.len() > NAMED_MAX {
        return Err(Problem::bad_request(format!(
            "{what} has more than {NAMED_MAX}: leave some out"
        )));
    }
    Ok(each)
}

fn ip(text: &str) -> Result<IpAddr, Problem> {
    let wrong = || Problem::bad_request("that is no IP address; write 192.0.2.1 or 2001:db8::1");
    text.parse().map_err(|_| wrong())
}

fn domain_name(text: &str) -> Result<Name, Problem> {
    let name = Domain::parse(text).map(|domain| Name::from(&domain));
    name.map_err(|why| Problem::bad_request(format!("that is no domain: {why}")))
}
