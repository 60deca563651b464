//! What holds in every trial of Postlane, however busy the machine is.

use super::destination::Refusing;
use super::table::name;
use super::trial::{Told, Trial};

/// Canaries in the ten minutes after a first 421, at most.
const CANARIES: u64 = 3;

/// What was not as it must be, in sentences.
pub(super) fn broken(trial: &Trial, told: &Told) -> Vec<String> {
    let name = name(trial);
    let mut broken = Vec::new();
    let handed_over = trial.lessons + trial.messages;
    // A message may have gone between the look at the queue and the end; none may be in neither.
    let known = told.delivered + told.queued.unwrap_or(0);
    if known < handed_over {
        broken.push(format!("{name}: {} messages are lost", handed_over - known));
    }
    if told.doubled > 0 {
        broken.push(format!("{name}: {} messages came more than once", told.doubled));
    }
    let refusals = told.timeline.refusals(0, u64::MAX);
    let open = told.timeline.open_most(0, u64::MAX);
    let allowed = open + CANARIES;
    if refusals > allowed {
        broken.push(format!(
            "{name}: {refusals} refusals, where {open} connections were open at most and \
             {CANARIES} canaries are allowed"
        ));
    }
    if trial.refusing == Refusing::Everything && told.delivered > 0 {
        broken.push(format!("{name}: {} messages went through", told.delivered));
    }
    broken
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::bench::lanes::timeline::Timeline;
    use crate::bench::server::Server;

    fn trial() -> Trial {
        Trial {
            server: Server::Postlane(PathBuf::new()),
            refusing: Refusing::Beyond { messages: 10, window_s: 10 },
            messages: 10,
            lessons: 0,
            restarts: false,
            longest: Duration::ZERO,
        }
    }

    fn told(refusals: u64, queued: u64) -> Told {
        let csv = format!("head\n0,2,1,8,8,{refusals},0,2\n");
        Told {
            timeline: Timeline::read(&csv).unwrap(),
            begun_s: 0,
            ended_s: 3,
            restarted_s: None,
            delivered: 8,
            doubled: 0,
            queued: Some(queued),
        }
    }

    #[test]
    fn open_connections_and_canaries_may_be_refused_and_no_more() {
        assert!(broken(&trial(), &told(5, 2)).is_empty());
        assert_eq!(broken(&trial(), &told(6, 2)).len(), 1);
    }

    #[test]
    fn what_is_neither_delivered_nor_queued_is_lost() {
        assert!(broken(&trial(), &told(0, 1))[0].ends_with("1 messages are lost"));
    }

    #[test]
    fn what_came_twice_is_told() {
        let told = Told { doubled: 1, ..told(0, 2) };
        assert_eq!(broken(&trial(), &told).len(), 1);
    }
}
