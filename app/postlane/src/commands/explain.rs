//! `postlane explain`: what a reply means, who must wait, and what to do.

mod many;
mod one;

use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use postlane_replies::{Scratch, read_logged};

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;
use crate::replies::{Audience, Known, OwnRules, Who, reply_of};

/// A reply, or a log full of them.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane explain '421 4.7.0 Too many connections' --mx mx01.emig.gmx.net
  postlane explain --file /var/log/mail.log")]
pub(crate) struct Explain {
    /// The reply as it was said, or the line of a log it stands in; `-` reads standard input
    #[arg(value_name = "REPLY", required_unless_present = "file", conflicts_with = "file")]
    reply: Option<String>,
    /// Explain all replies in a log or list, counted by provider and meaning; `-` reads
    /// standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    who: Who,
    /// To whom the steps are told
    #[arg(long = "for", value_name = "WHOM", value_enum, default_value = "operator", help_heading = None)]
    audience: Audience,
    #[command(flatten)]
    own: OwnRules,
}

pub(crate) fn run(reach: &Reach, explain: &Explain) -> Result<Exit, Failure> {
    let known = Known::with(&explain.own)?;
    let told = known.speaker(&explain.who)?;
    if let Some(file) = &explain.file {
        let met = many::read(&known, &told, file)?;
        return Ok(many::show(reach, &known, &met, explain.audience));
    }
    let text = match explain.reply.as_deref() {
        Some("-") | None => read_stdin()?,
        Some(text) => text.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(Failure::usage("there is no reply: write one, as in \"421 4.7.0 Try later\""));
    }
    let logged = read_logged(&text);
    let speaker =
        logged.as_ref().map_or_else(|| told.clone(), |line| known.speaker_of(&told, line));
    let mut scratch = Scratch::default();
    let mut told = |reply| known.explain(&mut scratch, reply, &speaker, explain.audience);
    let explained = match &logged {
        Some(logged) => told(&logged.reply),
        None => told(&reply_of(&text)).without_code(&text),
    };
    if reach.json {
        print::json(&explained)
    } else {
        one::show(&explained)
    }
    Ok(Exit::Yes)
}

fn read_stdin() -> Result<String, Failure> {
    /// More than any reply has. In octets.
    const REPLY_MAX: u64 = 1 << 20;
    let mut octets = Vec::new();
    let read = io::stdin().lock().take(REPLY_MAX).read_to_end(&mut octets);
    read.map_err(|e| Failure::usage(format!("cannot read standard input: {e}")))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
