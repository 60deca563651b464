//! The delivery log, as JSON: which entries are meant, and entries.

use std::net::IpAddr;

use compact_str::CompactString;
use postlane_ledger::{Codes, Field, Filter, Kind, Try, Written};
use postlane_mail::{Code, Domain, Instant, QueueId, Span, Stage, Stream};
use postlane_replies::Providers;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, moment, timestamp};

/// Which entries are meant: all that agree with everything given. Where several are given,
/// separated by commas, any of them will do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// A view to begin with, that comes with the program or was saved; what is given beside it counts
    /// in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Not before: a moment, or how long ago (`24h`, `30m`, `7d`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before: a moment, or how long ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What happened: `accepted`, `refused`, `delivered`, `deferred`, `bounced`, `expired`,
    /// `bounced-by-operator`, `deleted`, `held`, `released`, `reported`, `returned`, `complaint`,
    /// `connect-failed`, `session-lost`, `lane`, `suppressed`, `unsuppressed`, `incident.opened`,
    /// `incident.updated`, `incident.closed`, `blocklist.listed`, `blocklist.delisted`,
    /// `record.changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `fresh` for first attempts, `retry` for later ones.
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub tries: Option<String>,
    /// Providers: an id, a brand, or a domain of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Reply codes: `421`, `4xx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the reply means: `rate_limited`, `no_such_user` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Names of sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Addresses that we sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// `transactional`, `engaged` or `cold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Of which mailing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Recipients' domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Recipients' addresses, exactly as they were handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Queue ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `Message-ID`s, with or without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// MX hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx: Option<String>,
    /// Words somewhere in the reply, the addresses, the `Message-ID`, the host, the rule or the
    /// particulars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where the listing goes on: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Entries, values or rows at most; each address says how many when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// For facets: the fields to count by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// For an export: `jsonl` (if left out), `csv` or `parquet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// For following and exports: only what was written after the entry of this `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Something that happened. A key without a value is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LogEntry {
    /// Its place in the order of writing.
    pub seq: u64,
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub kind: String,
    /// The message's queue id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The recipient's number in the envelope, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The incident's number, where it tells of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<u32>,
    /// The message's `Message-ID`, angle brackets included.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message_id: String,
    /// The stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Whose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Of which mailing.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub campaign: String,
    /// The reverse-path; `<>` for the null one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sender: String,
    /// The recipient's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// Its domain.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The provider's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The source's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The address that we sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// The name given in EHLO.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ehlo: String,
    /// The host that was spoken to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mx_host: String,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_ip: Option<String>,
    /// The version of TLS; left out for plain text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tls: String,
    /// Which attempt for this recipient, 1 the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What the reply answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The reply's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The enhanced status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What was said, verbatim, lines joined by a line feed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reply: String,
    /// What it means.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The rule that said so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// How long the transaction took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u32>,
    /// How long after the message had been accepted, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How long connecting took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
    /// The message's octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
    /// What became of a lane or an incident, or was ordered of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Who decided, ordered, handed in or reported.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// Particulars, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Part of the log, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Give this as `cursor` for what is older; `null` at the end.
    pub next: Option<String>,
    /// Where the search was broken off before the page was full, with everything from this moment
    /// on looked through; `next` goes on behind it.
    pub searched_until: Option<Timestamp>,
}

