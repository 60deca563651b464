//! `postlane check message`: every check of a message, the gates of each provider first.

use std::fs;
use std::io::{self, Read as _};

use clap::Args;
use postlane_checks::message::Message;
use postlane_checks::{Arrived, Client, Report, Session, check_message, message_checks};
use postlane_inspection::{AsSent, message_as_json};
use postlane_mail::Instant;
use postlane_tester::breakages;

use super::report::{exit_beside_lists, show};
use super::{Answers, Bringer, Callers};
use crate::exit::{Exit, Failure};
use crate::print;

/// Which message, and how it came.
#[derive(Args)]
pub(crate) struct CheckMessage {
    /// The message as it would be sent; - for standard input
    file: String,
    #[command(flatten)]
    bringer: Bringer,
    /// It is one person's own mail (an order, a password): what mail to many must carry is no
    /// matter then
    #[arg(long)]
    transactional: bool,
    /// It was announced with SMTPUTF8
    #[arg(long)]
    smtputf8: bool,
    /// Follow the links over https: whoever counts clicks will count them; links that act (unsubscribe,
    /// confirm, log in) are left alone
    #[arg(long)]
    fetch_links: bool,
    /// Look as if it were that moment (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<jiff::Timestamp>,
    /// Show what passes, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    callers: Callers,
    #[command(flatten)]
    answers: Answers,
}

/// Octets of a message that is looked at. RFC 1870's largest in use is 50 MB.
const OCTETS_MAX: u64 = 64 << 20;

pub(super) fn run(check: &CheckMessage, json: bool) -> Result<Exit, Failure> {
    let octets = read(&check.file)?;
    let AsSent { octets, had_mailbox_line } = AsSent::of(octets);
    if had_mailbox_line {
        print::note("the first line is a mailbox file's own (RFC 4155) and is left out");
    }
    let now = check.now.unwrap_or_else(jiff::Timestamp::now);
    let bringer = &check.bringer;
    let client = bringer.ip.map(|address| Client {
        address,
        helo: &bringer.helo,
        mail_from: bringer.reverse_path(),
    });
    let arrived = Arrived {
        message: Message::new(&octets),
        now: Instant::from_unix_s(u64::try_from(now.as_second()).unwrap_or_default()),
        is_utf8: check.smtputf8,
        client,
        is_transactional: check.transactional,
        may_fetch: check.fetch_links,
        session: Session::Unseen,
    };
    let (authentication, findings, broken) = check.answers.run_with(&check.callers, |known| {
        let (authentication, findings) = check_message(known, &arrived)?;
        let broken = breakages(known, (&octets, arrived.now), &authentication.dkim);
        Some((authentication, findings, broken))
    })?;
    let report = Report::new(message_checks(), findings);
    if json {
        let mut told = message_as_json(&arrived, &authentication, &report);
        told["breakages"] = serde_json::to_value(broken).unwrap_or_default();
        print::json(&told);
    } else {
        show(&report, check.all);
    }
    Ok(exit_beside_lists(&report))
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    let done = if file == "-" {
        io::stdin().lock().take(OCTETS_MAX + 1).read_to_end(&mut octets)
    } else {
        fs::File::open(file).and_then(|from| from.take(OCTETS_MAX + 1).read_to_end(&mut octets))
    };
    done.map_err(|e| Failure::usage(format!("cannot read {file}: {e}")))?;
    if octets.len() as u64 > OCTETS_MAX {
        return Err(Failure::usage(format!("{file} is larger than 64 MiB: no host takes that")));
    }
    Ok(octets)
}
