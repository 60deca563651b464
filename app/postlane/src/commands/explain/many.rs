//! All replies of a log: what they mean, counted by provider and meaning.

use std::collections::BTreeMap;
use std::path::Path;

use postlane_mail::Reply;
use postlane_replies::{Label, Scratch, cluster_of};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::print::{self, printable};
use crate::reach::Reach;
use crate::replies::{Audience, Explained, Known, Speaker, recorded};

/// How many kinds are told apart; what comes then is counted, and not shown. Chosen, not measured.
const KINDS_MAX: usize = 10_000;

/// What a log has told.
#[derive(Default)]
pub(super) struct Met {
    /// By provider (empty: nobody knows) and label.
    meanings: BTreeMap<(String, Label), Kind>,
    /// By provider and cluster: what no rule has words for.
    unclassified: BTreeMap<(String, String), Kind>,
    accepted: u64,
    replies: u64,
    /// Replies of kinds beyond the limit.
    beyond: u64,
}

/// Replies of a kind.
struct Kind {
    count: u64,
    /// The first that was met, and who said it.
    example: (Reply, Speaker),
}

/// A kind as it is told.
#[derive(Serialize)]
struct Told {
    count: u64,
    #[serde(flatten)]
    example: Explained,
}

/// All of them, as JSON.
#[derive(Serialize)]
struct AllTold {
    replies: u64,
    accepted: u64,
    beyond: u64,
    kinds: Vec<Told>,
    unclassified: Vec<Told>,
}

pub(super) fn read(known: &Known, told: &Speaker, file: &Path) -> Result<Met, Failure> {
    let mut met = Met::default();
    let mut scratch = Scratch::default();
    recorded(file, |logged| {
        met.replies += 1;
        let speaker = known.speaker_of(told, &logged);
        let diagnosis = known.book.diagnose(&mut scratch, speaker.heard(&logged.reply));
        if diagnosis.label == Label::Accepted {
            met.accepted += 1;
            return;
        }
        let provider = diagnosis.provider.clone().or_else(|| known.lane(&speaker));
        let provider = provider.map(|id| id.to_string()).unwrap_or_default();
        let reply = logged.reply;
        let counted = if diagnosis.is_unclassified() {
            count(&mut met.unclassified, (provider, cluster_of(&reply)), reply, speaker)
        } else {
            count(&mut met.meanings, (provider, diagnosis.label), reply, speaker)
        };
        met.beyond += u64::from(!counted);
    })?;
    Ok(met)
}

/// Counts one; false where there are kinds enough.
fn count<K: Ord>(kinds: &mut BTreeMap<K, Kind>, key: K, reply: Reply, speaker: Speaker) -> bool {
    if kinds.len() >= KINDS_MAX && !kinds.contains_key(&key) {
        return false;
    }
    kinds.entry(key).or_insert(Kind { count: 0, example: (reply, speaker) }).count += 1;
    true
}

pub(super) fn show(reach: &Reach, known: &Known, met: &Met, audience: Audience) -> Exit {
    let mut scratch = Scratch::default();
    let mut explained = |kind: &Kind| {
        let (reply, speaker) = &kind.example;
        let example = known.explain(&mut scratch, reply, speaker, audience);
        Told { count: kind.count, example }
    };
    let mut kinds: Vec<_> = met.meanings.values().map(&mut explained).collect();
    let mut unclassified: Vec<_> = met.unclassified.values().map(&mut explained).collect();
    // The sort keeps the order of names where counts are the same.
    kinds.sort_by_key(|told| std::cmp::Reverse(told.count));
    unclassified.sort_by_key(|told| std::cmp::Reverse(told.count));
    let all = AllTold {
        replies: met.replies,
        accepted: met.accepted,
        beyond: met.beyond,
        kinds,
        unclassified,
    };
    if reach.json {
        print::json(&all)
    } else {
        tell(&all)
    }
    if met.replies > 0 { Exit::Yes } else { Exit::No }
}

fn tell(all: &AllTold) {
    if all.replies == 0 {
        print::note("there is no reply in it: `postlane explain --help` says what is read");
        return;
    }
    print::line(&format!("{} replies, {} of them accepted", all.replies, all.accepted));
    for told in &all.kinds {
        print::line("");
        one(told);
    }
    if !all.unclassified.is_empty() {
        print::line("");
        print::line("No rule has words for these:");
        for told in &all.unclassified {
            print::line("");
            new(told);
        }
    }
    if all.beyond > 0 {
        print::line("");
        print::line(&format!("{} replies of further kinds are not shown", all.beyond));
    }
}

fn one(told: &Told) {
    let Told { count, example } = told;
    let provider = example.provider.as_deref().unwrap_or("-");
    print::line(&format!("{count:>8}  {}  {}", printable(provider), example.label));
    if !example.means.is_empty() {
        print::field("", &printable(&example.means));
    }
    print::field("", example.does);
    print::field("", &format!("e.g. {}", printable(&example.reply)));
}

fn new(told: &Told) {
    let Told { count, example } = told;
    let provider = example.provider.as_deref().unwrap_or("-");
    let cluster = example.cluster.as_deref().unwrap_or_default();
    print::line(&format!("{count:>8}  {}  {}", printable(provider), printable(cluster)));
    print::field("", &format!("e.g. {}", printable(&example.reply)));
}
