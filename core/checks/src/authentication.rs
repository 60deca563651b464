//! Who stands behind a message: SPF, DKIM, DMARC and ARC, worked out once for all checks.

use crate::arc::{self, Cv};
use crate::arrived::Arrived;
use crate::dkim::{self, Checked};
use crate::dmarc::{self, Authenticated};
use crate::dns::{Known, Name};
use crate::format::author;
use crate::spf::{self, Envelope, Explained};

/// What was found.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// The one author's domain; none where there is not exactly one, or it is no domain.
    pub author: Option<Name>,
    /// None where it is not known who brought the message.
    pub spf: Option<Explained>,
    /// Each signature, from the top.
    pub dkim: Vec<Checked>,
    /// None without an author.
    pub dmarc: Option<dmarc::Report>,
    /// The chain of forwarders.
    pub arc: Cv,
    /// How many forwarders there are.
    pub arc_sets: usize,
    /// Why the chain is broken.
    pub arc_fault: Option<String>,
}

impl Authentication {
    /// Works it out. None if answers are missing: get them ([`Known::take_missing`]), and call
    /// it again; everything that can be asked at once has been by then.
    pub fn of(known: &mut Known, arrived: &Arrived<'_>) -> Option<Self> {
        let raw = arrived.message.raw();
        let spf = arrived.client.map(|client| {
            let envelope = Envelope {
                address: client.address,
                helo: client.helo,
                mail_from: client.mail_from,
                receiver: "unknown",
                now: arrived.now,
            };
            spf::check_host(known, &envelope)
        });
        let dkim = dkim::verify(known, raw, arrived.now);
        let arc = arc::verify(known, raw);
        let author = author(&arrived.message).and_then(|author| Name::of_mail(&author.domain).ok());
        let (spf, dkim, arc) = (spf.map_or(Some(None), |found| found.map(Some))?, dkim?, arc?);
        let dmarc = match &author {
            Some(author) => {
                let passed = spf.as_ref().filter(|spf| spf.verdict == spf::Verdict::Pass);
                let authenticated = Authenticated {
                    author: author.clone(),
                    spf: passed.and_then(|spf| Name::parse(&spf.domain).ok()),
                    dkim: good(&dkim).cloned().collect(),
                };
                Some(dmarc::evaluate(known, &authenticated)?)
            }
            None => None,
        };
        let (sets, fault) = (arc.sets.len(), arc.fault.map(|fault| fault.to_string()));
        Some(Self { author, spf, dkim, dmarc, arc: arc.cv, arc_sets: sets, arc_fault: fault })
    }

    /// The domains of good signatures.
    pub fn good_signers(&self) -> impl Iterator<Item = &Name> {
        good(&self.dkim)
    }

    /// The domain SPF passed for.
    pub fn spf_passed(&self) -> Option<&str> {
        let spf = self.spf.as_ref().filter(|spf| spf.verdict == spf::Verdict::Pass);
        spf.map(|spf| &*spf.domain)
    }
}

fn good(dkim: &[Checked]) -> impl Iterator<Item = &Name> {
    let good = dkim.iter().filter(|checked| checked.outcome == dkim::Outcome::Pass);
    good.filter_map(|checked| Some(&checked.signature.as_ref()?.domain))
}
