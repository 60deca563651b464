//! What holds of incidents, whatever is seen.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{healthy, throttled};
use super::*;

/// What one look sees, and how many minutes after the one before.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Throttled,
    Healthy,
    Nothing,
    /// The server was restarted in between, and sees the same as `Throttled`.
    Restarted,
}

fn looks() -> impl Strategy<Value = Vec<(Seen, u64)>> {
    let seen = prop_oneof![
        4 => Just(Seen::Throttled),
        4 => Just(Seen::Healthy),
        1 => Just(Seen::Nothing),
        1 => Just(Seen::Restarted),
    ];
    // Runs of the same, for nothing closes in a world that changes at every look.
    let run = (seen, 1_u64..30, 1_usize..12);
    prop::collection::vec(run, 1..20).prop_map(|runs| {
        runs.into_iter().flat_map(|(seen, minutes, many)| vec![(seen, minutes); many]).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_incident_flaps(looks in looks()) {
        let (throttled, healthy) = (throttled(), healthy());
        let mut incidents = Incidents::default();
        let mut now = Instant::from_unix_s(1_000_000);
        // Since when trouble was seen at every look, and when it was seen last.
        let (mut since, mut last): (Option<Instant>, Option<Instant>) = (None, None);
        let mut open: BTreeSet<u64> = BTreeSet::new();
        for (seen, minutes) in looks {
            now = now + Span::from_min(minutes);
            if matches!(seen, Seen::Restarted) {
                incidents = Incidents::restored(incidents.iter().cloned(), 0);
                since = None;
            }
            let assessments: &[Assessment] = match seen {
                Seen::Throttled | Seen::Restarted => &throttled,
                Seen::Healthy => &healthy,
                Seen::Nothing => &[],
            };
            since = match seen {
                Seen::Throttled | Seen::Restarted => since.or(Some(now)),
                _ => None,
            };
            for change in incidents.look(now, assessments) {
                match change {
                    IncidentChange::Opened(id) | IncidentChange::Reopened(id) => {
                        prop_assert!(open.insert(id), "{id} was open already");
                        let began = since.expect("trouble is seen");
                        prop_assert!(now.since(began) >= Incidents::OPENS_AFTER);
                    }
                    IncidentChange::Closed(id) => {
                        prop_assert!(open.remove(&id), "{id} was not open");
                        let last = last.expect("it was seen once");
                        prop_assert!(now.since(last) >= Incidents::CLOSES_AFTER);
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            if since.is_some() {
                last = Some(now);
            }
            let mut keys: BTreeMap<&IncidentKey, u32> = BTreeMap::new();
            for incident in incidents.iter().filter(|of| of.closed.is_none()) {
                *keys.entry(&incident.key).or_default() += 1;
                prop_assert!(open.contains(&incident.id));
            }
            prop_assert!(keys.values().all(|many| *many == 1), "{keys:?}");
            prop_assert_eq!(keys.len(), open.len());
        }
    }

    #[test]
    fn impact_is_told_each_time_it_has_doubled_and_never_more_often(
        more in prop::collection::vec(0_u64..400, 1..60),
    ) {
        let mut incidents = Incidents::default();
        let at = Instant::from_unix_s(1_000_000);
        incidents.look(at, &throttled());
        incidents.look(at + Incidents::OPENS_AFTER, &throttled());
        let (mut all, mut told) = (0_u64, Vec::new());
        for delayed in more {
            all += delayed;
            let change = incidents.count(1, Impact { delayed, ..Impact::default() }, at);
            if change == Some(IncidentChange::Grown(1)) {
                told.push(all);
            }
        }
        prop_assert_eq!(incidents.find(1).map(|of| of.impact.delayed), Some(all));
        prop_assert!(told.windows(2).all(|pair| pair[1] >= 2 * pair[0]), "{told:?}");
        prop_assert_eq!(all >= 100, !told.is_empty());
    }
}
