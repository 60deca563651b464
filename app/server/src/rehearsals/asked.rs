//! What is to be rehearsed, checked before anything begins.

use postlane_mail::Label;
use postlane_receivers::{Fault, Scenario, builtin};
use postlane_rehearsal::{Description, DescriptionError, Policy};

use super::limits::{self, TEXT_OCTETS_MAX};

/// How a scenario is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// By the name of one that comes with the program.
    BuiltIn(String),
    /// As TOML.
    Toml(String),
    /// In a few words.
    Description(Description),
}

/// Whose settings the lanes keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// What comes with the program.
    #[default]
    BuiltIn,
    /// This relay's own: as its configuration is now.
    Own,
}

/// What is to be rehearsed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRehearsal {
    /// Whose it is; none for nobody's.
    pub tenant: Label,
    /// Who asks.
    pub by: String,
    /// The name of a scenario that comes with the program, where it is one.
    pub built_in: Option<String>,
    /// The scenario.
    pub scenario: Scenario,
    /// The same as it is written.
    pub text: String,
    /// With each of these.
    pub policies: Vec<Policy>,
    /// So many runs of each.
    pub seeds: u64,
    /// Whose settings the lanes keep to.
    pub keep: Keep,
}

/// Why there is no rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRehearsal {
    /// There is none of that number, or it is another tenant's.
    #[error(
        "there is no such rehearsal; /v1/rehearsals lists those there are, and a restart forgets them"
    )]
    Unknown,
    /// No scenario has the name.
    #[error("no scenario {0:?} comes with the program: use one of {known}", known = names())]
    NoScenario(String),
    /// The scenario cannot be used.
    #[error("the scenario cannot be used: each line that is wrong is told with its cure")]
    Faults(Vec<Fault>),
    /// The description is none.
    #[error("the description cannot be used: each field that is wrong is told with its cure")]
    Description(Vec<DescriptionError>),
    /// It asks for too much.
    #[error("{}", .0.join("; "))]
    TooLarge(Vec<String>),
    /// As many wait or run as may.
    #[error("as many rehearsals wait or run as may: wait until one is over, or stop one")]
    TooMany,
    /// No thread can be had.
    #[error("no thread can be had for it: {0}; try again")]
    NoThread(String),
}

fn names() -> String {
    builtin().iter().map(|(name, _)| *name).collect::<Vec<&str>>().join(", ")
}

impl NewRehearsal {
    /// A rehearsal of that scenario with our own lanes, of nobody's, one run.
    ///
    /// # Errors
    /// All that is wrong with the scenario.
    pub fn of(told: Told) -> Result<Self, NoRehearsal> {
        let (built_in, text) = match told {
            Told::BuiltIn(name) => {
                let found = builtin().iter().find(|(known, _)| *known == name);
                let (_, text) = found.ok_or_else(|| NoRehearsal::NoScenario(name.clone()))?;
                (Some(name), (*text).to_owned())
            }
            Told::Toml(text) => (None, text),
            Told::Description(described) => {
                (None, described.to_toml().map_err(NoRehearsal::Description)?)
            }
        };
        if text.len() > TEXT_OCTETS_MAX {
            let says =
                format!("a scenario of {} octets is longer than 64 KiB: shorten it", text.len());
            return Err(NoRehearsal::TooLarge(vec![says]));
        }
        let scenario = Scenario::parse(&text).map_err(|error| NoRehearsal::Faults(error.0))?;
        Ok(Self {
            tenant: Label::NONE,
            by: String::new(),
            built_in,
            scenario,
            text,
            policies: vec![Policy::Lane],
            seeds: 1,
            keep: Keep::BuiltIn,
        })
    }

    /// The same, asked for by somebody, for that tenant.
    #[must_use]
    pub fn by(self, by: &str, tenant: Label) -> Self {
        Self { by: by.to_owned(), tenant, ..self }
    }

    /// The same with these policies and so many runs of each.
    ///
    /// # Errors
    /// What is too much for a server that has mail to deliver.
    pub fn with(
        mut self,
        policies: &[Policy],
        seeds: u64,
        keep: Keep,
    ) -> Result<Self, NoRehearsal> {
        let exceeded = limits::exceeded(&self.scenario, seeds);
        if !exceeded.is_empty() {
            return Err(NoRehearsal::TooLarge(exceeded));
        }
        if !policies.is_empty() {
            self.policies = Policy::ALL.into_iter().filter(|one| policies.contains(one)).collect();
        }
        (self.seeds, self.keep) = (seeds, keep);
        Ok(self)
    }

    /// The command that makes the very same runs, byte for byte; `file` is where the scenario is kept
    /// if it did not come with the program.
    pub fn command(&self, file: &str) -> String {
        let scenario = self.built_in.as_deref().unwrap_or(file);
        let policies: Vec<&str> = self.policies.iter().map(|policy| policy.as_str()).collect();
        let config = match self.keep {
            Keep::BuiltIn => "",
            Keep::Own => " --config /etc/postlane/postlane.toml",
        };
        let (policies, seeds) = (policies.join(","), self.seeds);
        format!("postlane rehearse {scenario} --policy {policies} --seeds {seeds}{config} --json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_everything_that_the_runs_hang_on() {
        let asked = NewRehearsal::of(Told::BuiltIn("p01-webde".to_owned())).unwrap();
        let policies = [Policy::Postfix, Policy::Lane, Policy::Lane];
        let asked = asked.with(&policies, 3, Keep::BuiltIn).unwrap();
        let command = "postlane rehearse p01-webde --policy lane,postfix --seeds 3 --json";
        assert_eq!(asked.command("x.toml"), command);
        let own =
            NewRehearsal::of(Told::Toml(asked.text)).unwrap().with(&[], 1, Keep::Own).unwrap();
        assert_eq!(
            own.command("mine.toml"),
            "postlane rehearse mine.toml --policy lane --seeds 1 --config \
             /etc/postlane/postlane.toml --json"
        );
    }

    #[test]
    fn what_cannot_be_rehearsed_is_refused_with_its_lines() {
        let unknown = NewRehearsal::of(Told::BuiltIn("p99".to_owned())).unwrap_err();
        assert!(unknown.to_string().contains("p01-webde, p02"), "{unknown}");
        let wrong = NewRehearsal::of(Told::Toml("[meta]\nid = \"x\"\nwrong = 1\n".to_owned()));
        let Err(NoRehearsal::Faults(faults)) = wrong else { panic!("{wrong:?}") };
        assert_eq!(faults[0].line, 3);
        let long = NewRehearsal::of(Told::Toml("#".repeat(TEXT_OCTETS_MAX + 1)));
        assert!(matches!(long, Err(NoRehearsal::TooLarge(_))));
    }
}
