//! `postlane spool`: verify, explain and move a queue that no server has open.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use postlane_mail::{Instant, QueueId};
use postlane_spool::{
    AGES_MIN, Checked, Exported, Finding, Imported, MoveError, OpenError, SegmentStats, Settings,
    Stats, Wrong,
};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum SpoolCommand {
    /// Verify every record, index and envelope; changes nothing. Stop the server first
    Check,
    /// How much is in it, how old it is, and what room it takes; also beside a server
    Stats,
    /// Write what is queued into a file, for another host. Stop the server first
    Export {
        /// The file; it must not be there yet
        file: PathBuf,
        /// Only this message; may be given more than once
        #[arg(long = "id", value_name = "ID", value_parser = QueueId::parse)]
        ids: Vec<QueueId>,
    },
    /// Take what another host has exported. Stop the server first
    Import {
        /// The file
        file: PathBuf,
    },
}

pub(crate) fn run(reach: &Reach, command: SpoolCommand) -> Result<Exit, Failure> {
    let data = reach.data_dir();
    let dir = data.join("spool");
    match command {
        SpoolCommand::Check => check(reach, &dir),
        SpoolCommand::Stats => stats(reach, &dir),
        SpoolCommand::Export { file, ids } => export(reach, &dir, &file, ids),
        SpoolCommand::Import { file } => import(reach, &dir, &file),
    }
}

fn check(reach: &Reach, dir: &Path) -> Result<Exit, Failure> {
    let bar = bar("segments");
    let checked = postlane_spool::check(dir, |done, of| show(&bar, done.into(), of.into()));
    bar.finish_and_clear();
    let Checked { segments, octets, messages, findings } = checked.map_err(|e| unopened(&e))?;
    let exit = found(&findings);
    if reach.json {
        let findings: Vec<Value> = findings.iter().map(finding).collect();
        print::json(&json!({
            "segments": segments,
            "octets": octets,
            "messages": messages,
            "findings": findings,
        }));
        return Ok(exit);
    }
    findings.iter().for_each(|finding| print::line(&finding.to_string()));
    let all_well = if findings.is_empty() { "all is well" } else { "not all is well" };
    print::line(&format!(
        "{all_well}: {segments} segments of {octets} octets, {messages} messages wait"
    ));
    Ok(exit)
}

fn stats(reach: &Reach, dir: &Path) -> Result<Exit, Failure> {
    let stats = postlane_spool::stats(dir, now()).map_err(|e| unopened(&e))?;
    if reach.json {
        print::json(&stats_json(&stats));
        return Ok(Exit::Yes);
    }
    print::line(&format!("messages    {}", stats.messages));
    print::line(&format!(
        "recipients  {}, {} of them tried or held",
        stats.recipients, stats.states
    ));
    print::line(&format!("keyed       {}", stats.keyed));
    print::line(&format!("oldest      {} min", stats.oldest.0 / 60_000_000));
    print::line(&format!("free        {} octets", stats.free));
    let mut ages: Vec<String> = AGES_MIN.iter().map(|most| format!("<{most}")).collect();
    ages.push(format!("{}+", AGES_MIN[AGES_MIN.len() - 1]));
    let mut header = vec!["MINUTES"];
    header.extend(ages.iter().map(String::as_str));
    let mut row = vec!["messages".to_owned()];
    row.extend(stats.by_age.iter().map(ToString::to_string));
    print::line("");
    print::table(&header, [row]);
    print::line("");
    let header = ["SEGMENT", "OCTETS", "LIVE", "MESSAGES", "LIVE", "STATES", "KEYS"];
    print::table(&header, stats.segments.iter().map(segment_row));
    stats.findings.iter().for_each(|finding| print::note(&finding.to_string()));
    Ok(Exit::Yes)
}

fn segment_row(segment: &SegmentStats) -> Vec<String> {
    let share = (segment.live_octets * 100).checked_div(segment.octets).unwrap_or(0);
    vec![
        format!("{:08}", segment.number),
        segment.octets.to_string(),
        format!("{share} %"),
        segment.messages.to_string(),
        segment.live_messages.to_string(),
        segment.live_states.to_string(),
        segment.live_keys.to_string(),
    ]
}

