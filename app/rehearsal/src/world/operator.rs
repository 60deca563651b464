//! What an operator types in a scenario: a lane command, as after `postlane lanes`.

use postlane_engine::{LaneAction, LaneCommand, Scope, SourceId};
use postlane_lanes::{Instruction, Ladder, OrderKind, Sign, Streams, Told, Unseen, Who};
use postlane_mail::{Instant, Rate, Span, Stream};
use postlane_receivers::{Ms, OperatorCommand, Scenario};

use super::clock::Clock;
use super::knowledge::Knowledge;
use crate::destination::PROVIDER;

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

/// A command's words, sorted by what they can only be: `pause web.de --stream cold` says the same
/// as `pause web.de cold`. Without a provider the scenario's is meant.
struct Words {
    verb: String,
    source: Option<SourceId>,
    streams: Vec<Stream>,
    lasts: Option<Ms>,
    rate: Option<Rate>,
    days: Option<Vec<u32>>,
    stable_sends: Option<u8>,
    day_begins: Option<u8>,
    unseen: Unseen,
    /// What the verb makes of the rest: `start`, `stop`, `sign complaints bad`.
    rest: Vec<String>,
}

/// A restart plan's days where none are said: seven of them.
const DAYS: [u32; 7] = [50, 100, 200, 400, 800, 1600, 3200];

impl Words {
    fn of(command: &str, scenario: &Scenario, knowledge: &Knowledge) -> Result<Self, String> {
        let mut words = split(command).into_iter().peekable();
        for said in ["postlane", "lanes"] {
            words.next_if(|word| word == said);
        }
        let verb = words.next().ok_or("say what is to be done: pause PROVIDER")?;
        let mut read = Self {
            verb,
            source: None,
            streams: Vec::new(),
            lasts: None,
            rate: None,
            days: None,
            stable_sends: None,
            day_begins: None,
            unseen: Unseen::default(),
            rest: Vec::new(),
        };
        while let Some(word) = words.next() {
            if word == "--all-signs" {
                read.unseen = Unseen::Stay;
            } else if let Some(option) = word.strip_prefix("--") {
                let (option, value) = match option.split_once('=') {
                    Some((option, value)) => (option, Some(value.to_owned())),
                    None => (option, words.next()),
                };
                let value =
                    value.ok_or_else(|| format!("--{option} has no value: write one behind it"))?;
                read.take_option(option, &value, scenario)?;
            } else {
                read.take_word(word, scenario, knowledge)?;
            }
        }
        Ok(read)
    }

    fn take_option(&mut self, option: &str, value: &str, of: &Scenario) -> Result<(), String> {
        let number = || value.parse().map_err(|_| format!("--{option} is a small number"));
        match option {
            "source" => self.source = Some(source(value, of)?),
            "stream" | "streams" => {
                for name in value.split(',') {
                    let stream = Stream::parse(name);
                    self.streams.push(stream.ok_or("streams are transactional, engaged and cold")?);
                }
            }
            "for" => self.lasts = Some(Ms::parse(value).map_err(|e| e.to_string())?),
            "rate" => self.rate = Some(Rate::parse(value).map_err(|e| e.to_string())?),
            "days" => self.days = Some(days(value).ok_or("caps are numbers: 50,100,200")?),
            "stable-sends" => self.stable_sends = Some(number()?),
            "day-begins" => self.day_begins = Some(number()?),
            // Why and by whom change nothing.
            "why" | "by" => {}
            _ => {
                return Err(format!(
                    "--{option} is no option: --source, --stream, --for, --days, --stable-sends, \
                     --day-begins, --all-signs"
                ));
            }
        }
        Ok(())
    }

    fn take_word(
        &mut self,
        word: String,
        scenario: &Scenario,
        knowledge: &Knowledge,
    ) -> Result<(), String> {
        let site = &scenario.receiver.site;
        let meant = knowledge.provider_of(site);
        let is_of_verb = matches!(self.verb.as_str(), "restart-plan") && self.rest.len() < 3;
        if let Ok(found) = source(&word, scenario) {
            self.source = Some(found);
        } else if word == *site || knowledge.is_called(&word, &meant) {
            // It is the only one there is.
        } else if let Some(stream) = Stream::parse(&word) {
            self.streams.push(stream);
        } else if let Ok(rate) = Rate::parse(&word) {
            self.rate = Some(rate);
        } else if let Some(days) = days(&word) {
            self.days = Some(days);
        } else if let Ok(lasts) = Ms::parse(&word) {
            self.lasts = Some(lasts);
        } else if is_of_verb {
            self.rest.push(word);
        } else {
            let ips = scenario.sender.ips.join(", ");
            return Err(format!("{word} is neither the provider, {meant}, nor a source: {ips}"));
        }
        Ok(())
    }

