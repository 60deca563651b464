//! A scenario in a few words: who is written to, how much by when, and what is known of the limits.
//! Written out as the TOML that everything else reads, so that it can be kept, changed and repeated.

use postlane_mail::Domain;
use postlane_receivers::Ms;
use postlane_replies::Providers;

/// A scenario in a few words.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The provider: its name, one of its domains, or an MX host.
    pub provider: String,
    /// Messages in all, transactional ones too.
    pub messages: u32,
    /// Of them so many are transactional, 0 to 1: they come one by one until the deadline, while the
    /// others are there at once.
    pub transactional: f64,
    /// What has not been delivered so long after it came has missed its time, and expires.
    pub deadline: Ms,
    /// Addresses to send from.
    pub sources: u16,
    /// What each of them may, as far as it is known.
    pub limit: Option<KnownLimit>,
    /// Connections at once from each of them, where that is known.
    pub connections: Option<u32>,
    /// Where chance begins: run number s has the seed `seed·1000 + s`.
    pub seed: u64,
}

/// How many messages a provider takes from an address, and what it does with who goes further.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownLimit {
    /// So many…
    pub quota: u32,
    /// …in any such time.
    pub window: Ms,
    /// Whether refused attempts count, too.
    pub counts_refused: Counts,
    /// After ten refusals within ten minutes nothing is taken for so long.
    pub penalty: Option<Ms>,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Messages that were accepted.
    Accepted,
    /// Every attempt.
    Attempted,
}

/// Why a description is none: which field, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {says}")]
pub struct DescriptionError {
    /// The field's name, as the API has it.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub says: String,
}

/// Addresses to send from, at most.
const SOURCES_MAX: u16 = 64;

/// The longest deadline: what the relay itself keeps mail for is five days unless it is told
/// otherwise, and a campaign of two weeks is a long one. Chosen, not measured.
const DEADLINE_MAX: Ms = Ms(14 * Ms::DAY.0);

impl Description {
    /// As TOML, with comments that say what may be changed.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn to_toml(&self) -> Result<String, Vec<DescriptionError>> {
        let mut wrong = Vec::new();
        let site = self.site(&mut wrong);
        self.check(&mut wrong);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let deadline = written(self.deadline);
        // What came last still has its time.
        let horizon = written(self.deadline + self.deadline);
        let transactional = self.transactional_messages();
        let bulk = self.messages - transactional;
        let sources: Vec<String> = (1..=self.sources).map(|n| format!("\"ip{n}\"")).collect();
        let mut toml = format!(
            "# {} messages to {site}, to be delivered within {deadline}.\n[meta]\nid = \"described\"\n\
             title = \"{} messages to {site} within {deadline}\"\nhorizon = \"{horizon}\"\nseed = {}\n\n\
             [sender]\nips = [{}]\n",
            self.messages,
            self.messages,
            self.seed,
            sources.join(", ")
        );
        if bulk > 0 {
            toml.push_str(&format!(
                "\n[[mail]]\nclass = \"engaged\"\ncount = {bulk}\nmax_age = \"{deadline}\"\n"
            ));
        }
        if transactional > 0 {
            toml.push_str(&format!(
                "\n# About {transactional}, whenever chance will have it.\n[[mail]]\nclass = \
                 \"transactional\"\nrate = \"{transactional}/{deadline}\"\nto = \"{deadline}\"\n\
                 max_age = \"{deadline}\"\n"
            ));
        }
        toml.push_str(&format!("\n[receiver]\nsite = \"{site}\"\n"));
        self.limits(&mut toml);
        Ok(toml)
    }

    /// A host that is the provider's.
    fn site(&self, wrong: &mut Vec<DescriptionError>) -> String {
        let text = self.provider.trim();
        let providers = Providers::built_in();
        if let Some(domain) = providers.named(text).and_then(|known| known.domains.first()) {
            // A brand or a domain that was named stays what it is.
            let own = Domain::parse(text).ok().filter(|own| own.as_str().contains('.'));
            return own.map_or_else(|| domain.to_string(), |own| own.as_str().to_owned());
        }
        match Domain::parse(text) {
            Ok(host) if host.as_str().contains('.') => host.as_str().to_owned(),
            _ => {
                let meant = providers.suggest(text).unwrap_or("web.de");
                let says = format!(
                    "{text:?} is no provider that is known, and no host: write a name as in \
                     {meant:?}, a domain, or an MX host"
                );
                wrong.push(DescriptionError { field: "provider", says });
                String::new()
            }
        }
    }

    fn check(&self, wrong: &mut Vec<DescriptionError>) {
        let mut ask = |holds: bool, field, says: &str| {
            if !holds {
                wrong.push(DescriptionError { field, says: says.to_owned() });
            }
        };
        ask(self.messages > 0, "messages", "there is nothing to send: write at least 1");
        ask(
            (0.0..=1.0).contains(&self.transactional),
            "transactional",
            "it is a part of all mail: write a number from 0 to 1",
        );
        ask(
            (Ms::from_min(1)..=DEADLINE_MAX).contains(&self.deadline),
            "deadline",
            "write a time from 1m to 14d, as in \"24h\"",
        );
        ask(
            (1..=SOURCES_MAX).contains(&self.sources),
            "sources",
            "write how many addresses you send from, 1 to 64",
        );
        ask(self.connections != Some(0), "connections", "write at least 1, or leave it out");
        if let Some(limit) = &self.limit {
            ask(limit.quota > 0, "quota", "a quota of 0 takes nothing: write at least 1");
            ask(
                (Ms::from_s(1)..=Ms(7 * Ms::DAY.0)).contains(&limit.window),
                "window",
                "write a time from 1s to 7d, as in \"1h\"",
            );
            ask(
                limit.penalty.is_none_or(|hold| (Ms::from_min(1)..=Ms::DAY).contains(&hold)),
                "penalty",
                "write a time from 1m to 24h, or leave it out",
            );
        }
    }

    fn transactional_messages(&self) -> u32 {
        // At most what there is: the share is at most 1.
        (f64::from(self.messages) * self.transactional).round() as u32
    }

    fn limits(&self, toml: &mut String) {
        if let Some(limit) = &self.limit {
            let charge = match limit.counts_refused {
                Counts::Accepted => "accepted",
                Counts::Attempted => "attempted",
            };
            toml.push_str(&format!(
                "\n[[receiver.limit]]\nid = \"quota\"\nkind = \"sliding\"\nkey = [\"ip\"]\ncharge = \
                 \"{charge}\"\nquota = {}\nwindow = \"{}\"\nstage = \"rcpt\"\nreply = \"421 4.7.0 Too \
                 many messages from your address, try again later\"\n",
                limit.quota,
                written(limit.window)
            ));
            if let Some(hold) = limit.penalty {
                toml.push_str(&format!(
                    "penalty = {{ after = 10, within = \"10m\", hold = \"{}\" }}\n",
                    written(hold)
                ));
            }
        }
        if let Some(connections) = self.connections {
            toml.push_str(&format!(
                "\n[[receiver.limit]]\nid = \"connections\"\nkind = \"conns\"\nkey = [\"ip\"]\nquota = \
                 {connections}\nstage = \"connect\"\nreply = \"421 4.7.0 Too many concurrent \
                 connections from your address\"\n"
            ));
        }
    }
}