fn stats_json(stats: &Stats) -> Value {
    let segment = |segment: &SegmentStats| {
        json!({
            "segment": segment.number,
            "octets": segment.octets,
            "live_octets": segment.live_octets,
            "messages": segment.messages,
            "live_messages": segment.live_messages,
            "live_states": segment.live_states,
            "live_keys": segment.live_keys,
        })
    };
    json!({
        "messages": stats.messages,
        "recipients": stats.recipients,
        "states": stats.states,
        "keyed": stats.keyed,
        "oldest_s": stats.oldest.0 / 1_000_000,
        "free_octets": stats.free,
        "ages_min": AGES_MIN,
        "by_age": stats.by_age,
        "segments": stats.segments.iter().map(segment).collect::<Vec<_>>(),
        "findings": stats.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn export(reach: &Reach, dir: &Path, file: &Path, ids: Vec<QueueId>) -> Result<Exit, Failure> {
    let unusable = |e: io::Error| Failure::usage(format!("cannot write {}: {e}", file.display()));
    let only = (!ids.is_empty()).then(|| ids.into_iter().collect::<BTreeSet<_>>());
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut out = BufWriter::with_capacity(1 << 20, open.map_err(unusable)?);
    let bar = bar("messages");
    let exported = postlane_spool::export(dir, now(), only.as_ref(), &mut out, |done, of| {
        show(&bar, done, of);
    });
    bar.finish_and_clear();
    let synced = exported.map_err(|e| unmoved(&e)).and_then(|exported| {
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(unusable)?;
        Ok(exported)
    });
    // Half an export is none.
    let exported = synced.inspect_err(|_| drop(fs::remove_file(file)))?;
    let missing = only.map_or(0, |only| only.len() as u64 - exported.messages);
    told_export(reach, file, &exported, missing);
    Ok(if missing > 0 { Exit::No } else { found(&exported.findings) })
}

fn told_export(reach: &Reach, file: &Path, exported: &Exported, missing: u64) {
    if reach.json {
        print::json(&json!({
            "messages": exported.messages,
            "recipients": exported.recipients,
            "keyed": exported.keyed,
            "octets": exported.octets,
            "missing": missing,
            "findings": exported.findings.iter().map(finding).collect::<Vec<_>>(),
        }));
        return;
    }
    exported.findings.iter().for_each(|finding| print::note(&finding.to_string()));
    let Exported { messages, recipients, octets, .. } = exported;
    print::line(&format!(
        "{messages} messages to {recipients} recipients in {}, {octets} octets",
        file.display()
    ));
    if missing > 0 {
        print::note(&format!("{missing} of the named messages are not in the spool"));
    }
    print::note("the spool still has them: start only one of the two, or they are delivered twice");
}

fn import(reach: &Reach, dir: &Path, file: &Path) -> Result<Exit, Failure> {
    let opened = File::open(file);
    let mut from = opened
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", file.display())))
        .map(|file| io::BufReader::with_capacity(1 << 20, file))?;
    let bar = bar("records");
    let imported = postlane_spool::import(dir, Settings::default(), &mut from, |done, of| {
        show(&bar, done, of);
    });
    bar.finish_and_clear();
    let Imported { messages, known, keyed, findings } = imported.map_err(|e| unmoved(&e))?;
    if reach.json {
        print::json(&json!({
            "messages": messages,
            "keyed": keyed,
            "known": known.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        }));
    } else {
        findings.iter().for_each(|finding| print::note(&finding.to_string()));
        print::line(&format!("{messages} messages taken"));
        if !known.is_empty() {
            print::line(&format!("{} left out: the spool has them already", known.len()));
        }
    }
    Ok(found(&findings))
}

/// The exit status for what was found.
fn found(findings: &[Finding]) -> Exit {
    if findings.is_empty() { Exit::Yes } else { Exit::No }
}

fn finding(finding: &Finding) -> Value {
    let id = match finding.wrong {
        Wrong::Message(id) => id,
        Wrong::Envelope(id) => Some(id),
        _ => None,
    };
    json!({
        "segment": finding.segment,
        "offset": finding.offset,
        "octets": finding.octets,
        "wrong": finding.wrong.name(),
        "loss": finding.wrong.is_loss(),
        "id": id.map(|id| id.to_string()),
        "kept": finding.kept,
        "text": finding.to_string(),
    })
}

fn unopened(error: &OpenError) -> Failure {
    let is_in_use = matches!(error, OpenError::InUse { .. });
    Failure::new(if is_in_use { Exit::TryAgain } else { Exit::Usage }, error.to_string())
}

fn unmoved(error: &MoveError) -> Failure {
    match error {
        MoveError::Open(error) => unopened(error),
        error => Failure::usage(error.to_string()),
    }
}

/// A bar on stderr; nothing is drawn where that is no terminal.
fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}

fn show(bar: &ProgressBar, done: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(done);
}

fn now() -> Instant {
    let since = jiff::Timestamp::now().as_microsecond();
    Instant(u64::try_from(since).unwrap_or_default())
}
