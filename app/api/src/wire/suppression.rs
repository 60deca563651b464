//! The suppression list, as JSON: what is listed is what can be put there again.

use postlane_mail::{Code, Host, Instant, Label as Tenant, QueueId, Span, Stage};
use postlane_server::handle::SuppressionFilter;
use postlane_suppression::{Bounded, Counts, Effect, Entry, Reason, Said, Standing, Subject, Whom};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, moment, timestamp};

/// An entry of the suppression list. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuppressionRow {
    /// The address as it was written, or a whole domain.
    pub address: String,
    /// `recipient` or `domain`.
    pub kind: String,
    /// In whose mail; empty for everybody's.
    pub tenant: String,
    /// `no_such_user`, `mailbox_disabled`, `mailbox_moved`, `not_accepting_mail`, `domain_not_found`,
    /// `manual`, `import`, `complaint` or `unsubscribe`.
    pub reason: String,
    /// What becomes of mail: it is `refused`, or it `waits` until the entry ends.
    pub effect: String,
    /// Whether it stops mail now; not while more refusals are needed (`suppression.refusals`).
    pub holds: bool,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `null` for ever.
    pub until: Option<Timestamp>,
    /// Who made the entry: `relay`, `import`, or an operator's name.
    pub by: String,
    /// In the words of whoever made it.
    pub note: String,
    /// What a host said, if that was the reason.
    pub reply: Option<SuppressionReply>,
    /// The rule that understood the reply.
    pub rule: String,
    /// The provider's id.
    pub provider: String,
    /// The queue id of the message that was refused.
    pub message: Option<String>,
    /// Refusals of different messages that have led to it.
    pub refusals: u8,
}

/// What a host said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionReply {
    /// The reply code, 200 to 599.
    pub code: u16,
    /// What it answered: `rcpt`, `dot`…
    pub stage: String,
    /// All lines, joined by a line feed; 512 octets at most.
    pub text: String,
    /// Who said it.
    #[serde(default)]
    pub host: String,
}

/// Part of a listing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct SuppressionPage {
    /// The entries that are not over, domain by domain.
    pub entries: Vec<SuppressionRow>,
    /// Give this as `cursor` for what comes next; `null` at the end.
    pub next: Option<String>,
}

/// An entry to be made: an address and why, or a row as it was listed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewSuppression {
    /// `jo@example.net`, or `example.net` for a whole domain.
    pub address: String,
    /// As it was listed; the address says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// In whose mail; everybody's when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Why: `manual` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// As it was listed; the reason and the kind say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// As it was listed: false does not stop mail yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// Since when; now when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when; for ever when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// So many seconds from now on, instead of `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_s: Option<u64>,
    /// Who makes it; `api` when it is left out. 64 octets are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In their own words. 256 octets are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What a host said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<SuppressionReply>,
    /// The rule that understood it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The queue id of the message that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Refusals that have led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusals: Option<u8>,
}

/// One entry, or many at once.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum NewSuppressions {
    /// Many; each is taken or refused for itself.
    Many(Vec<NewSuppression>),
    /// One.
    One(Box<NewSuppression>),
}

/// What became of new entries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Suppressed {
    /// Entries that were not there before.
    pub added: u64,
    /// Entries that took the place of one that was there.
    pub replaced: u64,
    /// Entries of a list that were not taken.
    pub refused: Vec<NotSuppressed>,
}

/// An entry of a list that was not taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NotSuppressed {
    /// Its place in the list, from 0.
    pub index: usize,
    /// The part that is to blame.
    pub field: String,
    /// What is wrong with it, and how to cure it.
    pub detail: String,
}

/// What was taken off the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Unsuppressed {
    /// The entries as they were.
    pub entries: Vec<SuppressionRow>,
}

/// How many were taken off the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct AllUnsuppressed {
    /// Entries.
    pub removed: u64,
}

