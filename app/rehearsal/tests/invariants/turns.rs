//! Who goes first: transactional mail, and tenants in turns.

use std::collections::{BTreeMap, BTreeSet};

use crate::runs::{SEEDS, events, hold};
use crate::scenarios::{OPEN, all, scenario};
use crate::trace::{Event, What};

#[test]
fn transactional_mail_never_waits_behind_bulk() {
    hold(&all(), |events| {
        let mut waiting: BTreeSet<(u64, u64)> = BTreeSet::new();
        for Event { t_ms, what } in events {
            match what {
                What::Arrival { msg, stream } if stream == "transactional" => {
                    waiting.insert((*t_ms, *msg));
                }
                What::Dispatch { msg, stream, .. } => {
                    waiting.retain(|(_, waits)| waits != msg);
                    let first = waiting.first().filter(|(since, _)| since < t_ms);
                    assert!(
                        stream == "transactional" || first.is_none(),
                        "bulk {msg} at {t_ms} ms, and {first:?} waits"
                    );
                }
                What::Ended { msg } => waiting.retain(|(_, waits)| waits != msg),
                _ => {}
            }
        }
    });
}

const TENANTS: &str = r#"
[[mail]]
class = "engaged"
count = 400
tenant = "one"
[[mail]]
class = "engaged"
count = 100
tenant = "two"
"#;

#[test]
fn tenants_take_turns_however_much_one_of_them_has() {
    let text = scenario("tenants", "6h", r#"ips = ["ip1"]"#, TENANTS, OPEN);
    for seed in 0..SEEDS {
        let mut sent: BTreeMap<String, u32> = BTreeMap::new();
        for Event { what, .. } in events(&text, seed) {
            let What::Dispatch { tenant, .. } = what else { continue };
            *sent.entry(tenant).or_default() += 1;
            let of = |name: &str| sent.get(name).copied().unwrap_or_default();
            if of("two") < 100 {
                assert!(of("one").abs_diff(of("two")) <= 10, "{sent:?}");
            }
        }
        assert_eq!(sent.values().sum::<u32>(), 500);
    }
}

#[test]
fn refusals_of_mailboxes_and_single_messages_never_rest_a_lane() {
    let receiver = format!(
        "{OPEN}\n[[receiver.temp]]\np = 0.15\n\
         reply = \"452 4.2.2 The email account that you tried to reach is over quota\"\n"
    );
    let mail = TENANTS.replace("tenant = \"two\"", "tenant = \"two\"\nunknown = 0.5");
    let text = scenario("mailboxes", "12h", r#"ips = ["ip1"]"#, &mail, &receiver);
    for seed in 0..SEEDS {
        for Event { t_ms, what } in events(&text, seed) {
            if let What::Lane { state, reason, .. } = what {
                assert_ne!(state, "resting", "{reason} at {t_ms} ms");
            }
        }
    }
}