impl From<Written> for LogEntry {
    fn from(Written { seq, entry }: Written) -> Self {
        let (number, incident) = match entry.kind.is_incident() {
            true => (None, entry.recipient_index),
            false => (entry.recipient_index, None),
        };
        Self {
            seq: seq.0,
            at: Some(timestamp(entry.at)),
            kind: entry.kind.as_str().to_owned(),
            id: entry.id.map(|id| id.to_string()),
            number,
            incident,
            message_id: entry.message_id.into(),
            stream: entry.stream.map(|stream| stream.as_str().to_owned()),
            tenant: entry.tenant.into(),
            campaign: entry.campaign.into(),
            sender: entry.sender.into(),
            recipient: entry.recipient.into(),
            domain: entry.domain.into(),
            provider: entry.provider.into(),
            source: entry.source.into(),
            source_ip: entry.source_ip.map(|ip| ip.to_string()),
            ehlo: entry.ehlo.into(),
            mx_host: entry.mx_host.into(),
            mx_ip: entry.mx_ip.map(|ip| ip.to_string()),
            tls: entry.tls.into(),
            attempt: entry.attempt,
            stage: entry.stage.map(|stage: Stage| stage.as_str().to_owned()),
            code: entry.code.map(Code::number),
            status: entry.status.map(|status| status.to_string()),
            reply: entry.reply.into(),
            label: entry.label.into(),
            rule: entry.rule.into(),
            took_ms: entry.took_ms,
            delay_ms: entry.delay_ms,
            connect_ms: entry.connect_ms,
            octets: entry.octets,
            command: entry.command.into(),
            who: entry.who.into(),
            detail: entry.detail.into(),
        }
    }
}

impl LogQuery {
    /// The filter, or what is wrong with it. `now` is what "how long ago" counts from.
    pub fn filter(&self, now: Instant) -> Result<Filter, String> {
        Ok(Filter {
            from: when(self.since.as_deref(), "since", now)?,
            to: when(self.until.as_deref(), "until", now)?,
            kinds: list(&self.kind, "kind", |text| {
                Kind::parse(text).ok_or_else(|| one_of(Kind::ALL.map(Kind::as_str)))
            })?,
            tries: list(&self.tries, "try", |text| {
                Try::parse(text).ok_or_else(|| one_of(Try::ALL.map(Try::as_str)))
            })?
            .pop(),
            providers: self.providers(),
            codes: list(&self.code, "code", |text| {
                Codes::parse(text).ok_or_else(|| "write it as 421, or 4xx for all".to_owned())
            })?,
            labels: texts(&self.label, str::to_owned),
            sources: texts(&self.source, str::to_owned),
            source_ips: list(&self.ip, "ip", |text| {
                text.parse::<IpAddr>().map_err(|_| "it is no address".to_owned())
            })?,
            streams: list(&self.stream, "stream", |text| {
                Stream::parse(text).ok_or_else(|| one_of(["transactional", "engaged", "cold"]))
            })?,
            tenants: texts(&self.tenant, str::to_owned),
            campaigns: texts(&self.campaign, str::to_owned),
            domains: texts(&self.domain, |text| {
                let known = Domain::parse(text).map(|domain| domain.as_str().to_owned());
                known.unwrap_or_else(|_| text.to_owned())
            }),
            recipients: texts(&self.recipient, str::to_owned),
            ids: list(&self.id, "id", |text| QueueId::parse(text).map_err(|e| e.to_string()))?,
            message_ids: texts(&self.message_id, bracketed),
            mx_hosts: texts(&self.mx, str::to_ascii_lowercase),
            text: self.text.as_deref().filter(|text| !text.is_empty()).map(Into::into),
        })
    }

    /// A provider by whatever name; also as it was written, for most domains are their own.
    fn providers(&self) -> Vec<CompactString> {
        let written = split(&self.provider);
        let known = written.clone().next().map(|_| Providers::built_in());
        let ids = written
            .clone()
            .filter_map(|text| known.as_ref()?.resolve(text).map(|id| id.as_str().into()));
        let mut all: Vec<CompactString> = ids.chain(written.map(Into::into)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The fields to count by; the usual ones when none are given.
    pub fn counted(&self) -> Result<Vec<Field>, String> {
        if self.fields.is_none() {
            return Ok(Field::ALL.to_vec());
        }
        list(&self.fields, "fields", |text| {
            Field::parse(text).ok_or_else(|| one_of(Field::ALL.map(Field::as_str)))
        })
    }

    /// What is given here, and what `other` has where nothing is given here.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            view: self.view,
            since: self.since.or(other.since),
            until: self.until.or(other.until),
            kind: self.kind.or(other.kind),
            tries: self.tries.or(other.tries),
            provider: self.provider.or(other.provider),
            code: self.code.or(other.code),
            label: self.label.or(other.label),
            source: self.source.or(other.source),
            ip: self.ip.or(other.ip),
            stream: self.stream.or(other.stream),
            tenant: self.tenant.or(other.tenant),
            campaign: self.campaign.or(other.campaign),
            domain: self.domain.or(other.domain),
            recipient: self.recipient.or(other.recipient),
            id: self.id.or(other.id),
            message_id: self.message_id.or(other.message_id),
            mx: self.mx.or(other.mx),
            text: self.text.or(other.text),
            cursor: self.cursor.or(other.cursor),
            limit: self.limit.or(other.limit),
            fields: self.fields.or(other.fields),
            format: self.format.or(other.format),
            after: self.after.or(other.after),
        }
    }
}