/// Which entries are meant: those that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SuppressionQuery {
    /// Of this domain: its mailboxes and itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// In this tenant's mail; empty for everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// For this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `recipient` or `domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// That this provider's host has said, by its id. Pages may have fewer entries then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Made less long ago than so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub younger_than_s: Option<u64>,
    /// Who does it, where entries are taken off the list; `api` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Where the listing goes on: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Entries on a page, 1 to 10000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Whose entry is taken off the list, and by whom.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct UnsuppressQuery {
    /// In this tenant's mail alone, empty for the entry that is everybody's; all of them when it is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who does it; `api` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A part of an entry that is to blame, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub field: &'static str,
    /// What is wrong, and how to cure it.
    pub says: String,
}

impl SuppressionRow {
    /// An entry as it stands now.
    pub fn of(entry: &Entry, now: Instant) -> Self {
        let Entry { subject, standing, .. } = entry;
        let said = |said: &Said| SuppressionReply {
            code: said.code.number(),
            stage: said.stage.as_str().to_owned(),
            text: said.text.as_str().to_owned(),
            host: said.host.as_str().to_owned(),
        };
        Self {
            address: entry.written.as_str().to_owned(),
            kind: subject.whom().name().to_owned(),
            tenant: subject.tenant().to_owned(),
            reason: standing.reason.name().to_owned(),
            effect: match standing.effect(subject.whom()) {
                Effect::Refused => "refused".to_owned(),
                Effect::Waits => "waits".to_owned(),
            },
            holds: standing.holds(now),
            since: timestamp(standing.since()),
            until: standing.until().map(timestamp),
            by: entry.by.as_str().to_owned(),
            note: entry.note.as_str().to_owned(),
            reply: entry.said.as_ref().map(said),
            rule: entry.rule.as_str().to_owned(),
            provider: entry.provider.as_str().to_owned(),
            message: entry.message.map(|id| id.to_string()),
            refusals: standing.refusals,
        }
    }
}

impl NewSuppression {
    /// The entry, or what is wrong with it.
    pub fn entry(&self, now: Instant) -> Result<Entry, Wrong> {
        let subject = self.subject()?;
        let standing = self.standing(now)?;
        if standing.is_over(now) {
            return Err(wrong("until", "it is over already; give a later moment, or none"));
        }
        let mut entry = Entry::new(subject, standing, self.by.as_deref().unwrap_or("api"));
        if entry.subject.whom() == Whom::Recipient {
            entry.written = Bounded::new(self.address.trim());
        }
        entry.note = bounded(&self.note);
        entry.rule = bounded(&self.rule);
        entry.provider = bounded(&self.provider);
        entry.said = self.reply.as_ref().map(SuppressionReply::said).transpose()?;
        entry.message =
            read(&self.message, "message", |text| QueueId::parse(text).map_err(|e| e.to_string()))?;
        Ok(entry)
    }

    fn subject(&self) -> Result<Subject, Wrong> {
        let tenant = tenant(&self.tenant)?.unwrap_or(Tenant::NONE);
        let subject = Subject::parse(&self.address, &tenant);
        subject.map_err(|e| wrong("address", format!("{:?}: {e}", self.address)))
    }

    fn standing(&self, now: Instant) -> Result<Standing, Wrong> {
        let reason = reason(&self.reason)?.unwrap_or(Reason::Manual);
        let at = |given: &Option<Timestamp>, field| {
            let read = |given: &Timestamp| {
                moment(given).map_err(|e| wrong(field, format!("{:?}: {e}", given.0)))
            };
            given.as_ref().map(read).transpose()
        };
        let since = at(&self.since, "since")?.unwrap_or(now);
        let until = match (at(&self.until, "until")?, self.lasts_s) {
            (Some(_), Some(_)) => {
                return Err(wrong("lasts_s", "until is given as well; leave out one of them"));
            }
            (until, lasts) => until.or_else(|| Some(now + Span::from_s(lasts?))),
        };
        let mut standing = Standing::new(reason, since, until);
        standing.refusals = self.refusals.unwrap_or(0);
        if self.holds == Some(false) {
            standing.counts = Counts::NotYet;
        }
        Ok(standing)
    }
}

impl SuppressionReply {
    fn said(&self) -> Result<Said, Wrong> {
        let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == self.stage);
        let known = "use connect, ehlo, starttls, auth, mail, rcpt, data, dot or quit";
        let unknown = || wrong("reply", format!("stage {:?} is not known: {known}", self.stage));
        let says = format!("code {} is none: a reply's code is 200 to 599", self.code);
        Ok(Said {
            stage: stage.ok_or_else(unknown)?,
            code: Code::new(self.code).ok_or_else(|| wrong("reply", says))?,
            text: Bounded::new(&self.text),
            host: Bounded::new(&self.host),
        })
    }
}

