//! Reports of how sessions with a domain's hosts were encrypted, as RFC 8460 §4.4 has them.

use std::collections::BTreeMap;

use postlane_mail::{Domain, Instant};
use postlane_registry::TlsTally;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::time::{Timestamp, timestamp};

/// Which reports are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct TlsReportQuery {
    /// The day in UTC, `2026-11-21`; today when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// To this domain alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

/// Reports of one day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TlsReportPage {
    /// One for each domain, in their order.
    pub reports: Vec<TlsReport>,
}

/// How sessions with one domain's hosts were encrypted on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReport {
    /// Who sent: our name.
    pub organization_name: String,
    /// The day.
    pub date_range: TlsReportDay,
    /// Whom to write to.
    pub contact_info: String,
    /// A name of the report that no other has.
    pub report_id: String,
    /// What was found, by policy.
    pub policies: Vec<TlsReportPolicy>,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReportDay {
    /// Its first moment.
    pub start_datetime: Timestamp,
    /// Its last second.
    pub end_datetime: Timestamp,
}

/// What was found of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReportPolicy {
    /// The policy.
    pub policy: TlsPolicyRow,
    /// Sessions, counted.
    pub summary: TlsSummary,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_details: Vec<TlsFailureRow>,
}

/// A policy that a domain published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsPolicyRow {
    /// `sts` or `tlsa`.
    pub policy_type: String,
    /// Its lines, or the TLSA records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_string: Vec<String>,
    /// The domain.
    pub policy_domain: String,
    /// The hosts that it allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mx_host: Vec<String>,
}

/// Sessions, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsSummary {
    /// As the policy wants them.
    pub total_successful_session_count: u64,
    /// Others.
    pub total_failure_session_count: u64,
}

/// Sessions that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TlsFailureRow {
    /// How, in the words of RFC 8460 §4.3.
    pub result_type: String,
    /// Our address; left out where there was no session.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sending_mta_ip: String,
    /// The host's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receiving_mx_hostname: String,
    /// The host's address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receiving_ip: String,
    /// How many.
    pub failed_session_count: u64,
    /// What was said of the last of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failure_reason_code: String,
}

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// The day that a text says, from 1970-01-01.
pub(crate) fn day_of(text: &str) -> Result<u32, &'static str> {
    let read = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>().ok();
    let day = read.and_then(|at| u64::try_from(at.as_second()).ok()).map(|s| s / DAY_S);
    day.and_then(|day| u32::try_from(day).ok()).ok_or("it is no day; write it as 2026-11-21")
}

/// What was counted on a day, as reports to each domain.
pub(crate) fn reports(ours: &Domain, contact: &str, tallies: Vec<TlsTally>) -> Vec<TlsReport> {
    let mut by_domain: BTreeMap<(String, u32), BTreeMap<TlsPolicyRow, TlsReportPolicy>> =
        BTreeMap::new();
    for TlsTally { of, reason, sessions } in tallies {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        let policy = TlsPolicyRow {
            policy_type: of.policy_type,
            policy_string: lines(&of.policy),
            policy_domain: of.domain.clone(),
            mx_host: lines(&of.hosts),
        };
        let policies = by_domain.entry((of.domain, of.day)).or_default();
        let found = policies.entry(policy.clone()).or_insert_with(|| TlsReportPolicy {
            policy,
            summary: TlsSummary::default(),
            failure_details: Vec::new(),
        });
        if of.result.is_empty() {
            found.summary.total_successful_session_count += sessions;
            continue;
        }
        found.summary.total_failure_session_count += sessions;
        found.failure_details.push(TlsFailureRow {
            result_type: of.result,
            sending_mta_ip: of.sending_ip,
            receiving_mx_hostname: of.mx_host,
            receiving_ip: of.mx_ip,
            failed_session_count: sessions,
            failure_reason_code: reason,
        });
    }
    let report = |((domain, day), policies): ((String, u32), BTreeMap<_, TlsReportPolicy>)| {
        let start = u64::from(day) * DAY_S;
        let at = |s| {
            let precise = timestamp(Instant::from_unix_s(s)).0;
            Timestamp(precise.replace(".000Z", "Z"))
        };
        let (start, end) = (at(start), at(start + DAY_S - 1));
        let date = start.0.split('T').next().unwrap_or_default();
        TlsReport {
            organization_name: ours.to_string(),
            report_id: format!("{date}_{domain}@{ours}"),
            date_range: TlsReportDay { start_datetime: start, end_datetime: end },
            contact_info: contact.to_owned(),
            policies: policies.into_values().collect(),
        }
    };
    by_domain.into_iter().map(report).collect()
}

#[cfg(test)]
mod tests {
    use postlane_registry::TlsTallyKey;

    use super::*;

    /// RFC 8460 appendix B, the example, as far as it can be counted.
    #[test]
    fn a_report_is_as_the_rfc_has_it() {
        let tally = |result: &str, ip: &str, sessions| TlsTally {
            of: TlsTallyKey {
                day: 16_892,
                domain: "company-y.example".to_owned(),
                policy_type: "sts".to_owned(),
                policy: "version: STSv1\nmode: testing\nmx: *.mail.company-y.example\n\
                         max_age: 86400"
                    .to_owned(),
                hosts: "*.mail.company-y.example".to_owned(),
                result: result.to_owned(),
                sending_ip: ip.to_owned(),
                mx_host: "mx1.mail.company-y.example".to_owned(),
                mx_ip: "203.0.113.58".to_owned(),
            },
            reason: String::new(),
            sessions,
        };
        let found = reports(
            &Domain::parse("company-x.example").unwrap(),
            "sts-reporting@company-x.example",
            vec![
                tally("", "2001:db8:abcd:12::1", 5326),
                tally("certificate-expired", "2001:db8:abcd:12::1", 100),
                tally("starttls-not-supported", "2001:db8:abcd:13::1", 200),
            ],
        );
        let expected = serde_json::json!({
            "organization-name": "company-x.example",
            "date-range": {
                "start-datetime": "2016-04-01T00:00:00Z",
                "end-datetime": "2016-04-01T23:59:59Z"
            },
            "contact-info": "sts-reporting@company-x.example",
            "report-id": "2016-04-01_company-y.example@company-x.example",
            "policies": [{
                "policy": {
                    "policy-type": "sts",
                    "policy-string": [
                        "version: STSv1", "mode: testing", "mx: *.mail.company-y.example",
                        "max_age: 86400"
                    ],
                    "policy-domain": "company-y.example",
                    "mx-host": ["*.mail.company-y.example"]
                },
                "summary": {
                    "total-successful-session-count": 5326,
                    "total-failure-session-count": 300
                },
                "failure-details": [{
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:12::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "receiving-ip": "203.0.113.58",
                    "failed-session-count": 100
                }, {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:13::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "receiving-ip": "203.0.113.58",
                    "failed-session-count": 200
                }]
            }]
        });
        assert_eq!(serde_json::to_value(&found).unwrap(), serde_json::json!([expected]));
    }

    #[test]
    fn a_day_is_read_as_it_is_written() {
        assert_eq!(day_of("2016-04-01"), Ok(16_892));
        for wrong in ["", "yesterday", "2016-13-01", "1969-12-31"] {
            assert!(day_of(wrong).is_err(), "{wrong}");
        }
    }
}
