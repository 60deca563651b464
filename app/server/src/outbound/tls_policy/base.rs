//! At which names the TLSA records of a host are looked for (RFC 7672 §2.2.2): at the end of its
//! aliases where all of them are signed, and at its own name.

use postlane_checks::{Answer, Kind, Name, Question, Record};
use postlane_net::dns::Resolver;

/// Aliases that are followed, one after the other. Chosen, not measured: RFC 1034 §3.6.2 wants none
/// of aliases.
const ALIASES_MAX: usize = 8;

/// The names to look at, one after the other, or why the last of them cannot be found out.
///
/// `is_vouched`: the resolver vouches for the host's addresses, and with that for every alias on the
/// way to them. Where it does not, an own name that is a signed alias still counts: what is behind
/// it is in a zone of somebody else's that is not signed.
pub(super) async fn bases(
    resolver: &Resolver,
    host: &Name,
    is_vouched: bool,
) -> Result<Vec<Name>, String> {
    let mut names = vec![host.clone()];
    for _ in 0..ALIASES_MAX {
        let Some(last) = names.last() else { break };
        let question = Question { name: last.clone(), kind: Kind::Cname };
        let answer = resolver.answer(&question).await;
        if let Answer::Failed(why) = answer {
            return Err(format!("CNAME of {last}: {why}"));
        }
        let target = answer.records().iter().find_map(|record| match record {
            Record::Cname(target) => Some(target.clone()),
            _ => None,
        });
        let is_signed = matches!(&answer, Answer::Found(found) if found.authentic);
        match target.filter(|target| is_signed && !names.contains(target)) {
            Some(target) => names.push(target),
            None => break,
        }
    }
    let is_alias = names.len() > 1;
    Ok(match (is_vouched, is_alias, names.pop()) {
        (true, true, Some(end)) => vec![end, host.clone()],
        (true, false, _) | (false, true, _) => vec![host.clone()],
        _ => Vec::new(),
    })
}
