//! `postlane tester`: an address to write to, and what receivers make of what comes.

mod shown;

use std::io::{self, IsTerminal as _};
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use postlane_api::wire::{EmailTestPage, EmailTestRequest, EmailTestRow, EmailTestStory};
use postlane_mail::Span;
use postlane_tester::Report;

use super::queue::which::age;
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum TesterCommand {
    /// Make a test address, wait until a message has come, and say what receivers make of it
    New(New),
    /// List the tests that are kept, the newest first
    List,
    /// Say what was made of a test's last message
    Show {
        /// The test
        #[arg(value_name = "ID")]
        id: String,
        /// Of this message, from 1 [default: the last one]
        #[arg(long, value_name = "N")]
        message: Option<u32>,
        /// Show what passes, too
        #[arg(long)]
        all: bool,
    },
}

#[derive(Args)]
pub(crate) struct New {
    /// Print address and link, and do not wait
    #[arg(long)]
    no_wait: bool,
    /// How long the address takes mail: 30m, 2h [default: tester.expires]
    #[arg(long, value_name = "AGE", value_parser = age)]
    expires: Option<Span>,
    /// Compare with the last message of this earlier test
    #[arg(long, value_name = "ID")]
    again: Option<String>,
    /// Whose test it is
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Show what passes, too
    #[arg(long)]
    all: bool,
}

/// How often it is asked whether something has come. Chosen, not measured: a person sees no delay.
const ASK_EVERY: Duration = Duration::from_millis(400);

pub(crate) fn run(reach: &Reach, command: TesterCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    match command {
        TesterCommand::New(new) => make(reach, &client, &new),
        TesterCommand::List => list(reach, &client),
        TesterCommand::Show { id, message, all } => {
            let message = message.map(|number| format!("?message={number}")).unwrap_or_default();
            let id = super::queue::which::escaped(&id);
            let story = client.get(&format!("/v1/tests/{id}{message}"))?;
            tell(reach, &story, all)
        }
    }
}

fn make(reach: &Reach, client: &Client, new: &New) -> Result<Exit, Failure> {
    let request = EmailTestRequest {
        lasts_s: new.expires.map(Span::as_s),
        again: new.again.clone(),
        tenant: new.tenant.clone(),
    };
    let made: EmailTestRow = client.post("/v1/tests", &request)?;
    if new.no_wait {
        match reach.json {
            true => print::json(&made),
            false => {
                print::line(&made.address);
                print::note(&format!("report: {}", made.link));
            }
        }
        return Ok(Exit::Yes);
    }
    // With --json the answer is the report; where to write is told beside it.
    let told = format!("send a message to\n\n    {}\n", made.address);
    match reach.json {
        true => print::note(&told),
        false => print::line(&told),
    }
    print::note(&format!("report: {}, until {}", made.link, moment(&made.expires_at)));
    let story = wait(client, &made)?;
    tell(reach, &story, new.all)
}

/// Waits until there is a report, or can be none.
fn wait(client: &Client, made: &EmailTestRow) -> Result<EmailTestStory, Failure> {
    let spinner = match io::stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    spinner.enable_steady_tick(Duration::from_millis(120));
    let story = loop {
        let story: EmailTestStory = client.get(&format!("/v1/tests/{}", made.id))?;
        match story.test.state.as_str() {
            "waiting" => spinner.set_message("waiting for the message"),
            "looking" => spinner.set_message("it has come, and is being looked at"),
            _ => break story,
        }
        thread::sleep(ASK_EVERY);
    };
    spinner.finish_and_clear();
    Ok(story)
}

fn tell(reach: &Reach, story: &EmailTestStory, all: bool) -> Result<Exit, Failure> {
    if reach.json {
        print::json(story);
    }
    let Some(report) = &story.report else {
        let says = match story.test.state.as_str() {
            "failed" => "a message has come and could not be looked at; the server's log says why",
            "expired" => "nothing has come in time; make a new test",
            _ => "nothing has come yet",
        };
        return Err(Failure::new(Exit::Undetermined, says));
    };
    let report: Report = serde_json::from_value(report.clone())
        .map_err(|e| Failure::new(Exit::Undetermined, format!("the report cannot be read: {e}")))?;
    if !reach.json {
        let comparison =
            story.comparison.clone().and_then(|text| serde_json::from_value(text).ok());
        shown::show(&report, comparison.as_ref(), all);
        print::line("");
        print::field("report", &story.test.link);
    }
    Ok(shown::exit(&report))
}

fn list(reach: &Reach, client: &Client) -> Result<Exit, Failure> {
    let tests = client.get::<EmailTestPage>("/v1/tests")?.tests;
    if reach.json {
        tests.iter().for_each(print::json);
        return Ok(Exit::found(!tests.is_empty()));
    }
    if tests.is_empty() {
        print::note("there are no tests; `postlane tester new` makes one");
        return Ok(Exit::No);
    }
    let columns = ["ID", "STATE", "MESSAGES", "MADE", "UNTIL", "TENANT", "BY", "LINK"];
    let cells = |row: &EmailTestRow| {
        vec![
            row.id.clone(),
            row.state.clone(),
            row.messages.len().to_string(),
            moment(&row.made_at),
            moment(&row.expires_at),
            or_dash(&row.tenant),
            print::printable(&row.made_by),
            row.link.clone(),
        ]
    };
    print::table(&columns, tests.iter().map(cells));
    Ok(Exit::Yes)
}