impl SuppressionQuery {
    /// The filter, or what is wrong with it.
    pub fn filter(&self, now: Instant) -> Result<SuppressionFilter, Wrong> {
        Ok(SuppressionFilter {
            domain: read(&self.domain, "domain", |text| {
                Host::parse(text).map_err(|e| e.to_string())
            })?,
            subject: None,
            tenant: tenant(&self.tenant)?,
            reason: reason(&self.reason)?,
            provider: self.provider.clone(),
            since: self.younger_than_s.map(|s| now - Span::from_s(s)),
            whom: read(&self.kind, "kind", |text| {
                Whom::parse(text)
                    .ok_or_else(|| "it is not known: use recipient or domain".to_owned())
            })?,
        })
    }
}

/// A tenant that was named; empty for nobody in particular.
pub(crate) fn tenant(given: &Option<String>) -> Result<Option<Tenant>, Wrong> {
    read(given, "tenant", |text| Tenant::parse(text).map_err(|e| e.to_string()))
}

fn reason(given: &Option<String>) -> Result<Option<Reason>, Wrong> {
    read(given, "reason", |text| {
        let known = || Reason::ALL.map(Reason::name).join(", ");
        Reason::parse(text).ok_or_else(|| format!("it is not known; use one of {}", known()))
    })
}

fn read<T>(
    given: &Option<String>,
    field: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    let read = |text: &str| parse(text).map_err(|e| wrong(field, format!("{field} {text:?}: {e}")));
    given.as_deref().map(read).transpose()
}

fn bounded<const OCTETS: usize>(given: &Option<String>) -> Bounded<OCTETS> {
    Bounded::new(given.as_deref().unwrap_or_default())
}

fn wrong(field: &'static str, says: impl Into<String>) -> Wrong {
    Wrong { field, says: says.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_795_239_545);

    #[test]
    fn what_is_listed_can_be_put_there_again() {
        let new = NewSuppression {
            address: "Jo@Example.net".to_owned(),
            tenant: Some("acme".to_owned()),
            reason: Some("no_such_user".to_owned()),
            since: Some(timestamp(Instant::from_unix_s(1_795_000_000))),
            until: Some(timestamp(Instant::from_unix_s(1_800_000_000))),
            by: Some("relay".to_owned()),
            reply: Some(SuppressionReply {
                code: 550,
                stage: "rcpt".to_owned(),
                text: "5.1.1 gone".to_owned(),
                host: "mx.example.net".to_owned(),
            }),
            rule: Some("generic/gone".to_owned()),
            provider: Some("example.net".to_owned()),
            message: Some(QueueId::from_bits(4711 << 8).to_string()),
            refusals: Some(2),
            ..NewSuppression::default()
        };
        let entry = new.entry(NOW).unwrap();
        let row = serde_json::to_value(SuppressionRow::of(&entry, NOW)).unwrap();
        let again: NewSuppression = serde_json::from_value(row).unwrap();
        assert_eq!(again.entry(NOW), Ok(entry));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        let of = |address: &str, change: fn(&mut NewSuppression)| {
            let mut new = NewSuppression { address: address.to_owned(), ..Default::default() };
            change(&mut new);
            let wrong = new.entry(NOW).unwrap_err();
            (wrong.field, wrong.says)
        };
        let (field, says) = of("jo@", |_| {});
        assert!(field == "address" && says.contains("write `jo@example.net`"), "{says}");
        let (field, says) = of("jo@x.de", |new| new.reason = Some("gone".to_owned()));
        assert!(field == "reason" && says.contains("no_such_user, "), "{says}");
        let (field, says) = of("jo@x.de", |new| new.until = Some(timestamp(NOW)));
        assert!(field == "until" && says.contains("later"), "{says}");
        let (field, says) = of("jo@x.de", |new| new.until = Some(Timestamp("soon".to_owned())));
        assert!(field == "until" && says.contains("2026"), "{says}");
    }
}