/// A length of time as a scenario has it, to the millisecond.
fn written(ms: Ms) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = UNITS.into_iter().find(|(unit, _)| ms.0 >= *unit && ms.0.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{}ms", ms.0), |(unit, name)| format!("{}{name}", ms.0 / unit))
}

#[cfg(test)]
mod tests {
    use postlane_receivers::{Quantity, Scenario};

    use super::*;

    fn described() -> Description {
        Description {
            provider: "web.de".to_owned(),
            messages: 2_000,
            transactional: 0.05,
            deadline: Ms::from_h(36),
            sources: 2,
            limit: Some(KnownLimit {
                quota: 100,
                window: Ms::from_h(1),
                counts_refused: Counts::Attempted,
                penalty: Some(Ms::from_min(90)),
            }),
            connections: Some(4),
            seed: 7,
        }
    }

    #[test]
    fn what_is_described_is_a_scenario_that_can_be_read() {
        let scenario = Scenario::parse(&described().to_toml().unwrap()).unwrap();
        assert_eq!((scenario.meta.seed, scenario.meta.horizon), (7, Ms::from_h(72)));
        assert_eq!(scenario.sender.ips, ["ip1", "ip2"]);
        assert_eq!(scenario.mail[0].quantity, Quantity::Batch { count: 1_900, at: Ms(0) });
        assert_eq!(scenario.mail[0].max_age, Some(Ms::from_h(36)));
        let limits: Vec<&str> = scenario.receiver.limits.iter().map(|limit| &*limit.id).collect();
        assert_eq!(limits, ["quota", "connections"]);
        assert_eq!(scenario.receiver.limits[0].penalty.as_ref().unwrap().hold, Ms::from_min(90));
        assert_eq!(scenario.receiver.site, "web.de");
    }

    #[test]
    fn every_length_of_time_is_written_to_the_millisecond() {
        for ms in [1, 999, 1_000, 61_000, 3_600_000, 5_400_000, 86_400_000, 90_000_001] {
            assert_eq!(Ms::parse(&written(Ms(ms))), Ok(Ms(ms)), "{}", written(Ms(ms)));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_field() {
        let nothing = Description {
            provider: "nobody".to_owned(),
            messages: 0,
            transactional: 1.5,
            deadline: Ms(0),
            sources: 0,
            connections: Some(0),
            ..described()
        };
        let wrong = nothing.to_toml().unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field).collect();
        assert_eq!(
            fields,
            ["provider", "messages", "transactional", "deadline", "sources", "connections"]
        );
        let named = Description { provider: "united-internet".to_owned(), ..described() };
        assert!(Scenario::parse(&named.to_toml().unwrap()).is_ok());
    }
}
