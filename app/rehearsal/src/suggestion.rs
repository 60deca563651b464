//! The lane configuration that a rehearsal suggests: what the lanes had learned of the receiver when
//! it was over, as ceilings that a relay can begin with.

use std::fmt::Write as _;

use postlane_engine::Settings;
use postlane_lanes::Ceilings;
use postlane_mail::{Rate, Span};
use postlane_receivers::Scenario;

use crate::run::{Believed, BelievedQuota};
use crate::runs::Engine;
use crate::world::Knowledge;

/// What a relay may be told of a provider before it has sent anything there. It binds each source by
/// itself; where sources differ it is what the best of them may, since a ceiling is never exceeded and
/// the lanes of the others find less by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The section's name, between the quotes of `[lane."NAME"]`.
    pub section: String,
    /// `max_rate_per_source`: of all limits that were found the slowest over its whole window.
    pub rate: Option<Rate>,
    /// `max_connections_per_source`.
    pub connections: Option<u16>,
    /// `max_msgs_per_connection`.
    pub session_messages: Option<u32>,
    /// Limits that were found besides, faster ones: they need no line of their own.
    besides: Vec<BelievedQuota>,
    /// How long the provider shuts out who goes too far.
    penalty: Option<Span>,
}

impl Suggestion {
    /// Of what the lanes believed at the end of a run of that scenario.
    pub fn of(scenario: &Scenario, knowledge: &Knowledge, believed: &[Believed]) -> Self {
        let mut quotas: Vec<BelievedQuota> = Vec::new();
        // Each source by itself first: its slowest limit binds it.
        let slowest = believed.iter().filter_map(|one| {
            let mut own = one.quotas.clone();
            own.sort_by(|a, b| per_hour(a).total_cmp(&per_hour(b)));
            quotas.extend(own.iter().skip(1));
            own.first().copied()
        });
        let binding = slowest.max_by(|a, b| per_hour(a).total_cmp(&per_hour(b)));
        quotas.sort_by_key(|quota| (quota.window, quota.messages));
        quotas.dedup();
        let most = |of: fn(&Believed) -> Option<u32>| {
            // Where one source found no limit there is none that binds them all.
            let all: Option<Vec<u32>> = believed.iter().map(of).collect();
            all.and_then(|all| all.into_iter().max())
        };
        let connections = most(|one| one.connections).and_then(|most| u16::try_from(most).ok());
        Self {
            section: knowledge.section_of(&scenario.receiver.site),
            rate: binding.and_then(|quota| Rate::new(quota.messages, whole(quota.window))),
            connections,
            session_messages: most(|one| one.session_messages),
            besides: quotas,
            penalty: believed.iter().filter_map(|one| one.penalty).max(),
        }
    }

    /// Whether nothing was found that a relay could be told.
    pub fn is_empty(&self) -> bool {
        self.rate.is_none() && self.connections.is_none() && self.session_messages.is_none()
    }

    /// The settings of an engine that has been told.
    #[must_use]
    pub fn told(&self, settings: &Settings) -> Settings {
        let own = settings.ceilings;
        let slower = |rate: Rate| own.rate.filter(|own| own.gap() > rate.gap()).unwrap_or(rate);
        let ceilings = Ceilings {
            connections: self.connections.map_or(own.connections, |c| c.min(own.connections)),
            rate: self.rate.map(slower).or(own.rate),
            session_messages: self
                .session_messages
                .map_or(own.session_messages, |most| most.min(own.session_messages)),
        };
        Settings { ceilings, ..settings.clone() }
    }

    /// An engine that knows what this one does, and has been told.
    pub fn engine(&self, engine: &Engine) -> Engine {
        let Engine { knowledge, settings, towards, said } = engine;
        let towards = towards.iter().map(|(id, own)| (id.clone(), self.told(own)));
        Engine {
            knowledge: knowledge.clone(),
            settings: self.told(settings),
            towards: towards.collect(),
            said: said.clone(),
        }
    }

