//! The first page of help: what to begin with, and all commands by what they are for.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;
use crate::print;

/// The commands by what they are for, each in one group.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Mail", &["serve", "send", "queue", "lanes", "suppression", "reload"]),
    (
        "What happened, and why",
        &["log", "trace", "diagnose", "incidents", "explain", "evidence", "audit", "tls-report"],
    ),
    ("Before mail goes", &["preflight", "check", "tester", "dkim", "spf", "domains", "blocklists"]),
    ("Other servers' logs and replies", &["analyze", "classify", "rules", "bounce"]),
    ("Trying without sending", &["rehearse", "receiver"]),
    (
        "Running it",
        &["config", "spool", "user", "token", "webhook", "view", "completions", "manual"],
    ),
];

/// What a stranger begins with.
const BEGIN: [(&str, &str); 4] = [
    ("postlane serve", "take mail on 127.0.0.1:2525; no configuration is needed"),
    ("postlane analyze /var/log/mail.log", "what your Postfix's log tells of providers' limits"),
    ("postlane explain '421 4.7.0 …'", "what a reply means, and who must act"),
    ("postlane COMMAND --help", "all of a command; docs/guide has a page for most"),
];

/// The whole command line, with its commands in groups.
pub(crate) fn command() -> Command {
    let command = Cli::command();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\nBegin with:\n{}{}\nOptions:\n{{options}}",
        begin(),
        groups(&command)
    );
    command.help_template(template)
}

fn begin() -> String {
    BEGIN.iter().fold(String::new(), |mut all, (typed, does)| {
        row(&mut all, typed, 36, does);
        all
    })
}

/// A name in a column of so many characters, and behind it what is said, within the screen.
fn row(all: &mut String, name: &str, column: usize, says: &str) {
    let screen = print::columns().clamp(50, 100);
    let mut shown = name;
    for line in print::wrapped(says, screen - 2 - column) {
        let _ = writeln!(all, "  {shown:<column$}{line}");
        shown = "";
    }
}

fn groups(command: &Command) -> String {
    let mut all = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(all, "\n{title}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            row(&mut all, name, 13, &about);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_command_is_in_one_group() {
        let command = command();
        let all: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> =
            GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(grouped.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(grouped.len(), all.len(), "none is named twice");
    }
}
