//! What an operator types in a scenario: a lane command, as after `postlane lanes`.

use postlane_engine::{LaneAction, LaneCommand, Scope, SourceId};
use postlane_lanes::{Instruction, Ladder, OrderKind, Streams, Who};
use postlane_mail::{Instant, Rate, Stream};
use postlane_receivers::{Ms, OperatorCommand, Scenario};

use super::clock::Clock;
use super::knowledge::Knowledge;
use super::settings::PROVIDER;

/// Why a scenario's command cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[[operator]] at {at}: `{command}`: {why}")]
pub struct CommandError {
    at: Ms,
    command: String,
    why: String,
}

/// A command that is due then.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) at: Ms,
    pub(super) command: LaneCommand,
}

/// All commands of a scenario, in the order of time.
pub(super) fn read(scenario: &Scenario, knowledge: &Knowledge) -> Result<Vec<Typed>, CommandError> {
    let clock = Clock::of(scenario);
    let typed = |(request, typed): (u64, &OperatorCommand)| {
        let now = clock.at(typed.at);
        let read = Words::of(&typed.command, scenario, knowledge)
            .and_then(|words| words.command(request, now));
        match read {
            Ok(command) => Ok(Typed { at: typed.at, command }),
            Err(why) => Err(CommandError { at: typed.at, command: typed.command.clone(), why }),
        }
    };
    (1..).zip(&scenario.operator).map(typed).collect()
}

/// A command's words, sorted.
struct Words<'c> {
    verb: &'c str,
    source: Option<SourceId>,
    streams: Streams,
    lasts: Option<Ms>,
    /// What follows the provider.
    rest: Vec<&'c str>,
}

impl<'c> Words<'c> {
    fn of(command: &'c str, scenario: &Scenario, knowledge: &Knowledge) -> Result<Self, String> {
        let mut words = command.split_whitespace().peekable();
        for said in ["postlane", "lanes"] {
            words.next_if_eq(&said);
        }
        let verb = words.next().ok_or("say what is to be done: pause PROVIDER")?;
        let provider = words.next().ok_or("say of which provider")?;
        let meant = knowledge.provider_of(&scenario.receiver.site);
        if !knowledge.is_called(provider, &meant) {
            return Err(format!("the scenario's provider is {meant}: name that one"));
        }
        let mut read =
            Self { verb, source: None, streams: Streams::ALL, lasts: None, rest: Vec::new() };
        while let Some(word) = words.next() {
            if !word.starts_with("--") {
                read.rest.push(word);
                continue;
            }
            let (option, value) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value)),
                None => (word, words.next()),
            };
            let value =
                value.ok_or_else(|| format!("{option} has no value: write one behind it"))?;
            match option {
                "--source" => read.source = Some(source(value, scenario)?),
                "--stream" | "--streams" => read.streams = streams(value)?,
                "--for" => read.lasts = Some(Ms::parse(value).map_err(|e| e.to_string())?),
                "--days" | "--rate" => read.rest.push(value),
                // Why and by whom change nothing.
                "--why" | "--by" => {}
                _ => return Err(format!("{option} is no option: --source, --stream, --for")),
            }
        }
        Ok(read)
    }

    fn command(&self, request: u64, now: Instant) -> Result<LaneCommand, String> {
        let until = self.lasts.map(|lasts| now + lasts.to_span());
        let give = |what| LaneAction::Give { what, until };
        let action = match self.verb {
            "pause" => give(Instruction::Pause(self.streams)),
            "hold-new" => give(Instruction::HoldNew(self.streams)),
            "drain" => give(Instruction::Drain),
            "exclude" => give(Instruction::Exclude),
            "include" => LaneAction::TakeBack(OrderKind::Exclude),
            "unpin" => LaneAction::TakeBack(OrderKind::Pin),
            "pin" => give(Instruction::Pin(self.rate()?)),
            "resume" => LaneAction::Resume,
            "rollback" => LaneAction::RollBack,
            "restart-plan" => self.plan()?,
            verb => {
                return Err(format!(
                    "{verb} is no command: pause, hold-new, drain, resume, rollback, pin, unpin, exclude, include, restart-plan"
                ));
            }
        };
        if matches!(self.verb, "exclude" | "include") && self.source.is_none() {
            return Err("say which source: --source NAME".to_owned());
        }
        let scope = Scope { provider: PROVIDER, source: self.source };
        Ok(LaneCommand { request, scope, by: Who::new("scenario"), action })
    }

    fn rate(&self) -> Result<Rate, String> {
        let rate = self.rest.first().ok_or("say at which rate: 100/h")?;
        Rate::parse(rate).map_err(|error| error.to_string())
    }

    fn plan(&self) -> Result<LaneAction, String> {
        let days = match self.rest.as_slice() {
            ["end" | "stop"] => return Ok(LaneAction::EndPlan),
            ["begin" | "start", days] | [days] => days,
            _ => return Err("say each day's cap: 50,100,200; or `end`".to_owned()),
        };
        let days: Result<Vec<u32>, _> = days.split(',').map(|day| day.trim().parse()).collect();
        let days = days.map_err(|_| "caps are numbers: 50,100,200".to_owned())?;
        Ladder::new(days).map(LaneAction::Begin).map_err(|error| error.to_string())
    }
}

