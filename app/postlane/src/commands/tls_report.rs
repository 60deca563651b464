//! `postlane tls-report`: how sessions with domains that publish a policy were encrypted.

use clap::Args;
use postlane_api::wire::{TlsReport, TlsReportPage, TlsReportQuery};

use super::queue::which::address;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Args)]
pub(crate) struct TlsReportArguments {
    /// The day in UTC, as 2026-11-21 [default: today]
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// To this domain alone
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

pub(crate) fn run(reach: &Reach, arguments: TlsReportArguments) -> Result<Exit, Failure> {
    let TlsReportArguments { day, domain } = arguments;
    let client = Client::find(reach)?;
    let query = TlsReportQuery { day, domain };
    let page: TlsReportPage = client.get(&address("/v1/tls-reports", &query))?;
    if reach.json {
        page.reports.iter().for_each(print::json);
        return Ok(Exit::found(!page.reports.is_empty()));
    }
    if page.reports.is_empty() {
        print::note("nothing was sent that day to a domain that publishes MTA-STS or TLSA records");
        return Ok(Exit::No);
    }
    let rows: Vec<Vec<String>> = page.reports.iter().flat_map(rows).collect();
    print::table(&["DOMAIN", "POLICY", "SESSIONS", "RESULT", "HOST", "LAST SAID"], rows);
    Ok(Exit::Yes)
}

fn rows(report: &TlsReport) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for found in &report.policies {
        let of = |sessions: u64, result: &str, host: &str, said: &str| {
            let policy = &found.policy;
            let texts = [&policy.policy_domain, &policy.policy_type].map(|t| print::printable(t));
            let [domain, policy] = texts;
            let [result, host, said] = [result, host, said].map(print::printable);
            vec![domain, policy, sessions.to_string(), result, host, said]
        };
        let good = found.summary.total_successful_session_count;
        if good > 0 {
            rows.push(of(good, "as the policy wants it", "", ""));
        }
        rows.extend(found.failure_details.iter().map(|failed| {
            let (host, said) = (&failed.receiving_mx_hostname, &failed.failure_reason_code);
            of(failed.failed_session_count, &failed.result_type, host, said)
        }));
    }
    rows
}
