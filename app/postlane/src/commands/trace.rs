//! `postlane trace`: a message's whole story.

use clap::Args;
use postlane_api::wire::{QueueRow, Step, Traced, TracedMessage};

use super::log::{Lead, Reading, Source, moment, show_entry, unruly_gone};
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// Which message, and how much of it.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane trace 0cr65bnqmdz80
  postlane trace jo@example.net -n 5")]
pub(crate) struct Trace {
    /// A queue id, a Message-ID, or a recipient's address
    #[arg(value_name = "ID|MESSAGE-ID|RECIPIENT")]
    what: String,
    /// How many of a recipient's messages, the newest first [default: 1]
    #[arg(short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    many: Option<u32>,
    /// All dialogues and header sections that were kept, not the last dialogue alone
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) fn run(reach: &Reach, trace: &Trace) -> Result<Exit, Failure> {
    let reading = Reading::open(reach, &trace.source)?;
    let traced = reading.trace(&trace.what, trace.many.unwrap_or(1))?;
    if reach.json {
        print::json(&traced);
        return Ok(Exit::Yes);
    }
    for (n, message) in traced.messages.iter().enumerate() {
        if n > 0 {
            print::line("");
        }
        show(message, trace.full);
    }
    tell_what_is_left_out(&traced, trace);
    Ok(Exit::Yes)
}

fn tell_what_is_left_out(traced: &Traced, trace: &Trace) {
    let messages = &traced.messages;
    if traced.more {
        print::note(&format!(
            "older messages to {} are not told: -n {}",
            unruly_gone(&trace.what),
            messages.len() * 10
        ));
    }
    if messages.iter().any(|message| message.more) {
        print::note("more happened than is told here: `postlane log --id` has all of it");
    }
    let samples = |step: &Step| !step.transcript.is_empty();
    let kept: usize = messages.iter().map(|m| m.story.iter().filter(|s| samples(s)).count()).sum();
    if !trace.full && kept > messages.len() {
        print::note(&format!("{kept} dialogues were kept: --full shows all of them, and headers"));
    }
}

fn show(message: &TracedMessage, full: bool) {
    print::field("id", &message.id);
    if !message.message_id.is_empty() {
        print::field("message-id", &unruly_gone(&message.message_id));
    }
    if !message.sender.is_empty() {
        print::field("from", &unruly_gone(&message.sender));
    }
    let mut to: Vec<&str> = Vec::new();
    for step in message.story.iter().filter(|step| !step.around) {
        if !step.entry.recipient.is_empty() && !to.contains(&&*step.entry.recipient) {
            to.push(&step.entry.recipient);
        }
    }
    print::field("to", &unruly_gone(&to.join(", ")));
    print::line("");
    let last = message.story.iter().rposition(|step| !step.transcript.is_empty());
    let mut meant = Vec::new();
    for (n, step) in message.story.iter().enumerate() {
        let lead = if step.around { Lead::Around } else { Lead::Moment };
        show_entry(&step.entry, lead);
        // Once is enough for what is said again and again.
        if !step.means.is_empty() && !meant.contains(&&step.entry.label) {
            under("", &step.means);
            meant.push(&step.entry.label);
        }
        if full || last == Some(n) {
            kept(&step.transcript);
        }
        if full {
            kept(&step.headers);
        }
    }
    message.waits.iter().for_each(waits);
}

/// Where a recipient stands now.
fn waits(row: &QueueRow) {
    let mut says = format!("{} waits, {}", row.recipient, row.status);
    if let Some(waiting) = &row.waiting {
        says.push_str(&format!(": {}", waiting.reason));
    }
    if let Some(next) = &row.next_attempt_at {
        says.push_str(&format!("; next attempt {}", moment(next)));
    }
    if let Some(expires) = &row.expires_at {
        says.push_str(&format!(", given up {}", moment(expires)));
    }
    print::line(&format!("{:<22}{}", "now", unruly_gone(&says)));
}

/// What was kept, indented, line by line.
fn kept(text: &str) {
    for line in text.lines() {
        print::line(&format!("{:22}| {}", "", unruly_gone(line)));
    }
}

fn under(mark: &str, text: &str) {
    for line in print::wrapped(text, print::columns().saturating_sub(22).max(40)) {
        print::line(&format!("{:22}{mark}{}", "", unruly_gone(&line)));
    }
}
