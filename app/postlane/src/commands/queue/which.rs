//! Which waiting mail is meant.

use clap::Args;
use clap::builder::PossibleValuesParser;
use postlane_api::wire::FilterQuery;
use postlane_mail::{Host, Label, QueueId, Span};
use postlane_replies::Providers;
use serde::Serialize;

/// All that agrees with everything given.
#[derive(Args)]
#[command(next_help_heading = "Which mail")]
pub(crate) struct Which {
    /// Queue ids
    #[arg(value_name = "ID", value_parser = queue_id, help_heading = None)]
    ids: Vec<QueueId>,
    /// To this domain
    #[arg(long, value_parser = domain)]
    domain: Option<String>,
    /// At this provider, by id, brand or name; others are as `postlane queue summary` names them
    #[arg(long, value_parser = provider)]
    provider: Option<String>,
    /// Of this stream
    #[arg(long, value_parser = PossibleValuesParser::new(["transactional", "engaged", "cold"]))]
    stream: Option<String>,
    /// Of this tenant
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    /// Of this campaign
    #[arg(long, value_parser = label)]
    campaign: Option<String>,
    /// In this status
    #[arg(long, value_parser = PossibleValuesParser::new(["active", "ready", "deferred", "held"]))]
    status: Option<String>,
    /// Accepted longer ago than this: 90s, 15m, 2h, 1d
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Span>,
    /// Accepted less long ago than this
    #[arg(long, value_name = "AGE", value_parser = age)]
    younger_than: Option<Span>,
}

impl Which {
    pub(super) fn query(&self) -> FilterQuery {
        let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        FilterQuery {
            id: (!ids.is_empty()).then(|| ids.join(",")),
            domain: self.domain.clone(),
            provider: self.provider.clone(),
            stream: self.stream.clone(),
            tenant: self.tenant.clone(),
            campaign: self.campaign.clone(),
            status: self.status.clone(),
            older_than_s: self.older_than.map(Span::as_s),
            younger_than_s: self.younger_than.map(Span::as_s),
            cursor: None,
            limit: None,
        }
    }

    /// Whether nothing is given, so that all mail is meant.
    pub(super) fn is_everything(&self) -> bool {
        self.query() == FilterQuery::default()
    }
}

/// The address of a question with a filter.
pub(in crate::commands) fn address(path: &str, query: &impl Serialize) -> String {
    let value = serde_json::to_value(query).unwrap_or_default();
    let mut address = path.to_owned();
    for (i, (name, value)) in value.as_object().into_iter().flatten().enumerate() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        address.push(if i == 0 { '?' } else { '&' });
        address.push_str(&format!("{name}={}", escaped(&text)));
    }
    address
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
pub(in crate::commands) fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}

pub(super) fn queue_id(text: &str) -> Result<QueueId, String> {
    QueueId::parse(text)
        .map_err(|e| format!("{e}; `postlane queue list` and the log name messages by theirs"))
}

/// The id of a provider that is known by another name; anything else may be somebody's lane.
#[expect(clippy::unnecessary_wraps, reason = "a parser of clap's may fail")]
pub(in crate::commands) fn provider(text: &str) -> Result<String, String> {
    let known = Providers::built_in().resolve(text);
    Ok(known.map_or_else(|| text.to_owned(), |id| id.to_string()))
}

fn domain(text: &str) -> Result<String, String> {
    Host::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}

fn label(text: &str) -> Result<String, String> {
    Label::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}

/// A moment of RFC 3339.
pub(in crate::commands) fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let wanted = "a moment is a date, a time and a zone (RFC 3339): 2026-05-31T08:00:00Z";
    text.parse().map_err(|_| wanted.to_owned())
}

pub(in crate::commands) fn age(text: &str) -> Result<Span, String> {
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*seconds)
    });
    read.map(Span::from_s)
        .ok_or_else(|| "an age is a number with s, m, h or d: 90s, 15m, 2h, 1d".to_owned())
}