/// A `Message-ID` as the log has it.
pub fn bracketed(text: &str) -> String {
    format!("<{}>", text.trim().trim_start_matches('<').trim_end_matches('>'))
}

/// A moment, or how long ago.
fn when(text: Option<&str>, name: &str, now: Instant) -> Result<Option<Instant>, String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if let Some(ago) = span(text) {
        return Ok(Some(Instant(now.0.saturating_sub(ago.0))));
    }
    let read = moment(&Timestamp(text.to_owned()));
    read.map(Some).map_err(|_| {
        format!(
            "{name} {text:?} is neither a moment nor how long ago: write 2026-11-21T05:39:05Z, or \
             24h, 30m, 7d"
        )
    })
}

/// `24h`, `1h30m`, `7d`, `2w`.
fn span(text: &str) -> Option<Span> {
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let behind = rest.get(digits..)?;
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let seconds = match behind.get(..end)?.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = behind.get(end..)?;
    }
    total.checked_mul(1_000_000).map(Span).filter(|_| !text.is_empty())
}

fn split(text: &Option<String>) -> impl Iterator<Item = &str> + Clone {
    text.iter().flat_map(|all| all.split(',')).map(str::trim).filter(|one| !one.is_empty())
}

fn texts(text: &Option<String>, as_kept: impl Fn(&str) -> String) -> Vec<CompactString> {
    split(text).map(|one| as_kept(one).into()).collect()
}

fn list<T>(
    text: &Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    split(text).map(|one| parse(one).map_err(|e| format!("{name} {one:?}: {e}"))).collect()
}

fn one_of<const N: usize>(known: [&str; N]) -> String {
    format!("it is not known: use {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    #[test]
    fn a_time_is_a_moment_or_how_long_ago() {
        let since = |text: &str| {
            let query = LogQuery { since: Some(text.to_owned()), ..LogQuery::default() };
            query.filter(NOW).map(|filter| filter.from)
        };
        let ago = |s: u64| Ok(Some(Instant::from_unix_s(1_795_239_545 - s)));
        assert_eq!(since("24h"), ago(86_400));
        assert_eq!(since("1h30m"), ago(5_400));
        assert_eq!(since("2026-11-21T05:39:04Z"), ago(1));
        for wrong in ["24", "h", "soon", "99999999999999999999d", "-1h"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_provider_is_found_by_its_brands_and_by_its_own_name() {
        let query =
            LogQuery { provider: Some("gmx, example.net".to_owned()), ..LogQuery::default() };
        let filter = query.filter(NOW).unwrap();
        assert_eq!(filter.providers, ["example.net", "gmx", "united-internet"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let wrong = LogQuery { kind: Some("sent".to_owned()), ..LogQuery::default() };
        let says = wrong.filter(NOW).unwrap_err();
        assert!(says.starts_with("kind \"sent\": it is not known: use accepted, "), "{says}");
    }

    #[test]
    fn what_is_given_beside_a_view_counts_in_its_place() {
        let view = LogQuery {
            since: Some("24h".to_owned()),
            code: Some("421".to_owned()),
            ..LogQuery::default()
        };
        let mine = LogQuery { since: Some("7d".to_owned()), ..LogQuery::default() };
        let both = mine.or(&view);
        assert_eq!((both.since.as_deref(), both.code.as_deref()), (Some("7d"), Some("421")));
    }
}
