//! The part of a report that people read: what happened, what the other side said word for
//! word, and what to do now.

use postlane_mail::{LastReply, Stage, Status};

use super::foreign::{Script, broken, line};
use super::machine::{REPLY_LINES_MAX, host_name, reply_lines};
use super::report::{Action, RecipientReport, Report};
use crate::date::MailDate;

/// Recipients that are told of one by one; of the others their number is. Chosen, not measured.
const RECIPIENTS_MAX: usize = 50;

/// Columns of a line. Chosen: fits every screen, and needs no encoding.
const COLUMNS: usize = 72;

/// What of the message is returned with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returned {
    /// All of it.
    Whole,
    /// Its header section.
    Headers,
    /// Its header section, though all was asked for.
    TooLarge,
    /// Nothing: it cannot be read any more.
    Nothing,
}

/// The whole text, lines ended by CRLF.
pub(super) fn text(report: &Report<'_>, returned: Returned) -> String {
    let mut page = Page::default();
    page.paragraph("", &format!("This is the mail system at {}.", report.reporting_mta));
    for action in Action::ALL {
        let those = || report.recipients.iter().filter(|recipient| recipient.action == action);
        let count = those().count();
        if count == 0 {
            continue;
        }
        page.paragraph("", &opening(action, count));
        for recipient in those().take(RECIPIENTS_MAX) {
            page.recipient(recipient);
        }
        if count > RECIPIENTS_MAX {
            let more = count - RECIPIENTS_MAX;
            page.paragraph(
                "",
                &format!("And {more} more: the next part of this report has them all."),
            );
        }
    }
    page.paragraph("", &closing(report, returned));
    page.0
}

fn opening(action: Action, count: usize) -> String {
    let whom = if count == 1 { "one recipient".to_owned() } else { format!("{count} recipients") };
    match action {
        Action::Failed => format!("Your message could not be delivered to {whom}:"),
        Action::Delayed => format!(
            "Your message has not been delivered to {whom} yet. We go on trying; you need not \
             send it again:"
        ),
        Action::Delivered => format!("Your message has been delivered to {whom}:"),
        Action::Relayed => format!(
            "Your message has been handed on for {whom} to a mail system that does not report \
             when it is delivered:"
        ),
        Action::Expanded => format!("Your message has been handed to a list behind {whom}:"),
    }
}

fn closing(report: &Report<'_>, returned: Returned) -> String {
    let original = &report.original;
    let arrived = MailDate::of(original.arrived);
    let id = original.message_id.map(|id| format!(", message id {}", line(id, Script::Ascii)));
    let rest = match returned {
        Returned::Whole => "The message is attached.",
        Returned::Headers => "The header of the message is attached.",
        Returned::TooLarge => "The message is too large to return; its header is attached.",
        Returned::Nothing => "It cannot be read any more, so that nothing of it is attached.",
    };
    format!(
        "We accepted the message on {arrived} (queue id {}{}). {rest}",
        original.id,
        id.unwrap_or_default()
    )
}