    fn command(&self, request: u64, now: Instant) -> Result<LaneCommand, String> {
        let until = self.lasts.map(|lasts| now + lasts.to_span());
        let give = |what| LaneAction::Give { what, until };
        let streams = Streams::of(self.streams.iter().copied()).unwrap_or(Streams::ALL);
        let action = match self.verb.as_str() {
            "pause" => give(Instruction::Pause(streams)),
            "hold-new" => give(Instruction::HoldNew(streams)),
            "drain" => give(Instruction::Drain),
            "exclude" => give(Instruction::Exclude),
            "include" => LaneAction::TakeBack(OrderKind::Exclude),
            "unpin" => LaneAction::TakeBack(OrderKind::Pin),
            "pin" => give(Instruction::Pin(self.rate.ok_or("say at which rate: pin 100/h")?)),
            "resume" => LaneAction::Resume,
            "rollback" => LaneAction::RollBack,
            "restart-plan" => self.plan()?,
            verb => {
                return Err(format!(
                    "{verb} is no command: pause, hold-new, drain, resume, rollback, pin, unpin, \
                     exclude, include, restart-plan"
                ));
            }
        };
        if matches!(self.verb.as_str(), "exclude" | "include") && self.source.is_none() {
            return Err("say which source: exclude PROVIDER SOURCE".to_owned());
        }
        let scope = Scope { provider: PROVIDER, source: self.source };
        Ok(LaneCommand { request, scope, by: Who::new("scenario"), action })
    }

    fn plan(&self) -> Result<LaneAction, String> {
        let rest: Vec<&str> = self.rest.iter().map(String::as_str).collect();
        match rest.as_slice() {
            [] | ["start" | "begin"] => {}
            ["stop" | "end"] => return Ok(LaneAction::EndPlan),
            ["sign", told, is] => {
                let (told, sign) = (Told::parse(told), Sign::parse(is));
                let told = told.zip(sign).map(|(told, sign)| LaneAction::Tell(told, sign));
                return told.ok_or_else(|| {
                    "signs are complaints, unsubscribes and headers: clean, bad or unknown".into()
                });
            }
            _ => return Err("a plan is started, stopped, or told of a sign".to_owned()),
        }
        let days = self.days.clone().unwrap_or_else(|| DAYS.to_vec());
        let mut ladder = Ladder::new(days).map_err(|error| error.to_string())?;
        ladder.stable_sends = self.stable_sends.unwrap_or(ladder.stable_sends).max(1);
        ladder.day_begins = Span::from_h(u64::from(self.day_begins.unwrap_or_default() % 24));
        ladder.unseen = self.unseen;
        Ok(LaneAction::Begin(ladder))
    }
}

/// Words between blanks; what stands in quotes is one.
fn split(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, blank) if blank.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().expect("there is one from the start").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn source(name: &str, scenario: &Scenario) -> Result<SourceId, String> {
    let ips = &scenario.sender.ips;
    let place = ips.iter().position(|ip| ip == name).and_then(|place| u16::try_from(place).ok());
    place.map(SourceId).ok_or_else(|| format!("no source is called {name}: {}", ips.join(", ")))
}

fn days(text: &str) -> Option<Vec<u32>> {
    text.split(',').map(|day| day.trim().parse().ok()).collect()
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
        assert_eq!(
            read("pause cold engaged 2h --why 'too much of it'").unwrap().action,
            pause.action
        );
        let out = read("postlane lanes exclude united-internet ip2").unwrap();
        assert_eq!(out.scope.source, Some(SourceId(1)));
        let pinned = read("pin web.de 100/h --source=ip1").unwrap();
        assert_eq!(pinned.scope.source, Some(SourceId(0)));
        let plan = Ladder::new([50, 100]).unwrap();
        let begun = Ok(LaneAction::Begin(plan));
        assert_eq!(read("restart-plan start gmx --days 50,100").map(|c| c.action), begun);
        assert_eq!(read("restart-plan web.de 50,100").map(|c| c.action), begun);
        assert_eq!(read("restart-plan stop gmx").unwrap().action, LaneAction::EndPlan);
        let told = LaneAction::Tell(Told::Complaints, Sign::Clean);
        assert_eq!(read("restart-plan sign web.de complaints clean").unwrap().action, told);
    }

    #[test]
    fn a_command_that_cannot_be_done_says_what_would() {
        for (command, cure) in [
            ("stop web.de", "is no command"),
            ("pause gmail", "united-internet"),
            ("exclude web.de", "SOURCE"),
            ("exclude web.de --source ip9", "ip1, ip2"),
            ("exclude web.de ip9", "ip1, ip2"),
            ("pin web.de", "100/h"),
            ("restart-plan web.de 50,0", "at least"),
            ("pause web.de --until 3", "--for"),
        ] {
            let error = read(command).unwrap_err();
            assert!(error.contains(cure), "{error}");
        }
    }
}