    /// As a configuration has it, with `says` as comments above.
    pub fn to_toml(&self, says: &[String]) -> String {
        let mut toml = String::new();
        for line in says.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(toml, "# {line}");
        }
        if self.is_empty() {
            toml.push_str(
                "# The lanes met no limit that could be told here: nothing needs to be set.\n",
            );
            return toml;
        }
        for quota in &self.besides {
            let BelievedQuota { messages, window } = quota;
            let _ = writeln!(toml, "# Found besides, and learned anew: {messages} in {window}.");
        }
        if let Some(penalty) = self.penalty {
            let _ = writeln!(toml, "# Who goes too far is shut out for about {penalty}.");
        }
        let _ = writeln!(toml, "[lane.\"{}\"]", self.section);
        if let Some(rate) = self.rate {
            let _ = writeln!(toml, "max_rate_per_source = \"{}\"", written(rate));
        }
        if let Some(connections) = self.connections {
            let _ = writeln!(toml, "max_connections_per_source = {connections}");
        }
        if let Some(messages) = self.session_messages {
            let _ = writeln!(toml, "max_msgs_per_connection = {messages}");
        }
        toml
    }
}

fn per_hour(quota: &BelievedQuota) -> f64 {
    f64::from(quota.messages) / quota.window.0.max(1) as f64
}

/// In whole seconds, which a configuration can say; never shorter, so that no more is allowed.
fn whole(window: Span) -> Span {
    Span::from_s(window.as_s() + u64::from(!window.0.is_multiple_of(1_000_000)))
}

/// As a configuration writes a rate: `100/h`, `200/10m`.
fn written(rate: Rate) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let seconds = rate.per().as_s().max(1);
    let unit = UNITS.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (times, name) = unit.map_or((seconds, "s"), |(unit, name)| (seconds / unit, name));
    let times = if times == 1 { String::new() } else { times.to_string() };
    format!("{}/{times}{name}", rate.messages())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(source: u16, quotas: &[(u32, u64)]) -> Believed {
        let quota = |(messages, s): &(u32, u64)| BelievedQuota {
            messages: *messages,
            window: Span::from_s(*s),
        };
        Believed {
            source,
            quotas: quotas.iter().map(quota).collect(),
            connections: Some(5),
            session_messages: None,
            penalty: None,
        }
    }

    fn scenario() -> Scenario {
        let (_, text) = postlane_receivers::builtin()[0];
        Scenario::parse(text).unwrap()
    }

    #[test]
    fn the_slowest_limit_of_the_best_source_is_suggested() {
        let knowledge = Knowledge::built_in();
        let lanes = [believed(0, &[(30, 60), (100, 3_600)]), believed(1, &[(10, 3_600)])];
        let suggestion = Suggestion::of(&scenario(), &knowledge, &lanes);
        let toml = suggestion.to_toml(&["because".to_owned()]);
        assert_eq!(
            toml,
            "# because\n# Found besides, and learned anew: 30 in 1m.\n[lane.\"united-internet\"]\n\
             max_rate_per_source = \"100/h\"\nmax_connections_per_source = 5\n"
        );
        let told = suggestion.told(&crate::default_settings());
        assert_eq!(told.ceilings.connections, 5);
        assert_eq!(told.ceilings.rate, Rate::new(100, Span::from_h(1)));
    }

    #[test]
    fn where_nothing_was_met_nothing_is_suggested() {
        let suggestion = Suggestion::of(&scenario(), &Knowledge::built_in(), &[]);
        assert!(suggestion.is_empty());
        assert!(!suggestion.to_toml(&[]).contains('['));
    }

    #[test]
    fn a_rate_is_written_as_a_configuration_reads_it() {
        for (messages, seconds, text) in [
            (100, 3_600, "100/h"),
            (200, 600, "200/10m"),
            (7, 86_400, "7/d"),
            (9, 5_461, "9/5461s"),
        ] {
            let rate = Rate::new(messages, Span::from_s(seconds)).unwrap();
            assert_eq!(written(rate), text);
            assert_eq!(Rate::parse(text), Ok(rate));
        }
    }
}
