//! `postlane check ip`: every check of an address that sends, the gates of each provider first.

use std::net::IpAddr;

use clap::Args;
use postlane_checks::Report;
use postlane_checks::address::{Sender, address_checks, check_address};
use postlane_inspection::address_as_json;

use super::Answers;
use super::report::{exit, show};
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
    /// Show what passes, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &CheckIp, json: bool) -> Result<Exit, Failure> {
    let sender = Sender { address: check.address, helo: check.helo.as_deref() };
    let findings = check.answers.run(|known| check_address(known, sender))?;
    let report = Report::new(address_checks(), findings);
    if json {
        print::json(&address_as_json(sender, &report));
    } else {
        show(&report, check.all);
    }
    Ok(exit(&report))
}
