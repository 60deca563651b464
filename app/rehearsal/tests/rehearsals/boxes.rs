//! Boxes that grow with what is refused in them: a canary too soon makes the rest longer.

use postlane_rehearsal::{Fate, Policy};

use crate::contact;

/// 250 an hour, and refused attempts count; three refused in five minutes shut the source out for half an
/// hour, twice as long with each one after, for eight hours at most.
const DOUBLES: &str = r#"
[[receiver.limit]]
id = "hour"
kind = "sliding"
quota = 250
window = "1h"
stage = "connect"
charge = "attempted"
key = ["ip"]
reply = "421 4.7.0 Messages temporarily deferred"
penalty = { after = 3, within = "5m", hold = "30m", extend = "double", max = "8h" }
"#;

#[test]
fn a_lane_whose_canaries_fed_a_box_finds_the_hour_behind_it() {
    for policy in [Policy::Lane, Policy::LaneWarm] {
        let run = contact::of(DOUBLES, policy);
        let is_delivered = |fate: &Fate| matches!(fate, Fate::Delivered(_));
        let delivered = run.messages.iter().filter(|m| is_delivered(&m.fate)).count();
        assert!(delivered * 100 >= run.messages.len() * 99, "{delivered} delivered");
        assert!(run.refused_for_rate <= 40, "{} refused", run.refused_for_rate);
    }
}
