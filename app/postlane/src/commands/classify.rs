//! `postlane classify`: a label for each of many replies, as JSON, line by line.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write as _};

use clap::Args;
use postlane_replies::Scratch;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::exit::{Exit, Failure};
use crate::print;
use crate::replies::{Known, OwnRules, Speaker, next_line, reply_of, stage_of};

/// By which rules.
#[derive(Args)]
pub(crate) struct Classify {
    #[command(flatten)]
    own: OwnRules,
}

/// A line that comes in. What else it has is not looked at.
#[derive(Deserialize)]
#[serde(expecting = "an object with reply, and id")]
struct Question<'l> {
    #[serde(borrow, default)]
    id: Option<&'l RawValue>,
    #[serde(borrow)]
    reply: Cow<'l, str>,
    #[serde(borrow, default)]
    provider: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    mx_hint: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    command_stage: Option<Cow<'l, str>>,
}

/// A line that goes out.
#[derive(Serialize)]
struct Answer<'l> {
    id: Option<&'l RawValue>,
    label: &'static str,
    signal: &'static str,
    provider: Option<&'l str>,
    rule: Option<&'l str>,
    confidence: f32,
}

pub(crate) fn run(classify: &Classify) -> Result<Exit, Failure> {
    let known = Known::with(&classify.own)?;
    let mut out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let mut from = io::BufReader::with_capacity(1 << 18, io::stdin().lock());
    let mut scratch = Scratch::default();
    let (mut line, mut number, mut exit) = (Vec::new(), 0_u64, Exit::Yes);
    let unreadable = |e: io::Error| Failure::usage(format!("cannot read standard input: {e}"));
    while next_line(&mut from, &mut line).map_err(unreadable)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Question<'_>>(&line) {
            Ok(question) => {
                print::written(answer(&known, &mut scratch, &question, &mut out));
            }
            Err(e) => {
                print::error(&format!(
                    "line {number}: {e}: write it as {{\"id\": 1, \"reply\": \"421 4.7.0 Try later\"}}"
                ));
                exit = Exit::No;
            }
        }
    }
    print::written(out.flush());
    Ok(exit)
}

fn answer(
    known: &Known,
    scratch: &mut Scratch,
    question: &Question<'_>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let reply = reply_of(&question.reply);
    let mx = question.mx_hint.as_deref();
    let named = question.provider.as_deref().and_then(|name| known.providers.resolve(name));
    let speaker = Speaker {
        provider: named.or_else(|| known.provider_at(mx)),
        mx: mx.map(str::to_owned),
        stage: question.command_stage.as_deref().and_then(stage_of),
    };
    let diagnosis = known.book.diagnose(scratch, speaker.heard(&reply));
    let provider = diagnosis.provider.as_ref().or(speaker.provider.as_ref());
    let answer = Answer {
        id: question.id,
        label: diagnosis.label.name(),
        signal: diagnosis.signal.name(),
        provider: provider.map(postlane_replies::ProviderId::as_str),
        rule: diagnosis.rule.as_ref().map(postlane_replies::RuleName::as_str),
        confidence: diagnosis.confidence.share(),
    };
    serde_json::to_writer(&mut *out, &answer)?;
    out.write_all(b"\n")
}
