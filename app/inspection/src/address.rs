//! What was found of an address that sends, as JSON.

use postlane_checks::Report;
use postlane_checks::address::Sender;
use serde_json::{Value, json};

use crate::report::report_as_json;

/// As `postlane check ip --json` has it.
pub fn address_as_json(sender: Sender<'_>, report: &Report) -> Value {
    let mut told = report_as_json(report);
    told["address"] = json!(sender.address);
    told["helo"] = json!(sender.helo);
    told
}
