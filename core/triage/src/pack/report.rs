//! The report of a pack, before it is written in one form or another.

use std::collections::BTreeSet;

use postlane_mail::Span;

use super::addressee::Addressee;
use super::authentication::Authentication;
use super::chosen::choose;
use super::dossier::{Attempt, Contact, Dossier, SourceProof};
use super::hourly::{Hour, hours};
use super::moment::utc;
use super::veil::Veil;
use crate::assessment::Assessment;
use crate::picture::Ptr;

/// How many changes are told (chosen, not measured).
const CHANGES_MAX: usize = 40;

/// The report of a pack. Every text in it is as it was said: who writes it escapes it.
pub(super) struct Report<'d> {
    pub(super) addressee: Addressee,
    pub(super) provider: &'d str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) made: String,
    pub(super) is_full: bool,
    pub(super) assessment: &'d Assessment,
    pub(super) sources: Vec<SourceRow>,
    pub(super) hours: Vec<Hour>,
    pub(super) hour: Span,
    pub(super) samples: Vec<SampleRow>,
    pub(super) replies: Vec<(u64, String)>,
    pub(super) cases: Vec<String>,
    pub(super) changes: Vec<(String, String)>,
    pub(super) contacts: &'d [Contact],
}

/// A source, with what was counted of it.
pub(super) struct SourceRow {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) ehlo: String,
    pub(super) ptr: String,
    pub(super) attempts: u64,
    pub(super) accepted: u64,
    pub(super) deferred: u64,
    pub(super) bounced: u64,
    pub(super) first_attempts_accepted: String,
    pub(super) z: String,
}

/// A refusal that is shown.
pub(super) struct SampleRow {
    pub(super) at: String,
    pub(super) queue_id: String,
    pub(super) message_id: String,
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) source: String,
    pub(super) ehlo: String,
    pub(super) mx_host: String,
    pub(super) tls: String,
    pub(super) attempt: u32,
    pub(super) stage: String,
    pub(super) reply: String,
    pub(super) label: &'static str,
    pub(super) authentication: String,
    pub(super) headers: Option<String>,
}

impl<'d> Report<'d> {
    pub(super) fn of(dossier: &'d Dossier) -> Self {
        let veil = Veil::new(dossier.shown);
        let (hours, hour) = hours(&dossier.assessment.slots, dossier.from, dossier.to);
        let samples = choose(&dossier.refusals);
        let samples = samples.into_iter().map(|refusal| SampleRow::of(refusal, &veil)).collect();
        let said = |sample: &crate::Sample| (sample.count, veil.text(&sample.reply));
        let mut cases: Vec<String> = dossier
            .assessment
            .samples
            .iter()
            .filter_map(|sample| sample.case_url.as_deref().map(|url| veil.text(url)))
            .collect();
        cases.sort();
        cases.dedup();
        let mut changes: Vec<(String, String)> =
            dossier.changes.iter().map(|of| (utc(of.at), veil.text(&of.says))).collect();
        changes.sort();
        let skipped = changes.len().saturating_sub(CHANGES_MAX);
        Self {
            addressee: dossier.addressee,
            provider: &dossier.provider_name,
            from: utc(dossier.from),
            to: utc(dossier.to),
            made: utc(dossier.made),
            is_full: veil.is_full(),
            assessment: &dossier.assessment,
            sources: sources(dossier),
            hours,
            hour,
            samples,
            replies: dossier.assessment.samples.iter().map(said).collect(),
            cases,
            changes: changes.split_off(skipped),
            contacts: &dossier.contacts,
        }
    }
}

impl Report<'_> {
    /// What was done to addresses, in a sentence.
    pub(super) fn addresses(&self) -> &'static str {
        if self.is_full {
            "Addresses are shown in full."
        } else {
            "Local parts of addresses are replaced by marks, the same for the same address."
        }
    }
}

