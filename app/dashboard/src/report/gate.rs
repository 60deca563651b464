//! What each provider would say of it.

use postlane_checks::Gate;

use super::told::Told;
use crate::numbers::foreign;

/// A provider's verdict.
pub(crate) struct GateCard {
    pub(crate) name: String,
    /// `ready`, `at risk`, `blocked` or `undetermined`.
    pub(crate) verdict: String,
    pub(crate) chip: &'static str,
    pub(crate) says: &'static str,
    /// The checks that make it so.
    pub(crate) blocking: Vec<String>,
}

/// What a provider with a gate is called by people; its id, where it has none.
pub(crate) fn gate_name(id: &str) -> String {
    let gate = Gate::ALL.into_iter().find(|gate| gate.id() == id);
    gate.map_or_else(|| foreign(id), |gate| gate.name().to_owned())
}

/// The colour that goes with a verdict.
pub(crate) fn chip_of_verdict(verdict: &str) -> &'static str {
    match verdict {
        "ready" => "good",
        "at risk" => "warn",
        "blocked" => "bad",
        _ => "still",
    }
}

/// The verdicts as reports list them: a provider that is asked about first, and then in the order of
/// gates.
pub(super) fn gates_of(told: &Told, first: &str) -> Vec<GateCard> {
    let known = Gate::ALL.into_iter().map(Gate::id);
    let mut ids: Vec<&str> = known.filter(|id| told.gates.contains_key(*id)).collect();
    ids.extend(
        told.gates.keys().map(String::as_str).filter(|id| !ids.contains(id)).collect::<Vec<_>>(),
    );
    ids.sort_by_key(|id| *id != first);
    let card = |id: &str| {
        let gate = told.gates.get(id)?;
        Some(GateCard {
            name: gate_name(id),
            verdict: foreign(&gate.verdict),
            chip: chip_of_verdict(&gate.verdict),
            says: says_of(&gate.verdict, gate.blocking.is_empty()),
            blocking: gate.blocking.iter().map(|id| foreign(id)).collect(),
        })
    };
    ids.into_iter().filter_map(card).collect()
}

fn says_of(verdict: &str, is_bare: bool) -> &'static str {
    match (verdict, is_bare) {
        ("ready", _) => "Nothing stands in the way.",
        ("at risk", _) => "Held against the sender:",
        ("blocked", _) => "Missing:",
        (_, false) => "Could not be found out:",
        (_, true) => "What it asks for cannot be seen from here.",
    }
}