/// A text under way.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Words from margin to margin, with an empty line before them unless they come first.
    fn paragraph(&mut self, margin: &str, text: &str) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.wrapped(margin, text);
    }

    fn wrapped(&mut self, margin: &str, text: &str) {
        let mut column = 0;
        for word in text.split(' ').flat_map(broken) {
            let width = word.chars().count();
            if column > 0 && column + 1 + width > COLUMNS {
                self.0.push_str("\r\n");
                column = 0;
            }
            let before = if column == 0 { margin } else { " " };
            self.0.push_str(before);
            self.0.push_str(word);
            column += before.len() + width;
        }
        self.0.push_str("\r\n");
    }

    fn recipient(&mut self, recipient: &RecipientReport<'_>) {
        self.paragraph("  ", recipient.mailbox.as_str());
        if let Some(said) = recipient.last_reply {
            self.said(said);
        }
        match (recipient.action, recipient.will_retry_until) {
            (Action::Failed, _) => {
                let ours = recipient.last_reply.is_some_and(|said| host_name(said).is_none());
                let advice = if ours && recipient.status.subject == 7 {
                    OUR_OWN_RULES
                } else {
                    advice(recipient.status)
                };
                self.paragraph("    ", &format!("What to do: {advice}"));
            }
            (Action::Delayed, Some(until)) => {
                self.paragraph("    ", &format!("We try until {}.", MailDate::of(until)));
            }
            _ => {}
        }
    }

    /// The last words about a recipient, as they were said.
    fn said(&mut self, said: &LastReply) {
        let Some(host) = host_name(said) else {
            for text in said.reply.lines().take(REPLY_LINES_MAX) {
                self.paragraph("    ", &line(text, Script::Utf8));
            }
            return;
        };
        let host = line(host, Script::Utf8);
        self.paragraph("    ", &format!("The mail server {host} said {}:", moment(said.stage)));
        self.0.push_str("\r\n");
        for text in reply_lines(&said.reply, Script::Utf8) {
            self.wrapped("      ", &text);
        }
    }
}

/// When in the dialogue something was said, for people who do not know the commands.
fn moment(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "when we connected",
        Stage::Ehlo => "when we gave our name",
        Stage::StartTls => "when we asked for encryption",
        Stage::Auth => "when we logged in",
        Stage::Mail => "when it heard the sender",
        Stage::Rcpt => "when it heard the recipient",
        Stage::Data => "before it took the message",
        Stage::Dot => "when it had the message",
        Stage::Quit => "at the end",
    }
}

/// What a sender can do about a refusal that is none of the other side's.
const OUR_OWN_RULES: &str = "ask the operator of this mail system; nobody else has refused it.";

/// What a sender can do about a failure (the subjects and details of RFC 3463 §3).
fn advice(status: Status) -> &'static str {
    match (status.subject, status.detail) {
        (1, 7 | 8) => {
            "the recipient's side did not like your own address as the sender. Check that it \
             exists and can get mail, then send the message again."
        }
        (1, 2 | 10) => {
            "check the part of the address behind the @ for typing mistakes; no mail goes to \
             that name."
        }
        (1, _) => {
            "check the address for typing mistakes. If it is right, the mailbox does not exist \
             any more: ask the recipient for the new one in another way."
        }
        (2, 1) => "the mailbox is closed. Reach the recipient in another way.",
        (2, 2) => {
            "the mailbox is full. Tell the recipient in another way, and send the message again \
             later."
        }
        (2 | 3, 3 | 4) => {
            "the message is too large for the recipient's side. Send it in smaller parts, or a \
             link to what was attached."
        }
        // Some hosts say it of a message that has passed too many.
        (4, 0) => {
            "the mail's way between mail servers is not in order; it may go round in circles. \
             Tell the postmaster of the recipient's domain."
        }
        (4, 6) => {
            "the mail goes round in circles between mail servers. Tell the postmaster of the \
             recipient's domain."
        }
        (4, 7) => {
            "we tried again and again until the message's time ran out. Send it again if it \
             still matters."
        }
        (3 | 4, _) => {
            "the recipient's mail server could not be reached or could not work. Check the part \
             of the address behind the @, and send the message again later."
        }
        (6, 7 | 9) => {
            "the recipient's mail server cannot handle addresses or headers beyond plain ASCII. \
             Use an address and a subject without such letters."
        }
        (5 | 6, _) => {
            "the recipient's mail server cannot handle a message of this form. Send it in a \
             simpler one: plain text, common attachments."
        }
        (7, _) => {
            "the recipient's side refuses the message by its own rules. What it said above \
             tells why; show it to your postmaster if you do not know what it means."
        }
        _ => {
            "what the other side said above tells why. If it does not help you, show this \
             report to your postmaster."
        }
    }
}
