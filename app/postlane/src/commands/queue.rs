//! `postlane queue`: look at what waits, and act on it.

mod shown;
pub(super) mod which;

use clap::{Args, Subcommand};
use postlane_api::wire::{Act, Acted, QueueMessage, QueuePage, ServerFacts, SummaryPage};
use postlane_mail::QueueId;

use self::which::{Which, escaped, queue_id};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum QueueCommand {
    /// List recipients that still wait, oldest first
    List(List),
    /// Show one message: its headers, its recipients, and what was last said to them
    Show {
        /// The message's queue id
        #[arg(value_parser = queue_id)]
        id: QueueId,
    },
    /// How much waits, by provider and age in minutes
    Summary(Which),
    /// Make mail due now, and try hosts again that rest; pace and ceilings hold
    Retry(Acting),
    /// Make mail due now, in front of its stream; pace and ceilings hold
    DeliverNow(Acting),
    /// Keep mail and stop its clock
    Hold(Acting),
    /// Let held mail go on
    Release(Acting),
    /// Give mail up, with a report to the sender
    Bounce(Acting),
    /// Give mail up, and tell nobody
    Delete(Acting),
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// Recipients, at most; a message is never cut in two [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Which mail it is done to.
#[derive(Args)]
pub(crate) struct Acting {
    #[command(flatten)]
    which: Which,
    /// All mail, when nothing else is given
    #[arg(long, help_heading = "Which mail")]
    all: bool,
}

pub(crate) fn run(reach: &Reach, command: QueueCommand) -> Result<Exit, Failure> {
    match command {
        QueueCommand::List(list_of) => list(reach, &list_of),
        QueueCommand::Show { id } => show(reach, id),
        QueueCommand::Summary(which) => summary(reach, &which),
        QueueCommand::Retry(acting) => act(reach, "retry", &acting),
        QueueCommand::DeliverNow(acting) => act(reach, "deliver-now", &acting),
        QueueCommand::Hold(acting) => act(reach, "hold", &acting),
        QueueCommand::Release(acting) => act(reach, "release", &acting),
        QueueCommand::Bounce(acting) => act(reach, "bounce", &acting),
        QueueCommand::Delete(acting) => act(reach, "delete", &acting),
    }
}

fn list(reach: &Reach, list: &List) -> Result<Exit, Failure> {
    const PAGE: u32 = 10_000;
    let client = Client::find(reach)?;
    let mut query = list.which.query();
    let mut left = list.limit.unwrap_or(u32::MAX);
    let mut rows = Vec::new();
    let mut any = false;
    loop {
        query.limit = Some(left.min(PAGE));
        let page: QueuePage = client.get(&which::address("/v1/queue", &query))?;
        let many = u32::try_from(page.recipients.len()).unwrap_or(u32::MAX);
        left = left.saturating_sub(many);
        any |= many > 0;
        if reach.json {
            page.recipients.iter().for_each(print::json);
        } else {
            // A table is as wide as its widest cell: it is printed when all are known.
            rows.extend(page.recipients.iter().map(shown::cells));
        }
        query.cursor = page.next;
        if left == 0 || query.cursor.is_none() {
            break;
        }
    }
    if !any {
        print::note(nothing(&list.which));
        return Ok(Exit::No);
    }
    if !reach.json {
        print::table(&shown::COLUMNS, rows);
    }
    Ok(Exit::Yes)
}

fn show(reach: &Reach, id: QueueId) -> Result<Exit, Failure> {
    let id = id.to_string();
    let message: QueueMessage = Client::find(reach)?.get(&format!("/v1/queue/{}", escaped(&id)))?;
    if reach.json {
        print::json(&message);
    } else {
        shown::message(&message);
    }
    Ok(Exit::Yes)
}

fn summary(reach: &Reach, which: &Which) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let page: SummaryPage = client.get(&which::address("/v1/queue/summary", &which.query()))?;
    if reach.json {
        print::json(&page);
    }
    if page.providers.is_empty() {
        print::note(nothing(which));
        return Ok(Exit::No);
    }
    if !reach.json {
        shown::summary(&page);
        let facts: ServerFacts = client.get("/v1/server")?;
        if facts.postmaster > 0 {
            print::note(&format!(
                "{} messages to postmaster or abuse are kept in the folder `postmaster` of the data directory: read them, then remove them",
                facts.postmaster
            ));
        }
    }
    Ok(Exit::Yes)
}

fn act(reach: &Reach, action: &str, acting: &Acting) -> Result<Exit, Failure> {
    if acting.which.is_everything() && !acting.all {
        let says = format!(
            "it is not said which mail to {action}; give queue ids or a filter \
             (postlane queue {action} --help), or --all for all that waits"
        );
        return Err(Failure::usage(says));
    }
    let filter = acting.which.query();
    let act = Act { action: action.to_owned(), filter, everything: acting.all };
    let acted: Acted = Client::find(reach)?.post("/v1/queue/actions", &act)?;
    if reach.json {
        print::json(&acted);
    } else {
        let many = if acted.recipients == 1 { "recipient" } else { "recipients" };
        print::line(&format!("{action}: {} {many}", acted.recipients));
    }
    if acted.recipients == 0 {
        print::note(unchanged(action));
        return Ok(Exit::No);
    }
    Ok(Exit::Yes)
}

/// What to do next, when nothing is found.
fn nothing(which: &Which) -> &'static str {
    if which.is_everything() {
        "the queue is empty; hand in a message with `postlane send`, or over SMTP"
    } else {
        "no recipient that waits agrees with this; `postlane queue summary` tells what waits"
    }
}

/// What to do next, when an action changed nothing.
fn unchanged(action: &str) -> &'static str {
    match action {
        "retry" | "deliver-now" => {
            "nothing that agrees with this waits for a later moment; `postlane queue list` tells \
             why it waits"
        }
        "release" => {
            "nothing that agrees with this is held; `postlane queue list --status held` tells \
             what is"
        }
        _ => "no recipient that waits agrees with this; `postlane queue summary` tells what waits",
    }
}
