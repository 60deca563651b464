//! A pack of evidence from another mail server's log.
//!
//! What a log does not tell, whoever asks may: the addresses it was sent from, and the name in EHLO.
//! Headers are in no log, so there are none in the pack.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use postlane_api::triage::NoDiagnosis;
use postlane_mail::Span;
use postlane_maillog::{Analysis, Limits, Refusal, Report, Turn};
use postlane_replies::{PostmasterPage, Providers};
use postlane_triage::{
    Addressee, Assessment, Attempt, Contact, Dossier, Pack, Ptr, Shown, SourceProof, SourceSeen,
    assess,
};

use super::{Wanted, book, files, given, verdict};
use crate::commands::diagnose::{now, undiagnosed};
use crate::exit::Failure;
use crate::replies::OwnRules;

/// Logs of another mail server, and what they do not tell.
#[derive(Args)]
#[command(next_help_heading = "From another mail server's log")]
pub(crate) struct LogsOfOthers {
    /// Its log instead of a ledger; once for each file, plain or compressed (.gz, .zst)
    #[arg(long = "log", value_name = "LOG", conflicts_with_all = ["dir", "server", "token"])]
    logs: Vec<PathBuf>,
    /// Which program wrote it
    #[arg(long, value_name = "NAME", value_enum, default_value = "auto", requires = "logs")]
    format: Wanted,
    /// An address it sends from, which logs do not tell; may be given several times
    #[arg(long = "ip", value_name = "ADDRESS", requires = "logs")]
    addresses: Vec<IpAddr>,
    /// The name it gives with EHLO
    #[arg(long, value_name = "NAME", requires = "logs")]
    ehlo: Option<String>,
    #[command(flatten)]
    own: OwnRules,
}

/// What a pack from a log is to be about.
pub(crate) struct LogPack<'a> {
    /// The provider's id, brand or name.
    pub(crate) provider: &'a str,
    /// To whom it is written, if somebody said so.
    pub(crate) addressee: Option<&'a str>,
    /// Not before, and before, as it was given.
    pub(crate) span: (Option<&'a str>, Option<&'a str>),
    /// How addresses are shown.
    pub(crate) shown: Shown,
    /// Asks the reverse DNS for the sources; gives them back in the same order.
    pub(crate) prove: &'a dyn Fn(Vec<SourceProof>) -> Result<Vec<SourceProof>, NoDiagnosis>,
}

impl LogsOfOthers {
    /// Whether there are any.
    pub(crate) fn are_given(&self) -> bool {
        !self.logs.is_empty()
    }

    /// The pack.
    pub(crate) fn pack(&self, asked: &LogPack<'_>) -> Result<Pack, Failure> {
        let moment = |text: Option<&str>| text.map(given::moment).transpose();
        let (from, to) = asked.span;
        let (from, to) = (moment(from), moment(to));
        let (since, until) =
            given::span(from.map_err(Failure::usage)?, to.map_err(Failure::usage)?)?;
        let providers = Providers::built_in();
        let id: Arc<str> = match providers.resolve(asked.provider) {
            Some(known) => known.as_str().into(),
            // Whoever is in no table is a provider of their own.
            None => asked.provider.into(),
        };
        let rules = book(&self.own)?;
        let begin = || {
            Analysis::new(Arc::clone(&rules), Limits::default(), since, until).with_refusals_of(&id)
        };
        let report = files::read(&self.logs, self.format.format(), &begin)?;
        let mut picture = verdict::picture(&report);
        let nothing = || {
            Failure::usage(format!(
                "nothing was sent to {} by this log: `postlane analyze` lists whom it names",
                asked.provider
            ))
        };
        if !assess(&picture).iter().any(|one| one.provider == id) {
            return Err(nothing());
        }
        let sources = (asked.prove)(self.sources(&report, &id)).map_err(|e| undiagnosed(&e))?;
        // What the DNS said counts in the verdict, too.
        picture.sources = sources.iter().map(seen).collect();
        let assessment = assess(&picture).into_iter().find(|one| one.provider == id);
        let assessment = assessment.ok_or_else(nothing)?;
        Ok(Pack::build(&self.dossier(asked, &providers, &report, (sources, assessment))?))
    }

    fn dossier(
        &self,
        asked: &LogPack<'_>,
        providers: &Providers,
        report: &Report,
        (sources, assessment): (Vec<SourceProof>, Assessment),
    ) -> Result<Dossier, Failure> {
        let id = Arc::clone(&assessment.provider);
        let known = providers.known().iter().find(|of| of.id.as_str() == &*id);
        let addressee = match asked.addressee {
            None => Addressee::of_provider(&id),
            Some(name) => Addressee::parse(name).ok_or_else(|| nobody(name))?,
        };
        let contact = |page: &PostmasterPage| Contact {
            url: page.url.to_string(),
            source: page.source.to_string(),
        };
        Ok(Dossier {
            provider_name: known.map_or_else(|| id.to_string(), |of| of.name.to_string()),
            addressee,
            from: report.from.unwrap_or_default(),
            to: report.to.unwrap_or_default() + Span::from_s(1),
            made: now(),
            refusals: report.refusals.iter().map(|refusal| self.attempt(refusal)).collect(),
            sources,
            changes: Vec::new(),
            contacts: known
                .map(|of| of.postmaster.iter().map(contact).collect())
                .unwrap_or_default(),
            shown: asked.shown,
            assessment,
        })
    }

    /// Who sent by the log; and the addresses that were named, which the log cannot tell apart.
    fn sources(&self, report: &Report, id: &str) -> Vec<SourceProof> {
        let of = report.providers.iter().find(|of| *of.id == *id);
        let proof = |source: Arc<str>, address| SourceProof {
            source,
            address,
            ehlo: self.ehlo.iter().map(|name| name.as_str().into()).collect(),
            names: Vec::new(),
            ptr: Ptr::Unasked,
            asked: None,
            why: String::new(),
        };
        let mut names = of.into_iter().flat_map(|of| &of.sources).map(|one| Arc::from(&*one.name));
        match *self.addresses {
            [] => names.map(|name| proof(name, None)).collect(),
            [address] => names.map(|name| proof(name, Some(address))).collect(),
            _ => {
                let name = names.next().unwrap_or_else(|| "this server".into());
                self.addresses.iter().map(|of| proof(Arc::clone(&name), Some(*of))).collect()
            }
        }
    }

    fn attempt(&self, refusal: &Refusal) -> Attempt {
        let only = match *self.addresses {
            [address] => Some(address),
            _ => None,
        };
        Attempt {
            at: refusal.at,
            queue_id: refusal.id.to_string(),
            message_id: refusal.message_id.to_string(),
            sender: refusal.sender.to_string(),
            recipient: refusal.recipient.to_string(),
            source: Arc::from(&*refusal.source),
            source_ip: only,
            ehlo: self.ehlo.clone().unwrap_or_default(),
            mx_host: refusal.host.to_string(),
            mx_ip: None,
            tls: String::new(),
            attempt: u32::from(refusal.turn == Turn::First),
            stage: refusal.stage,
            reply: refusal.said.to_string(),
            label: refusal.label,
            headers: None,
        }
    }
}

fn seen(proof: &SourceProof) -> SourceSeen {
    SourceSeen {
        source: Arc::clone(&proof.source),
        address: proof.address,
        ehlo: proof.ehlo.clone(),
        ptr: proof.ptr,
    }
}

fn nobody(name: &str) -> Failure {
    let names: Vec<&str> = Addressee::ALL.into_iter().map(Addressee::name).collect();
    Failure::usage(format!("\"{name}\" is nobody to write to: {}", names.join(", ")))
}