fn source(name: &str, scenario: &Scenario) -> Result<SourceId, String> {
    let ips = &scenario.sender.ips;
    let place = ips.iter().position(|ip| ip == name).and_then(|place| u16::try_from(place).ok());
    place.map(SourceId).ok_or_else(|| format!("no source is called {name}: {}", ips.join(", ")))
}

fn streams(names: &str) -> Result<Streams, String> {
    let streams: Option<Vec<Stream>> = names.split(',').map(Stream::parse).collect();
    let streams = streams.and_then(Streams::of);
    streams.ok_or_else(|| "streams are transactional, engaged and cold".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(command: &str) -> Scenario {
        Scenario::parse(&format!(
            r#"
            [meta]
            id = "commands"
            title = "commands"
            horizon = "1d"
            seed = 1
            [sender]
            ips = ["ip1", "ip2"]
            [[mail]]
            class = "engaged"
            count = 1
            [receiver]
            site = "mx.web.de"
            [[operator]]
            at = "1h"
            command = "{command}"
            "#
        ))
        .unwrap()
    }

    fn read(command: &str) -> Result<LaneCommand, String> {
        let read = super::read(&scenario(command), &Knowledge::built_in());
        read.map(|mut typed| typed.remove(0).command).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_read_as_an_operator_types_it() {
        let until = Some(Clock::of(&scenario("drain web.de")).at(Ms::from_h(3)));
        let pause = read("pause web.de --stream cold,engaged --for 2h").unwrap();
        let streams = Streams::of([Stream::Engaged, Stream::Cold]).unwrap();
        assert_eq!(pause.action, LaneAction::Give { what: Instruction::Pause(streams), until });
        assert_eq!(pause.scope, Scope { provider: PROVIDER, source: None });
        let out = read("postlane lanes exclude united-internet --source ip2").unwrap();
        assert_eq!(out.scope.source, Some(SourceId(1)));
        let plan = read("restart-plan united-internet --days 50,100").unwrap();
        assert_eq!(plan.action, LaneAction::Begin(Ladder::new([50, 100]).unwrap()));
        assert_eq!(read("restart-plan gmx end").unwrap().action, LaneAction::EndPlan);
    }

    #[test]
    fn a_command_that_cannot_be_done_says_what_would() {
        for (command, cure) in [
            ("stop web.de", "is no command"),
            ("pause gmail", "united-internet"),
            ("exclude web.de", "--source"),
            ("exclude web.de --source ip9", "ip1, ip2"),
            ("pin web.de", "100/h"),
            ("restart-plan web.de 50,0", "at least"),
            ("pause web.de --until 3", "--for"),
        ] {
            let error = read(command).unwrap_err();
            assert!(error.contains(cure), "{error}");
        }
    }
}
