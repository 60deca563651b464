//! `postlane bounce`: read mail that came back.

mod letters;

use clap::Subcommand;
use postlane_message::{Action, Bounced, LogDate, read_bounces};
use postlane_replies::{Providers, RuleBook};
use postlane_server::Meanings;
use serde::Serialize;

use self::letters::{Letter, each_letter};
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum BounceCommand {
    /// Read bounces, complaints and automatic answers: who, what and why
    Parse {
        /// Messages, mbox files or Maildirs; `-` is stdin
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
    },
}

/// What a message says about a recipient, as JSON; null is what is not known.
#[derive(Debug, Serialize)]
struct BouncedRow {
    file: String,
    /// Which message of the file, from 1.
    number: u64,
    form: &'static str,
    recipient: Option<String>,
    original_recipient: Option<String>,
    action: Option<&'static str>,
    status: Option<String>,
    code: Option<u16>,
    label: Option<&'static str>,
    reply: Option<String>,
    remote_mta: Option<String>,
    reporting_mta: Option<String>,
    arrival: Option<String>,
    original_message_id: Option<String>,
    envelope_id: Option<String>,
    feedback: Option<String>,
}

pub(crate) fn run(reach: &Reach, command: BounceCommand) -> Result<Exit, Failure> {
    let BounceCommand::Parse { files } = command;
    let book = RuleBook::built_in(&Providers::built_in());
    let meanings = Meanings::built_in();
    let mut rows = Vec::new();
    for file in &files {
        each_letter(file, |letter| {
            let found = read_bounces(letter.message);
            if found.is_empty() {
                let Letter { file, number, .. } = letter;
                print::note(&format!("{file}: message {number} is no bounce"));
            }
            rows.extend(found.into_iter().map(|bounced| {
                let meaning = meanings.of(&bounced, &book);
                BouncedRow::new(letter, bounced, meaning.map(|meaning| meaning.label.name()))
            }));
        })?;
    }
    let exit = if rows.is_empty() { Exit::No } else { Exit::Yes };
    if reach.json {
        print::json(&rows);
    } else if !rows.is_empty() {
        table(&rows);
    }
    Ok(exit)
}

impl BouncedRow {
    fn new(letter: &Letter<'_>, bounced: Bounced, label: Option<&'static str>) -> Self {
        Self {
            file: letter.file.to_owned(),
            number: letter.number,
            form: bounced.kind.as_str(),
            recipient: bounced.recipient,
            original_recipient: bounced.original_recipient,
            action: bounced.action.map(Action::as_str),
            status: bounced.status.map(|status| status.to_string()),
            code: bounced.code.map(postlane_mail::Code::number),
            label,
            reply: bounced.diagnostic,
            remote_mta: bounced.remote_mta,
            reporting_mta: bounced.reporting_mta,
            arrival: bounced.arrival.map(|at| LogDate::of(at).to_string()),
            original_message_id: bounced.original_message_id,
            envelope_id: bounced.envid,
            feedback: bounced.feedback,
        }
    }
}

fn table(rows: &[BouncedRow]) {
    let header = ["RECIPIENT", "WHAT", "STATUS", "CODE", "LABEL", "REPLY"];
    print::table(&header, rows.iter().map(cells));
}

fn cells(row: &BouncedRow) -> Vec<String> {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    vec![
        or_dash(row.recipient.as_deref()),
        // What is no bounce has no action, and its form says what it is.
        row.action.unwrap_or(row.form).to_owned(),
        or_dash(row.status.as_deref()),
        row.code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
        or_dash(row.label.or(row.feedback.as_deref())),
        or_dash(row.reply.as_deref()).replace(['\n', '\r', '\t'], " "),
    ]
}
