//! Commands to lanes, as JSON.

use postlane_lanes::{
    Instruction, Ladder, LadderError, ORDER_SPAN_MAX, OrderKind, Sign, Streams, Told, Unseen,
};
use postlane_mail::{Instant, Rate, Span, Stream};
use postlane_server::handle::{Commanded, LaneAction, LaneDone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suppression::Wrong;
use super::time::{Timestamp, moment, timestamp};

/// What a command needs; most need nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LaneOrder {
    /// One source's lane alone; all of the provider's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `pause`, `hold-new`: these streams alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<String>,
    /// `pause`, `hold-new`, `drain`, `exclude`, `pin`: ends by itself then, within a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The same, as seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts_s: Option<u64>,
    /// `pin`: messages, as `2/m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// `restart-plan`: messages on each day, in rising order; the configuration's when left out, else
    /// 50, 100, 200, 400, 800, 1600, 3200.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<u32>,
    /// `restart-plan`: stable sends in a row before the next day's cap holds; 2 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_sends: Option<u8>,
    /// `restart-plan`: hours after midnight UTC at which a day begins; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_begins_h: Option<u8>,
    /// `restart-plan`: the cap is not raised while a sign is unknown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all_signs: bool,
    /// `sign`: `complaints`, `unsubscribes` or `headers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
    /// `sign`: `clean`, `bad` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// Who does it; `api` when left out. 64 octets are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in their words. 256 octets are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What came of a command.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaneOrdered {
    /// The provider's id.
    pub provider: String,
    /// The source; `null` for all lanes of the provider.
    pub source: Option<String>,
    /// What was done.
    pub command: String,
    /// Whether it changed anything: not where nothing was to be taken back.
    pub changed: bool,
}

/// The ladder of a restart plan where none is said: seven days, doubled each.
const DAYS: [u32; 7] = [50, 100, 200, 400, 800, 1600, 3200];

/// The commands there are.
pub const LANE_COMMANDS: [&str; 12] = [
    "pause",
    "hold-new",
    "drain",
    "resume",
    "exclude",
    "include",
    "pin",
    "unpin",
    "rollback",
    "restart-plan",
    "end-restart-plan",
    "sign",
];

impl LaneOrder {
    /// The command of that name to a provider, which may have a restart plan by the configuration;
    /// or what is wrong with it.
    pub fn commanded(
        &self,
        (provider, plan): (&str, Option<Ladder>),
        command: &str,
        now: Instant,
    ) -> Result<Commanded, Wrong> {
        let until = self.until(now)?;
        let (action, says) = match command {
            "pause" => give(Instruction::Pause(self.streams()?), until),
            "hold-new" => give(Instruction::HoldNew(self.streams()?), until),
            "drain" => give(Instruction::Drain, until),
            "exclude" => give(Instruction::Exclude, until),
            "pin" => give(Instruction::Pin(self.rate()?), until),
            "resume" => plain(LaneAction::Resume, command),
            "include" => plain(LaneAction::TakeBack(OrderKind::Exclude), command),
            "unpin" => plain(LaneAction::TakeBack(OrderKind::Pin), command),
            "rollback" => plain(LaneAction::RollBack, command),
            "restart-plan" => self.plan(plan)?,
            "end-restart-plan" => plain(LaneAction::EndPlan, command),
            "sign" => self.sign()?,
            _ => {
                let known = LANE_COMMANDS.join(", ");
                let says = format!("{command:?} is no command for lanes: use one of {known}");
                return Err(Wrong { field: "command", says });
            }
        };
        Ok(Commanded {
            provider: provider.to_owned(),
            source: self.source.clone(),
            action,
            says,
            by: self.by.clone().unwrap_or_else(|| "api".to_owned()),
            why: self.why.clone().unwrap_or_default(),
        })
    }

