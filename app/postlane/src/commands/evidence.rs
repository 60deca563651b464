//! `postlane evidence`: a pack for whoever can help, written into a folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use postlane_api::triage::{self, Asking, NoDiagnosis, ReverseDns};
use postlane_api::wire::{EvidencePack, EvidenceQuery};
use postlane_ledger::Ledger;
use postlane_server::triage::fresh_key;
use postlane_triage::{Shown, SourceProof};

use super::analyze::{LogPack, LogsOfOthers};
use super::check::Answers;
use super::diagnose::{LedgerFolder, now, undiagnosed};
use super::log::written;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// About whom, for whom, and where to.
#[derive(Args)]
#[command(after_help = "Examples:
  postlane evidence --provider gmx --since 24h --out pack
  postlane evidence --provider gmx --log /var/log/mail.log --ip 192.0.2.7 --out pack")]
pub(crate) struct Evidence {
    /// The provider: its id, brand or name, or one of its domains
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Not before: a moment (RFC 3339), or how long ago: 30m, 24h, 7d [default: 24h; of a log, all]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before: a moment, or how long ago [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The folder for it; it must not be there yet, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// To whom it is written: gmx, gmail, outlook, yahoo, t-online, esp, postmaster [default: the
    /// one that fits the provider]
    #[arg(long = "for", value_name = "WHO")]
    addressee: Option<String>,
    /// Show addresses in full; otherwise marks stand in place of local parts
    #[arg(long)]
    full_addresses: bool,
    #[command(flatten)]
    ledger: LedgerFolder,
    #[command(flatten)]
    others: LogsOfOthers,
    #[command(flatten, next_help_heading = "Reverse DNS, with --dir or --log")]
    answers: Answers,
}

pub(crate) fn run(reach: &Reach, evidence: &Evidence) -> Result<Exit, Failure> {
    let query = EvidenceQuery {
        provider: evidence.provider.clone(),
        since: evidence.since.clone(),
        until: evidence.until.clone(),
        addressee: evidence.addressee.clone(),
        full_addresses: evidence.full_addresses,
    };
    let pack = match evidence.ledger.open()? {
        Some(ledger) => of_folder(&ledger, &query, &evidence.answers)?,
        None if evidence.others.are_given() => of_logs(evidence)?,
        None if evidence.answers.are_given() => return Err(its_own_resolver()),
        None => Client::find(reach)?.get(&format!("/v1/evidence?{}", written(&query)))?,
    };
    write(&evidence.out, &pack)?;
    if reach.json {
        print::json(&pack.files.iter().map(|file| &*file.name).collect::<Vec<_>>());
    } else {
        print::line(&format!(
            "{} files in {}; begin with report.html and letter.txt, and send what you have looked at",
            pack.files.len(),
            evidence.out.display()
        ));
    }
    Ok(Exit::Yes)
}

fn of_logs(evidence: &Evidence) -> Result<EvidencePack, Failure> {
    let shown = if evidence.full_addresses { Shown::Full } else { Shown::Marked(key()?) };
    let pack = evidence.others.pack(&LogPack {
        provider: &evidence.provider,
        addressee: evidence.addressee.as_deref(),
        span: (evidence.since.as_deref(), evidence.until.as_deref()),
        shown,
        prove: &|proofs| proved(&evidence.answers, proofs),
    })?;
    Ok(EvidencePack::from(pack))
}

fn its_own_resolver() -> Failure {
    Failure::usage(
        "the running server asks the resolvers of its configuration; where answers come from is \
         said together with --dir or --log",
    )
}

/// The sources with what the DNS says of their addresses.
fn proved(
    answers: &Answers,
    mut proofs: Vec<SourceProof>,
) -> Result<Vec<SourceProof>, NoDiagnosis> {
    if let Some(wanted) = ReverseDns::of(&proofs) {
        let found = answers.run(|known| wanted.look(known));
        let found = found.map_err(|why| NoDiagnosis::Wrong(why.says().to_owned()))?;
        wanted.tell(Ok(found), now(), &mut proofs);
    }
    Ok(proofs)
}

fn key() -> Result<[u8; 32], Failure> {
    let none = || Failure::new(Exit::Undetermined, "the system has no randomness to give");
    fresh_key().ok_or_else(none)
}

fn of_folder(
    ledger: &Ledger,
    query: &EvidenceQuery,
    answers: &Answers,
) -> Result<EvidencePack, Failure> {
    let asking = Asking { now: now(), key: key()?, prove: &|proofs| proved(answers, proofs) };
    let pack = triage::evidence(ledger, query, &asking).map_err(|e| undiagnosed(&e))?;
    Ok(EvidencePack::from(pack))
}

/// Writes the files; never over others.
fn write(out: &Path, pack: &EvidencePack) -> Result<(), Failure> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(Exit::Undetermined, format!("cannot write {}: {error}", path.display()))
    };
    fs::create_dir_all(out).map_err(|e| failed(out, &e))?;
    let mut there = fs::read_dir(out).map_err(|e| failed(out, &e))?;
    if there.next().is_some() {
        let says = format!("{} is not empty: name a new folder with --out", out.display());
        return Err(Failure::usage(says));
    }
    for file in &pack.files {
        let name = Path::new(&file.name);
        // The server is ours, and yet no answer may write beside the folder.
        if !name.components().all(|part| matches!(part, Component::Normal(_))) {
            continue;
        }
        let path = out.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        }
        fs::write(&path, &file.text).map_err(|e| failed(&path, &e))?;
    }
    Ok(())
}