fn sources(dossier: &Dossier) -> Vec<SourceRow> {
    let row = |of: &crate::SourceAssessment| {
        // A log of another server tells no addresses: a source of it may have several.
        let proofs = || dossier.sources.iter().filter(|proof| proof.source == of.source);
        let ehlo: BTreeSet<&str> = proofs().flat_map(|one| &one.ehlo).map(|name| &**name).collect();
        let figures = &of.figures;
        SourceRow {
            name: of.source.to_string(),
            address: joined(proofs().filter_map(|one| one.address).map(|ip| ip.to_string())),
            ehlo: joined(ehlo.into_iter().map(str::to_owned)),
            ptr: match proofs().count() {
                0 => "not asked".to_owned(),
                1 => joined(proofs().map(ptr)),
                _ => joined(proofs().map(ptr_of)),
            },
            attempts: figures.attempts(),
            accepted: figures.accepted(),
            deferred: figures.deferred(),
            bounced: figures.bounced(),
            first_attempts_accepted: figures.first_attempt_share().to_string(),
            z: of.compared.map_or_else(String::new, |compared| format!("{:.1}", compared.z)),
        }
    };
    dossier.assessment.sources.iter().map(row).collect()
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// The same with the address that it is about.
fn ptr_of(proof: &SourceProof) -> String {
    match proof.address {
        Some(ip) => format!("{ip}: {}", ptr(proof)),
        None => ptr(proof),
    }
}

fn ptr(proof: &SourceProof) -> String {
    let names = proof.names.join(", ");
    let said = match proof.ptr {
        Ptr::Unasked => "not asked".to_owned(),
        Ptr::Missing => "no name".to_owned(),
        Ptr::Confirmed => format!("{names}, leads back"),
        Ptr::Unconfirmed => format!("{names}, does not lead back"),
        Ptr::Undetermined => format!("undetermined: {}", proof.why),
    };
    match proof.asked {
        Some(at) => format!("{said} (asked {})", utc(at)),
        None => said,
    }
}

impl SampleRow {
    fn of(refusal: &Attempt, veil: &Veil) -> Self {
        let known = |ip: Option<std::net::IpAddr>| ip.map(|ip| ip.to_string());
        let named = |name: &str, ip| match known(ip) {
            Some(ip) if name.is_empty() => ip,
            Some(ip) => format!("{name} [{ip}]"),
            None => name.to_owned(),
        };
        let headers = refusal.headers.as_deref();
        Self {
            at: utc(refusal.at),
            queue_id: refusal.queue_id.clone(),
            message_id: refusal.message_id.clone(),
            sender: veil.address(&refusal.sender),
            recipient: veil.address(&refusal.recipient),
            source: named(&refusal.source, refusal.source_ip),
            ehlo: refusal.ehlo.clone(),
            mx_host: named(&refusal.mx_host, refusal.mx_ip),
            tls: refusal.tls.clone(),
            attempt: refusal.attempt,
            stage: refusal.stage.map_or_else(String::new, |stage| stage.to_string()),
            reply: veil.text(&refusal.reply),
            label: refusal.label.name(),
            authentication: headers.map_or_else(
                || "headers were not kept".to_owned(),
                |headers| Authentication::of(headers, &refusal.sender).says(),
            ),
            headers: headers.map(|headers| veil.headers(headers)),
        }
    }
}

impl SampleRow {
    /// What is known of it, each with its name; what is not known is left out.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let attempt = if self.attempt == 0 { String::new() } else { self.attempt.to_string() };
        let facts = [
            ("reply", self.reply.clone()),
            ("means", self.label.to_owned()),
            ("said to", self.stage.clone()),
            ("MX host", self.mx_host.clone()),
            ("source", self.source.clone()),
            ("EHLO", self.ehlo.clone()),
            ("TLS", self.tls.clone()),
            ("Message-ID", self.message_id.clone()),
            ("queue id", self.queue_id.clone()),
            ("reverse-path", self.sender.clone()),
            ("recipient", self.recipient.clone()),
            ("attempt", attempt),
            ("authentication", self.authentication.clone()),
        ];
        facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}
