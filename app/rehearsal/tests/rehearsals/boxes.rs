//! Boxes that grow with what is refused in them: a canary too soon makes the rest longer.

use postlane_rehearsal::{Fate, Policy, Tracing, run};

use crate::{ENGINE, scenario};

/// 250 an hour, and refused attempts count; three refused in five minutes shut the source out for half an
/// hour, twice as long with each one after, for eight hours at most.
const DOUBLES: &str = r#"
[meta]
id = "boxes"
title = "a box that doubles"
horizon = "4d"
seed = 77
[sender]
ips = ["ip1"]
[[mail]]
class = "engaged"
count = 3000
max_age = "3d"
[[mail]]
class = "transactional"
rate = "6/h"
to = "24h"
max_age = "24h"
[receiver]
site = "mx.boxes.example"
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
        let scenario = scenario(DOUBLES);
        let run = run(&scenario, policy, &ENGINE, scenario.run_seed(0), Tracing::Off).unwrap().run;
        let is_delivered = |fate: &Fate| matches!(fate, Fate::Delivered(_));
        let delivered = run.messages.iter().filter(|m| is_delivered(&m.fate)).count();
        assert!(delivered * 100 >= run.messages.len() * 99, "{delivered} delivered");
        assert!(run.refused_for_rate <= 40, "{} refused", run.refused_for_rate);
    }
}
