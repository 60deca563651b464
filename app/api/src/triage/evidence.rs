//! A pack of evidence from what the ledger remembers.

use std::sync::Arc;

use postlane_ledger::{Entry, Filter, Kind, Ledger, Written};
use postlane_mail::{Instant, Reply};
use postlane_replies::{Label, Providers};
use postlane_server::triage::picture;
use postlane_triage::{
    Addressee, Assessment, Attempt, Contact, Dossier, Pack, Picture, Shown, SourceProof,
    SourceSeen, assess,
};

use super::{NoDiagnosis, look};
use crate::wire::{DiagnosisQuery, EvidenceQuery};

/// How many refusals the samples are chosen from, the youngest. Chosen, not measured.
const REFUSALS_MAX: usize = 2_000;

/// What is asked for, beside what stands in the query.
pub struct Asking<'a> {
    /// When.
    pub now: Instant,
    /// What marks in place of local parts are made with.
    pub key: [u8; 32],
    /// Asks the reverse DNS for the sources; it is handed them with what the ledger has of them, and
    /// gives them back in the same order. Nobody to ask: it leaves them as they are.
    pub prove: &'a dyn Fn(Vec<SourceProof>) -> Result<Vec<SourceProof>, NoDiagnosis>,
}

/// A pack for whoever can help.
///
/// # Errors
/// The question or the ledger cannot be read, or nothing was sent to the provider.
pub fn evidence(
    ledger: &Ledger,
    query: &EvidenceQuery,
    asking: &Asking<'_>,
) -> Result<Pack, NoDiagnosis> {
    let providers = Providers::built_in();
    let asked = DiagnosisQuery {
        provider: Some(query.provider.clone()),
        since: query.since.clone(),
        until: query.until.clone(),
        tenant: None,
    };
    let look = look(&asked, &providers, asking.now)?;
    let nothing = || {
        let says = "nothing was sent to this provider in this time; --since 7d looks further back";
        NoDiagnosis::Wrong(says.to_owned())
    };
    let mut picture = picture(ledger, &look)?;
    let wanted = |of: &Assessment| look.provider.as_ref().is_none_or(|id| of.provider == *id);
    if !assess(&picture).iter().any(wanted) {
        return Err(nothing());
    }
    let sources = proven(&mut picture, asking)?;
    // What the DNS said counts in the verdict, too.
    let assessment = assess(&picture).into_iter().find(wanted).ok_or_else(nothing)?;
    let id = assessment.provider.clone();
    let known = providers.known().iter().find(|of| of.id.as_str() == &*id);
    let addressee = match query.addressee.as_deref() {
        None => Addressee::of_provider(&id),
        Some(name) => Addressee::parse(name).ok_or_else(|| {
            let names: Vec<&str> = Addressee::ALL.into_iter().map(Addressee::name).collect();
            NoDiagnosis::Wrong(format!("\"{name}\" is nobody to write to: {}", names.join(", ")))
        })?,
    };
    let contact = |page: &postlane_replies::PostmasterPage| Contact {
        url: page.url.to_string(),
        source: page.source.to_string(),
    };
    let dossier = Dossier {
        provider_name: known.map_or_else(|| id.to_string(), |of| of.name.to_string()),
        addressee,
        from: look.from,
        to: look.to,
        made: asking.now,
        refusals: refusals(ledger, &id, (look.from, look.to))?,
        sources,
        changes: picture.changes,
        contacts: known.map(|of| of.postmaster.iter().map(contact).collect()).unwrap_or_default(),
        shown: if query.full_addresses { Shown::Full } else { Shown::Marked(asking.key) },
        assessment,
    };
    Ok(Pack::build(&dossier))
}

/// The sources with what the DNS says of them, which the picture learns as well.
fn proven(picture: &mut Picture, asking: &Asking<'_>) -> Result<Vec<SourceProof>, NoDiagnosis> {
    let proof = |seen: &SourceSeen| SourceProof {
        source: seen.source.clone(),
        address: seen.address,
        ehlo: seen.ehlo.clone(),
        names: Vec::new(),
        ptr: seen.ptr,
        asked: None,
        why: String::new(),
    };
    let proofs = (asking.prove)(picture.sources.iter().map(proof).collect())?;
    for (seen, proof) in picture.sources.iter_mut().zip(&proofs) {
        seen.ptr = proof.ptr;
    }
    Ok(proofs)
}

fn refusals(
    ledger: &Ledger,
    provider: &Arc<str>,
    (from, to): (Instant, Instant),
) -> Result<Vec<Attempt>, NoDiagnosis> {
    let filter = Filter {
        from: Some(from),
        to: Some(to),
        kinds: vec![Kind::Deferred, Kind::Bounced, Kind::ConnectFailed],
        providers: vec![(&**provider).into()],
        ..Filter::default()
    };
    let entries = ledger.latest(&filter, REFUSALS_MAX, None)?.entries;
    entries.into_iter().map(|written| attempt(ledger, written)).collect()
}

fn attempt(ledger: &Ledger, written: Written) -> Result<Attempt, NoDiagnosis> {
    // Samples are few, and lie beside the entries.
    let headers = ledger.sample(written.seq)?.map(|sample| sample.headers.to_string());
    let Entry { code, reply, .. } = &written.entry;
    let reply = match code {
        Some(code) => with_code(&Reply::new(*code, reply.as_str())),
        None => reply.to_string(),
    };
    let entry = written.entry;
    Ok(Attempt {
        at: entry.at,
        queue_id: entry.id.map_or_else(String::new, |id| id.to_string()),
        message_id: entry.message_id.into(),
        sender: entry.sender.into(),
        recipient: entry.recipient.into(),
        source: (&*entry.source).into(),
        source_ip: entry.source_ip,
        ehlo: entry.ehlo.into(),
        mx_host: entry.mx_host.into(),
        mx_ip: entry.mx_ip,
        tls: entry.tls.into(),
        attempt: entry.attempt.unwrap_or_default(),
        stage: entry.stage,
        reply,
        label: Label::parse(&entry.label).unwrap_or(Label::Unknown),
        headers: headers.filter(|headers| !headers.is_empty()),
    })
}

/// The lines as they came over the wire.
fn with_code(reply: &Reply) -> String {
    let last = reply.lines().count().saturating_sub(1);
    let line = |(n, text): (usize, &str)| {
        let mark = if n == last { ' ' } else { '-' };
        format!("{}{mark}{text}", reply.code())
    };
    reply.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}
