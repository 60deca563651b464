//! What is to be looked at.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Who brings a message, and what kind of mail it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct CheckMessageQuery {
    /// The address the mail comes from; without one nothing is said of SPF and of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    #[param(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
    /// The name given with EHLO; `unknown` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The envelope's sender; left out for the null one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// It is one person's own mail: what mail to many must carry is no matter then.
    pub transactional: bool,
    /// It was announced with SMTPUTF8.
    pub smtputf8: bool,
}

/// What is known about how a domain sends.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct CheckDomainQuery {
    /// The domain of the return-path, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_path: Option<String>,
    /// Selectors that sign for it, with commas between them; without any, those that many have are
    /// tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selectors: Option<String>,
    /// Addresses that send for it, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ips: Option<String>,
    /// Call the domain's mail exchangers (do they encrypt, with which certificate, do postmaster and
    /// abuse take mail) and its web page (does it say who runs it).
    pub probe: bool,
    /// Addresses to unsubscribe at, with commas between them, of a message to a recipient made for
    /// tests: they are tried, and that recipient is taken off the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<String>,
    /// The name of the SPF record that the domain's own was written out from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spf_source: Option<String>,
}

/// What an address says of itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct CheckAddressQuery {
    /// The name it gives with EHLO.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The domain of the return-path that it sends for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends_for: Option<String>,
    /// Read the web page of its name's domain and see whether it says who runs it.
    pub probe: bool,
}

/// Whose mail is held against a record of SPF.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CheckSpfQuery {
    /// The address the mail comes from.
    #[schema(value_type = String)]
    #[param(value_type = String)]
    pub ip: IpAddr,
    /// The name given with EHLO; `unknown` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helo: Option<String>,
    /// The envelope's sender; left out for the null one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
}

/// Which record is written out, and what it is held against.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FlatQuery {
    /// Where the record stands that it is made of; the domain itself if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where a copy is published that is held against the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}
