//! DNS-10: whether the address is one of those that change hands.

use crate::blocklist::{Lists, Reading, Subject, look_up};
use crate::check::Found;
use crate::dns::Known;

use super::sender::Sender;

/// Lists that say so, and are believed.
const ASKED: [&str; 2] = ["spamhaus-zen", "abusix"];

pub(super) fn dynamic(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    let subject = Subject::Address(sender.address);
    let keys = known.keys().clone();
    let lists = ASKED.iter().filter_map(|id| Lists::built_in().named(id));
    let readings: Vec<_> =
        lists.map(|list| (list, look_up(known, list, &keys, &subject))).collect();
    let mut unclear = None;
    let mut asked = 0;
    for (list, reading) in readings {
        let Some(reading) = reading? else { continue };
        match reading {
            Reading::Listed(entries) => {
                asked += 1;
                if let Some(entry) = entries.into_iter().find(|entry| entry.is_dynamic) {
                    return Found::fail(format!("{}: {}", list.name, entry.means));
                }
            }
            Reading::NotListed => asked += 1,
            Reading::Unclear(why) => {
                unclear = unclear.or_else(|| Some(format!("{}: {why}", list.name)))
            }
        }
    }
    match (asked, unclear) {
        (0, Some(why)) => Found::error(why),
        (0, None) => Found::skip("no list has such addresses"),
        _ => Found::pass("no list says that it changes hands"),
    }
}
