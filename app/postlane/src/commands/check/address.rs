//! `postlane check ip`: every check of an address that sends, the gates of each provider first.

use std::net::IpAddr;

use clap::Args;
use postlane_checks::address::{Sender, address_checks, check_address};
use postlane_checks::{Name, Report};
use postlane_inspection::address_as_json;

use super::report::{exit, show};
use super::{Answers, Callers};
use crate::exit::{Exit, Failure};
use crate::print;

/// Which address, and what it says of itself.
#[derive(Args)]
pub(crate) struct CheckIp {
    /// The address, of IPv4 or IPv6
    #[arg(value_name = "ADDR")]
    address: IpAddr,
    /// The name it gives with EHLO
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// The envelope's sender that it sends for, or its domain
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Read the web page of its name's domain and see whether it says who runs it
    #[arg(long)]
    probe: bool,
    /// Show what passes, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    callers: Callers,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &CheckIp, json: bool) -> Result<Exit, Failure> {
    let sends_for = check.mail_from.as_deref().map(domain_of).transpose()?;
    let sender = Sender {
        address: check.address,
        helo: check.helo.as_deref(),
        sends_for: sends_for.as_ref(),
        may_call: check.probe,
    };
    let findings = check.answers.run_with(&check.callers, |known| check_address(known, sender))?;
    let report = Report::new(address_checks(), findings);
    if json {
        print::json(&address_as_json(sender, &report));
    } else {
        show(&report, check.all);
    }
    Ok(exit(&report))
}

/// What stands behind the `@`, or all of it.
fn domain_of(address: &str) -> Result<Name, Failure> {
    let address = address.trim_start_matches('<').trim_end_matches('>');
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    Name::parse(domain)
        .map_err(|e| Failure::usage(format!("\"{}\" is no domain: {e}", print::printable(domain))))
}