    fn until(&self, now: Instant) -> Result<Option<Instant>, Wrong> {
        let wrong = |says: &str| Wrong { field: "until", says: says.to_owned() };
        let until = match (&self.until, self.lasts_s) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(wrong("say until or lasts_s, not both")),
            (Some(until), None) => moment(until).map_err(wrong)?,
            (None, Some(lasts_s)) => now + Span::from_s(lasts_s),
        };
        if until <= now {
            return Err(wrong("it is over already; leave it out for an order without an end"));
        }
        if until.since(now) > ORDER_SPAN_MAX {
            return Err(wrong("it is more than a year ahead; leave it out for no end"));
        }
        Ok(Some(until))
    }

    fn streams(&self) -> Result<Streams, Wrong> {
        let mut streams = Vec::new();
        for name in &self.streams {
            let unknown = || Wrong {
                field: "streams",
                says: format!("{name:?} is no stream: use transactional, engaged or cold"),
            };
            streams.push(Stream::parse(name).ok_or_else(unknown)?);
        }
        Ok(Streams::of(streams).unwrap_or(Streams::ALL))
    }

    fn rate(&self) -> Result<Rate, Wrong> {
        let wrong = |says: String| Wrong { field: "rate", says };
        let text = self.rate.as_deref();
        let text = text.ok_or_else(|| wrong("say the rate, as 2/m".to_owned()))?;
        Rate::parse(text).map_err(|e| wrong(format!("{text:?}: {e}")))
    }

    fn plan(&self, configured: Option<Ladder>) -> Result<(LaneAction, String), Wrong> {
        let wrong = |e: LadderError| Wrong { field: "days", says: e.to_string() };
        let mut ladder = match configured {
            Some(configured) if self.days.is_empty() => configured,
            _ if self.days.is_empty() => Ladder::new(DAYS).map_err(wrong)?,
            _ => Ladder::new(self.days.clone()).map_err(wrong)?,
        };
        let says = ladder.days().iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        if let Some(sends) = self.stable_sends {
            if !(1..=14).contains(&sends) {
                let says = "it is 1 to 14 sends".to_owned();
                return Err(Wrong { field: "stable_sends", says });
            }
            ladder.stable_sends = sends;
        }
        if let Some(hours) = self.day_begins_h {
            if hours > 23 {
                let says = "it is 0 to 23 hours after midnight UTC".to_owned();
                return Err(Wrong { field: "day_begins_h", says });
            }
            ladder.day_begins = Span::from_h(hours.into());
        }
        if self.all_signs {
            ladder.unseen = Unseen::Stay;
        }
        Ok((LaneAction::Begin(ladder), format!("restart-plan {says}")))
    }

    fn sign(&self) -> Result<(LaneAction, String), Wrong> {
        let known = || Wrong {
            field: "sign",
            says: "say which sign: complaints, unsubscribes or headers".to_owned(),
        };
        let told = self.sign.as_deref().and_then(Told::parse).ok_or_else(known)?;
        let how = || Wrong { field: "is", says: "say how it is: clean, bad or unknown".to_owned() };
        let sign = self.is.as_deref().and_then(Sign::parse).ok_or_else(how)?;
        let says = format!("sign {} {}", told.as_str(), sign.as_str());
        Ok((LaneAction::Tell(told, sign), says))
    }
}

fn give(what: Instruction, until: Option<Instant>) -> (LaneAction, String) {
    let ends = until.map_or_else(String::new, |until| format!(" until {}", timestamp(until).0));
    (LaneAction::Give { what, until }, format!("{what}{ends}"))
}

fn plain(action: LaneAction, command: &str) -> (LaneAction, String) {
    (action, command.to_owned())
}

impl LaneOrdered {
    /// What is answered.
    pub fn of(done: LaneDone, command: String) -> Self {
        Self {
            provider: done.name.provider.into(),
            source: done.name.source.map(String::from),
            command,
            changed: done.changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    fn says(command: &str, order: LaneOrder) -> String {
        match order.commanded(("web.de", None), command, NOW) {
            Ok(commanded) => commanded.says,
            Err(wrong) => format!("{}: {}", wrong.field, wrong.says),
        }
    }

    #[test]
    fn a_command_is_said_as_it_is_given() {
        let order = LaneOrder::default;
        for (command, given, said) in [
            ("pause", order(), "pause"),
            (
                "pause",
                LaneOrder { streams: vec!["cold".into()], lasts_s: Some(60), ..order() },
                "pause cold until 1970-01-12T13:47:40.000Z",
            ),
            ("pin", LaneOrder { rate: Some("2/m".into()), ..order() }, "pin 2/m"),
            ("restart-plan", LaneOrder { days: vec![5, 10], ..order() }, "restart-plan 5,10"),
            ("restart-plan", order(), "restart-plan 50,100,200,400,800,1600,3200"),
            (
                "sign",
                LaneOrder { sign: Some("headers".into()), is: Some("clean".into()), ..order() },
                "sign headers clean",
            ),
        ] {
            assert_eq!(says(command, given), said);
        }
    }

    #[test]
    fn what_cannot_be_ordered_says_why_with_the_cure() {
        let order = LaneOrder::default;
        for (command, given, field) in [
            ("stop", order(), "command"),
            ("pin", order(), "rate"),
            ("pin", LaneOrder { rate: Some("2".into()), ..order() }, "rate"),
            ("pause", LaneOrder { streams: vec!["hot".into()], ..order() }, "streams"),
            ("pause", LaneOrder { lasts_s: Some(0), ..order() }, "until"),
            ("pause", LaneOrder { lasts_s: Some(1 << 40), ..order() }, "until"),
            ("restart-plan", LaneOrder { days: vec![9, 3], ..order() }, "days"),
            ("restart-plan", LaneOrder { stable_sends: Some(0), ..order() }, "stable_sends"),
            ("restart-plan", LaneOrder { day_begins_h: Some(24), ..order() }, "day_begins_h"),
            ("sign", order(), "sign"),
            ("sign", LaneOrder { sign: Some("headers".into()), ..order() }, "is"),
        ] {
            let said = says(command, given);
            assert!(said.starts_with(&format!("{field}: ")), "{said}");
        }
    }
}
