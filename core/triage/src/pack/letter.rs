//! A letter to go with the pack, in our own words; whoever sends it completes it.

use std::fmt::Write as _;

use postlane_mail::is_unruly;
use postlane_replies::Label;

use super::addressee::Addressee;
use super::report::{Report, SampleRow};
use crate::group::Group;

/// What is for the sender, and not for the letter.
fn notes(report: &Report<'_>) -> String {
    let figures = &report.assessment.figures;
    let mut text = String::new();
    let _ = writeln!(text, "# Before you send this: {}", report.addressee.asks());
    if figures.attempts() == figures.accepted() {
        text.push_str(
            "# Nothing was refused in this time: there is nothing to write about, or --since reaches too short.\n",
        );
    }
    for contact in report.contacts {
        let _ = writeln!(text, "# {} ({})", line(&contact.url), line(&contact.source));
    }
    text
}

pub(super) fn write(report: &Report<'_>) -> String {
    let figures = &report.assessment.figures;
    let mut text = notes(report);
    let _ = write!(
        text,
        "\nSubject: {}\n\n{}\n\n",
        match report.addressee {
            Addressee::Esp => format!("Your address is refused by {}", line(report.provider)),
            _ => {
                let refused = figures.deferred().saturating_add(figures.bounced());
                let attempts = figures.attempts();
                let since = &report.from;
                format!(
                    "Mail from our servers is refused: {refused} of {attempts} attempts since {since}"
                )
            }
        },
        greeting(report),
    );
    let _ = write!(
        text,
        "Between {} and {} we tried to hand over mail {} times. {} were accepted, {} deferred, {} \
         refused for good; of first attempts {} were accepted. The same sources' mail to other \
         providers {}.\n\n",
        report.from,
        report.to,
        figures.attempts(),
        figures.accepted(),
        figures.deferred(),
        figures.bounced(),
        figures.first_attempt_share(),
        elsewhere(report),
    );
    text.push_str("Sending addresses:\n");
    for row in &report.sources {
        let of = if row.address.is_empty() { &row.name } else { &row.address };
        let _ = writeln!(
            text,
            "  {}  EHLO {}  reverse DNS {}  accepted {} of {}",
            line(of),
            line(&row.ehlo),
            line(&row.ptr),
            row.accepted,
            row.attempts
        );
    }
    if let Some(sample) = telling(report) {
        let _ = write!(
            text,
            "\nOne of the replies, in full ({}, {}{}):\n\n  {}\n",
            sample.at,
            line(&sample.mx_host),
            named(sample),
            sample.reply.split('\n').map(line).collect::<Vec<_>>().join("\n  ")
        );
    }
    for case in &report.cases {
        let _ = writeln!(text, "  case: {}", line(case));
    }
    text.push_str("\nWhat we have done so far:\n");
    for (at, says) in report.changes.iter().rev().take(8) {
        let _ = writeln!(text, "  {at}  {}", line(says));
    }
    text.push_str("  [what you found, and what you changed because of it]\n\n");
    text.push_str(request(report.addressee));
    text.push_str(
        "\n\nThe pack beside this letter has more samples, their headers, and the course by the \
         hour.\n\n[name, company, telephone]\n",
    );
    text
}

/// The message that a sample is of; a log may not tell its Message-ID.
fn named(sample: &SampleRow) -> String {
    match sample.message_id.trim() {
        "" => String::new(),
        id => format!(", Message-ID {}", line(id)),
    }
}

fn elsewhere(report: &Report<'_>) -> String {
    let elsewhere = &report.assessment.elsewhere;
    match elsewhere.attempts() {
        0 => "cannot be compared: there was none".to_owned(),
        attempts => format!("was refused in {} of {attempts} attempts", elsewhere.trouble_share()),
    }
}

fn greeting(report: &Report<'_>) -> String {
    match report.addressee {
        Addressee::Esp => format!(
            "{} refuses mail from an address that you lend us, and not from its neighbours.",
            line(report.provider)
        ),
        _ => format!(
            "We run mail servers whose mail {} refuses. We would like to mend the cause and ask you what it is.",
            line(report.provider)
        ),
    }
}

const fn request(addressee: Addressee) -> &'static str {
    match addressee {
        Addressee::Esp => {
            "Please say which other customers send by this address, what you know of its name at this provider, and by when it can be replaced."
        }
        Addressee::TOnline => {
            "Please take the addresses off the list of unknown senders, or say what is missing."
        }
        _ => {
            "Please say what the cause is, and lift the refusal if there is nothing more that we must mend."
        }
    }
}

/// On one line.
fn line(text: &str) -> String {
    text.chars().map(|c| if is_unruly(c) { ' ' } else { c }).collect()
}
/// The sample to quote: of what is refused most, and not what was said of one recipient, if there
/// is anything else.
fn telling<'r>(report: &'r Report<'_>) -> Option<&'r SampleRow> {
    let labels = &report.assessment.figures.labels;
    let weight = |sample: &&SampleRow| {
        let label = Label::parse(sample.label).unwrap_or(Label::Unknown);
        let is_of_one = matches!(Group::of(label), Group::NoMailbox | Group::Individual);
        (!is_of_one, labels.get(&label).copied().unwrap_or(0))
    };
    // Of those that weigh the same, the first.
    report.samples.iter().rev().max_by_key(weight)
}
