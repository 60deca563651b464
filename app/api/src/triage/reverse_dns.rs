//! What the DNS says of the addresses we send from, asked when a pack of evidence is made.

use std::net::IpAddr;

use postlane_checks::Known;
use postlane_checks::address::{Reverse, reverse_of};
use postlane_mail::Instant;
use postlane_server::Inspector;
use postlane_triage::{Ptr, SourceProof};

/// Addresses that are asked about for one pack; what is said of the others is that nobody asked.
/// Chosen, not measured: more than a provider is sent from.
const ADDRESSES_MAX: usize = 64;

/// Addresses whose names are asked for, and the addresses of these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseDns {
    /// In order, each once.
    addresses: Vec<IpAddr>,
}

impl ReverseDns {
    /// Those of sources that have one, 64 at most; nothing is to be asked where none has.
    pub fn of(proofs: &[SourceProof]) -> Option<Self> {
        let mut addresses: Vec<IpAddr> = proofs.iter().filter_map(|proof| proof.address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(ADDRESSES_MAX);
        (!addresses.is_empty()).then_some(Self { addresses })
    }

    /// What is said of each, once all of it is known.
    pub fn look(&self, known: &mut Known) -> Option<Vec<Reverse>> {
        // All are asked before any is waited for.
        let found: Vec<_> = self.addresses.iter().map(|of| reverse_of(known, *of)).collect();
        found.into_iter().collect()
    }

    /// Writes down what a look found, or why there was none, and when that was.
    pub fn tell(
        &self,
        found: Result<Vec<Reverse>, String>,
        now: Instant,
        proofs: &mut [SourceProof],
    ) {
        let found =
            found.unwrap_or_else(|why| vec![Reverse::Undetermined(why); self.addresses.len()]);
        for proof in proofs {
            let at = proof.address.and_then(|address| self.addresses.binary_search(&address).ok());
            if let Some(reverse) = at.and_then(|at| found.get(at)) {
                say(proof, reverse);
                proof.asked = Some(now);
            }
        }
    }
}

/// Asks the reverse DNS for each source that has an address, and its names for their addresses, with
/// the relay's own resolver. What cannot be found out stays undetermined.
pub(crate) async fn prove(
    inspector: &Inspector,
    now: Instant,
    mut proofs: Vec<SourceProof>,
) -> Vec<SourceProof> {
    if let Some(wanted) = ReverseDns::of(&proofs) {
        let look = wanted.clone();
        let found = inspector.look(Known::new(), move |known| look.look(known)).await;
        let found = found.map(|(found, _)| found).map_err(|why| why.to_string());
        wanted.tell(found, now, &mut proofs);
    }
    proofs
}

fn say(proof: &mut SourceProof, reverse: &Reverse) {
    let (ptr, names) = match reverse {
        Reverse::Confirmed { names, .. } => (Ptr::Confirmed, &**names),
        Reverse::Missing => (Ptr::Missing, &[][..]),
        Reverse::Unconfirmed(names) => (Ptr::Unconfirmed, &**names),
        Reverse::Undetermined(why) => {
            proof.why.clone_from(why);
            (Ptr::Undetermined, &[][..])
        }
    };
    proof.ptr = ptr;
    proof.names = names.iter().map(ToString::to_string).collect();
}
