//! `postlane check spf`: the record held against one sender, term by term.

use clap::Args;
use postlane_checks::spf::{self, Envelope, Explained, Match, Step, Verdict};
use postlane_inspection::spf_as_json;
use postlane_mail::Instant;

use super::{Answers, Bringer};
use crate::exit::{Exit, Failure};
use crate::print;

/// Who sends.
#[derive(Args)]
pub(crate) struct CheckSpf {
    #[command(flatten)]
    bringer: Bringer,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &CheckSpf, json: bool) -> Result<Exit, Failure> {
    let bringer = &check.bringer;
    let Some(address) = bringer.ip else {
        return Err(Failure::usage("--ip is missing: the address that the mail comes from"));
    };
    let envelope = Envelope {
        address,
        helo: &bringer.helo,
        mail_from: bringer.reverse_path(),
        receiver: "unknown",
        now: Instant::from_unix_s(0),
    };
    let explained = check.answers.run(|known| spf::check_host(known, &envelope))?;
    if json {
        print::json(&spf_as_json(&explained));
    } else {
        show(&explained, address);
    }
    Ok(match explained.verdict {
        Verdict::Pass => Exit::Yes,
        Verdict::TempError => Exit::Undetermined,
        _ => Exit::No,
    })
}

fn show(explained: &Explained, address: std::net::IpAddr) {
    let domain = print::printable(&explained.domain);
    print::line(&format!("{}: {domain}, from {address}", explained.verdict.as_str()));
    if let Some(why) = &explained.why {
        print::field("why", &print::printable(why));
    }
    if let Some(explanation) = &explained.explanation {
        print::field("it says", &print::printable(explanation));
    }
    print::field(
        "cost",
        &format!("{} of 10 lookups, {} of 2 void", explained.lookups, explained.voids),
    );
    print::line("");
    branch(&explained.tree, 0);
}

/// A record and those below it, indented.
fn branch(step: &Step, depth: usize) {
    let indent = "  ".repeat(depth);
    let record = step.record.as_deref().unwrap_or("(no record)");
    let text = format!("{indent}{}: {record}", step.domain);
    print::line(&print::printable(&text));
    for seen in &step.terms {
        let mark = match seen.matched {
            Match::Yes => "+",
            Match::No => " ",
            Match::Broken => "!",
        };
        let name = seen.name.as_ref().map(|name| format!("  {name}")).unwrap_or_default();
        print::line(&print::printable(&format!("{indent}  {mark} {}{name}", seen.term)));
        if let Some(below) = &seen.below {
            branch(below, depth + 2);
        }
    }
}
