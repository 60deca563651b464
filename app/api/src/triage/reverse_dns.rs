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

/// Asks the reverse DNS for each source that has an address, and its names for their addresses, with
/// the relay's own resolver. What cannot be found out stays undetermined.
pub(crate) async fn prove(
    inspector: &Inspector,
    now: Instant,
    mut proofs: Vec<SourceProof>,
) -> Vec<SourceProof> {
    let mut addresses: Vec<IpAddr> = proofs.iter().filter_map(|proof| proof.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(ADDRESSES_MAX);
    if addresses.is_empty() {
        return proofs;
    }
    let asked = addresses.clone();
    let look = move |known: &mut Known| {
        // All are asked before any is waited for.
        let found: Vec<_> = asked.iter().map(|address| reverse_of(known, *address)).collect();
        found.into_iter().collect::<Option<Vec<Reverse>>>()
    };
    let found = match inspector.look(Known::new(), look).await {
        Ok((found, _)) => found,
        Err(why) => vec![Reverse::Undetermined(why.to_string()); addresses.len()],
    };
    for proof in &mut proofs {
        let at = proof.address.and_then(|address| addresses.binary_search(&address).ok());
        if let Some(reverse) = at.and_then(|at| found.get(at)) {
            say(proof, reverse);
            proof.asked = Some(now);
        }
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
