//! `postlane diagnose`: what is wrong, why, what speaks against it, and what to do.

mod shown;

use std::path::PathBuf;

use clap::Args;
use postlane_api::triage::{self, NoDiagnosis};
use postlane_api::wire::{DiagnosisPage, DiagnosisQuery};
use postlane_ledger::Ledger;
use postlane_mail::Instant;

use super::log::{open_folder, written};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// Where to look.
#[derive(Args)]
pub(crate) struct Diagnose {
    /// Only this provider, in detail: its id, brand or name, or one of its domains
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Not before: a moment (RFC 3339), or how long ago: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// Before: a moment, or how long ago [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this tenant's mail
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Every provider in detail, the healthy ones too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    ledger: LedgerFolder,
}

/// A ledger that no server has open; without it the running server is asked.
#[derive(Args)]
#[command(next_help_heading = "Which ledger")]
pub(crate) struct LedgerFolder {
    /// Read the ledger in this folder, while no server runs
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "token"])]
    dir: Option<PathBuf>,
}

pub(crate) fn run(reach: &Reach, diagnose: &Diagnose) -> Result<Exit, Failure> {
    let query = DiagnosisQuery {
        provider: diagnose.provider.clone(),
        since: Some(diagnose.since.clone()),
        until: diagnose.until.clone(),
        tenant: diagnose.tenant.clone(),
    };
    let page: DiagnosisPage = match diagnose.ledger.open()? {
        Some(ledger) => triage::diagnosis(&ledger, &query, now()).map_err(|e| undiagnosed(&e))?,
        None => Client::find(reach)?.get(&format!("/v1/diagnosis?{}", written(&query)))?,
    };
    let is_trouble =
        |class: &str| !matches!(class, "healthy" | "too_little" | "waiting" | "greylisting");
    let trouble = page.providers.iter().any(|of| is_trouble(&of.verdict.class));
    if reach.json {
        print::json(&page);
    } else if page.providers.is_empty() {
        let whom = diagnose.provider.as_ref().map_or_else(String::new, |id| format!(" to {id:?}"));
        print::note(&format!("nothing was sent{whom} in this time; --since 7d looks further back"));
    } else {
        shown::page(&page, diagnose.all || diagnose.provider.is_some());
    }
    Ok(if trouble { Exit::No } else { Exit::Yes })
}

impl LedgerFolder {
    /// None where a server is to be asked.
    pub(crate) fn open(&self) -> Result<Option<Ledger>, Failure> {
        let Some(dir) = &self.dir else { return Ok(None) };
        open_folder(dir).map(Some)
    }
}

pub(crate) fn undiagnosed(error: &NoDiagnosis) -> Failure {
    match error {
        NoDiagnosis::Wrong(says) => Failure::usage(says.clone()),
        error => Failure::new(Exit::Undetermined, error.to_string()),
    }
}

pub(crate) fn now() -> Instant {
    let since = jiff::Timestamp::now().as_microsecond();
    Instant(u64::try_from(since).unwrap_or_default())
}
