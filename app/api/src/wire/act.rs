//! Which mail is meant, and what is to be done with it.

use postlane_mail::{Host, Label, QueueId, Span, Stream};
use postlane_server::handle::{Filter, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which recipients are meant: all that agree with everything given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct FilterQuery {
    /// Queue ids, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The recipient's domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `transactional`, `engaged` or `cold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Of which mailing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `active`, `ready`, `deferred` or `held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Accepted longer ago than so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_s: Option<u64>,
    /// Accepted less long ago than so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub younger_than_s: Option<u64>,
    /// Where the listing goes on: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Recipients on a page, 1 to 10000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Something to be done with waiting mail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// `retry`, `deliver-now`, `hold`, `release`, `bounce` or `delete`.
    pub action: String,
    /// With which mail.
    pub filter: FilterQuery,
    /// Must be true when the filter is empty and so everything is meant.
    #[serde(default)]
    pub everything: bool,
}

/// What was done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Acted {
    /// Recipients it was done to.
    pub recipients: u64,
}

impl FilterQuery {
    /// The filter, or what is wrong with it.
    pub fn filter(&self) -> Result<Filter, String> {
        Ok(Filter {
            ids: self.ids()?,
            domain: read(&self.domain, "domain", |text| Host::parse(text).map_err(stringly))?,
            provider: self.provider.clone(),
            stream: read(&self.stream, "stream", |text| {
                Stream::parse(text)
                    .ok_or_else(|| "it is not known: use transactional, engaged or cold".to_owned())
            })?,
            tenant: read(&self.tenant, "tenant", |text| Label::parse(text).map_err(stringly))?,
            campaign: read(&self.campaign, "campaign", |text| {
                Label::parse(text).map_err(stringly)
            })?,
            older_than: self.older_than_s.map(Span::from_s),
            younger_than: self.younger_than_s.map(Span::from_s),
            status: read(&self.status, "status", |text| {
                Status::parse(text).ok_or_else(|| {
                    "it is not known: use active, ready, deferred or held".to_owned()
                })
            })?,
        })
    }

    fn ids(&self) -> Result<Vec<QueueId>, String> {
        let texts = self.id.iter().flat_map(|ids| ids.split(',')).map(str::trim);
        let given = texts.filter(|text| !text.is_empty());
        given.map(|text| QueueId::parse(text).map_err(|e| format!("id {text:?}: {e}"))).collect()
    }
}

fn read<T>(
    text: &Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    text.as_deref().map(|text| parse(text).map_err(|e| format!("{name} {text:?}: {e}"))).transpose()
}

fn stringly(error: impl std::fmt::Display) -> String {
    error.to_string()
}
