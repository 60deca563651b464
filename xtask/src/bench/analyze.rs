//! `cargo xtask bench analyze`: how fast another server's log is read, beside what is read today.
//!
//! The log is one that a real Postfix wrote (`core/maillog/tests/logs`), again and again: each time
//! later, with queue ids and recipients of its own, so that nothing of the time before is found
//! in a cache of ours. Figures are CPU time of the whole program, its start included.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::{build_relay, machine, process};
use crate::ended::Ended;
use crate::root::root;

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The program [default: built with --release]
    #[arg(long)]
    relay_bin: Option<PathBuf>,
    /// Size of the log in MB (10⁶ octets)
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=2000))]
    megabytes: u64,
    /// How often each program reads it, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// The log that is repeated.
const RECORDED: &str = "core/maillog/tests/logs/postfix-3.7/mail.log.gz";
/// How much later each repetition begins, in seconds: the log is of ten minutes.
const LATER_S: u64 = 660;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let root = root();
    let program = match &arguments.relay_bin {
        Some(binary) => binary.clone(),
        None => build_relay(&root)?,
    };
    let home = tempfile::tempdir_in(root.join("target"))?;
    let log = home.path().join("mail.log");
    let recorded = unpacked(&root.join(RECORDED))?;
    let octets = repeated(&recorded, arguments.megabytes * 1_000_000, &log)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", machine(&root))?;
    let lines = octets / (recorded.len() as u64 / recorded.lines().count() as u64);
    writeln!(out, "{} MB, some {lines} lines\n", octets / 1_000_000)?;
    writeln!(out, "| round | program | CPU s | MB a second of CPU |\n|---:|---|---:|---:|")?;
    for round in 1..=arguments.rounds {
        let mut postlane = Command::new(&program);
        postlane.args(["analyze", "--json"]).arg(&log);
        told(&mut out, round, "postlane analyze", octets, cpu_s(&mut postlane)?)?;
        let mut pflogsumm = Command::new("pflogsumm");
        pflogsumm.arg(&log);
        match cpu_s(&mut pflogsumm) {
            Ok(cpu) => told(&mut out, round, "pflogsumm", octets, cpu)?,
            Err(_) if round > 1 => {}
            Err(e) => writeln!(out, "pflogsumm was not measured (Debian's package): {e:#}")?,
        }
    }
    Ok(Ended::Well)
}

fn told(
    out: &mut impl Write,
    round: u32,
    name: &str,
    octets: u64,
    cpu_s: f64,
) -> anyhow::Result<()> {
    writeln!(out, "| {round} | {name} | {cpu_s:.2} | {:.0} |", octets as f64 / 1e6 / cpu_s)?;
    Ok(out.flush()?)
}

/// CPU time of a program from its start to its end.
fn cpu_s(command: &mut Command) -> anyhow::Result<f64> {
    let before = process::cpu_us(std::process::id());
    let status = command.stdout(Stdio::null()).status().context("while starting it")?;
    anyhow::ensure!(status.success(), "it ended with {status}");
    Ok((process::cpu_us(std::process::id()) - before) as f64 / 1e6)
}

fn unpacked(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("while opening {}", path.display()))?;
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes the log again and again until it is long enough; gives its size.
fn repeated(recorded: &str, octets: u64, to: &Path) -> anyhow::Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(to)?);
    for pass in 0.. {
        for line in recorded.lines() {
            writeln!(file, "{}", moved(line, pass).with_context(|| line.to_owned())?)?;
        }
        file.flush()?;
        if fs::metadata(to)?.len() >= octets {
            break;
        }
    }
    Ok(fs::metadata(to)?.len())
}

/// A line of a later pass: `Nov 21 17:55:07 out1 postfix/qmgr[2423]: 18C12A100FD: from=<…`.
fn moved(line: &str, pass: u64) -> Option<String> {
    let number = |range: std::ops::Range<usize>| line.get(range)?.parse::<u64>().ok();
    let of_day = number(7..9)? * 3600 + number(10..12)? * 60 + number(13..15)?;
    let at = of_day + pass * LATER_S;
    let (day, hour, minute, second) = (1 + at / 86_400, at / 3600 % 24, at / 60 % 60, at % 60);
    let rest = line.get(15..)?.replace("to=<", &format!("to=<{pass}."));
    let rest = match rest.split_once("]: ") {
        Some((program, told)) => match (queue_id(told), told.get(5..)) {
            (Some(id), Some(behind)) => {
                let id = (id ^ pass.wrapping_mul(0x9e37)) & 0xf_ffff;
                format!("{program}]: {id:05X}{behind}")
            }
            _ => format!("{program}]: {told}"),
        },
        None => rest,
    };
    Some(format!("Nov {day:2} {hour:02}:{minute:02}:{second:02}{rest}"))
}

/// The first five digits of the queue id that a line begins with.
fn queue_id(told: &str) -> Option<u64> {
    let (id, _) = told.split_once(':')?;
    let is_id = id.len() >= 10 && id.bytes().all(|octet| octet.is_ascii_hexdigit());
    u64::from_str_radix(id.get(..5).filter(|_| is_id)?, 16).ok()
}
