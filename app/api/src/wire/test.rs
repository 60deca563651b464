//! Email tests, as JSON.

use postlane_mail::{Label, Span};
use postlane_server::tester::{MessageStanding, NewTest, TestId, Told};
pub use postlane_tester::{
    AddedBy as EmailTestAddedBy, Comparison as EmailTestComparison, Report as EmailTestReport,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::suppression::Wrong;
use super::time::{Timestamp, timestamp};

/// A test to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EmailTestRequest {
    /// How long its address takes mail, in seconds; as `tester.expires` says when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_s: Option<u64>,
    /// An earlier test, whose last message the first one is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// Whose it is; nobody's in particular when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// A test. A key without a value is `null` or empty, never missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmailTestRow {
    /// Which.
    pub id: String,
    /// The address to write to.
    pub address: String,
    /// Where everybody who knows this reads the report; with `.json` behind it as JSON.
    pub link: String,
    /// `waiting`, `looking` while a message is looked at, `reported`, `failed`, or `expired` where
    /// nothing has come in time.
    pub state: String,
    /// Whether the address takes mail now.
    pub is_open: bool,
    /// Whose it is; empty for nobody's.
    pub tenant: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Until when the address takes mail.
    pub expires_at: Timestamp,
    /// Its messages, from 1: `looking`, `reported` or `failed`.
    pub messages: Vec<String>,
}

/// Tests, the youngest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EmailTestPage {
    /// All that the token sees.
    pub tests: Vec<EmailTestRow>,
}

/// A test with what was made of a message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EmailTestStory {
    /// The test.
    #[serde(flatten)]
    pub test: EmailTestRow,
    /// What was made of the message that was asked for, or of the last one; `null` as long as there
    /// is none. It has everything that `postlane check message --json` has, and beside it
    /// `headline`, `providers`, `tests`, `arrival` with the transcript, `headers`, `dns` and
    /// `took_ms`.
    #[schema(value_type = Option<Object>)]
    pub report: Option<serde_json::Value>,
    /// What has changed since the message before it; `null` where there was none.
    #[schema(value_type = Option<Object>)]
    pub comparison: Option<serde_json::Value>,
}

/// Which message of a test.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EmailTestQuery {
    /// Its number, from 1; the last one that has a report when it is left out.
    pub message: Option<u32>,
}

impl EmailTestRequest {
    /// The test that is to be made, or what is wrong with it.
    pub(crate) fn test(&self, by: &str, tenant: Label) -> Result<NewTest, Wrong> {
        let again = self.again.as_deref().map(|text| {
            let says = format!("{text:?} is no test; /v1/tests lists those there are");
            TestId::parse(text).ok_or(Wrong { field: "again", says })
        });
        Ok(NewTest {
            tenant,
            by: by.to_owned(),
            lasts: self.lasts_s.map(Span::from_s),
            again: again.transpose()?,
        })
    }
}

impl EmailTestRow {
    pub(crate) fn of(told: &Told) -> Self {
        let Told { test, address, link, is_open, .. } = told;
        let state = match test.last_reported() {
            _ if test.is_being_looked_at() => "looking",
            Some(_) => "reported",
            None if !test.messages.is_empty() => "failed",
            None if *is_open => "waiting",
            None => "expired",
        };
        let standing = |one: &MessageStanding| match one {
            MessageStanding::Coming | MessageStanding::Kept => "looking",
            MessageStanding::Reported => "reported",
            MessageStanding::Failed => "failed",
        };
        Self {
            id: test.id.to_string(),
            address: address.clone(),
            link: link.clone(),
            state: state.to_owned(),
            is_open: *is_open,
            tenant: test.tenant.to_string(),
            made_by: test.by.clone(),
            made_at: timestamp(test.made),
            expires_at: timestamp(test.until),
            messages: test.messages.iter().map(|one| standing(one).to_owned()).collect(),
        }
    }
}
