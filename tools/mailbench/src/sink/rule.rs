//! What the sink answers instead of "yes": a rule per stage, limit, window or chance.
//!
//! A rule is `key=value;key=value;...`. The first rule that fires at a stage decides the reply.
//!
//! - `stage=connect|helo|mail|rcpt|data|eom`: where it is looked at (required)
//! - `ip=127.0.0.1`, `listen=127.0.0.5`: only for this client, this local address
//! - `domain=d0.test`: only for recipients of this domain (from rcpt on)
//! - `from=SECS`, `until=SECS`: only in this window after the start
//! - `key=ip|listen|domain|global`: what `limit=` and `maxconn=` count by (default ip)
//! - `limit=N/SECS`: let N events per key and fixed window through, fire on the rest
//! - `maxconn=N`: fire when the key has more than N connections open
//! - `prob=0.25`: fire with this probability
//! - `reply=421 4.7.0 too many`: what to say (none: only the delay applies); 421 closes
//! - `delay=MS`: wait before the reply; `close=1`: close after it

use std::cell::Cell;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::clock::monotonic_ns;

/// Where in a session a rule is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Connect,
    Helo,
    Mail,
    Rcpt,
    Data,
    /// After the final dot or the last chunk.
    Eom,
}

/// What a limit counts by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    Ip,
    Listen,
    Domain,
    Global,
}

/// Connections open at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) by_client: u64,
    pub(super) by_listener: u64,
    pub(super) in_all: u64,
}

/// What a rule can look at.
pub(super) struct Asked<'a> {
    pub(super) stage: Stage,
    pub(super) ip: &'a str,
    pub(super) listen: &'a str,
    /// Domain of the recipient; empty before RCPT.
    pub(super) domain: &'a str,
    pub(super) open: Open,
}

/// What a rule that fired wants done.
pub(super) struct Answer {
    /// The reply in place of the usual one; none leaves the usual one.
    pub(super) reply: Option<String>,
    pub(super) delay: Duration,
    pub(super) close: bool,
}

/// One rule. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    stage: Stage,
    ip: Option<String>,
    listen: Option<String>,
    domain: Option<String>,
    from_s: f64,
    until_s: f64,
    key: Key,
    limit: Option<Limit>,
    maxconn: Option<u64>,
    chance: f64,
    reply: Option<String>,
    delay: Duration,
    close: bool,
}

/// So many events per fixed window, counted by key.
#[derive(Clone, Debug)]
struct Limit {
    events: u64,
    window_s: u64,
    /// Key → (window, events in it).
    counts: Arc<Mutex<HashMap<String, (u64, u64)>>>,
}

impl Rule {
    /// What the first rule that fires wants done.
    pub(super) fn first(rules: &[Self], begun: Instant, asked: &Asked<'_>) -> Option<Answer> {
        let rule = rules.iter().find(|r| r.stage == asked.stage && r.fires(begun, asked))?;
        Some(Answer { reply: rule.reply.clone(), delay: rule.delay, close: rule.close })
    }

    fn fires(&self, begun: Instant, asked: &Asked<'_>) -> bool {
        let elapsed = begun.elapsed();
        let elapsed_s = elapsed.as_secs_f64();
        is(self.ip.as_deref(), asked.ip)
            && is(self.listen.as_deref(), asked.listen)
            && is(self.domain.as_deref(), asked.domain)
            && (self.from_s..self.until_s).contains(&elapsed_s)
            && self.maxconn.is_none_or(|most| self.key.connections(asked.open) > most)
            && self
                .limit
                .as_ref()
                .is_none_or(|l| l.is_passed(self.key.of(asked), elapsed.as_secs()))
            && (self.chance >= 1.0 || dice() < self.chance)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "stage" => self.stage = stage(value)?,
            "ip" => self.ip = Some(value.into()),
            "listen" => self.listen = Some(value.into()),
            "domain" => self.domain = Some(value.to_ascii_lowercase()),
            "from" => self.from_s = number(key, value)?,
            "until" => self.until_s = number(key, value)?,
            "key" => {
                self.key = match value {
                    "ip" => Key::Ip,
                    "listen" => Key::Listen,
                    "domain" => Key::Domain,
                    "global" => Key::Global,
                    _ => return Err(format!("unknown key {value:?}")),
                }
            }
            "limit" => {
                let (events, window) = value.split_once('/').unwrap_or((value, "60"));
                self.limit = Some(Limit {
                    events: number(key, events)?,
                    window_s: number::<u64>(key, window)?.max(1),
                    counts: Arc::default(),
                });
            }
            "maxconn" => self.maxconn = Some(number(key, value)?),
            "prob" => self.chance = number(key, value)?,
            "reply" => self.reply = Some(value.into()),
            "delay" => self.delay = Duration::from_millis(number(key, value)?),
            "close" => self.close = matches!(value, "1" | "true"),
            _ => return Err(format!("unknown rule key {key:?}")),
        }
        Ok(())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            stage: Stage::Connect,
            ip: None,
            listen: None,
            domain: None,
            from_s: 0.0,
            until_s: f64::INFINITY,
            key: Key::Ip,
            limit: None,
            maxconn: None,
            chance: 1.0,
            reply: None,
            delay: Duration::ZERO,
            close: false,
        };
        let mut has_stage = false;
        for part in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("rule part {part:?} has no '='"))?;
            rule.set(key, value)?;
            has_stage |= key == "stage";
        }
        if !has_stage {
            return Err("rule has no stage=".into());
        }
        rule.close |= rule.reply.as_deref().is_some_and(|reply| reply.starts_with("421"));
        Ok(rule)
    }
}

impl Key {
    fn of<'a>(self, asked: &Asked<'a>) -> &'a str {
        match self {
            Self::Ip => asked.ip,
            Self::Listen => asked.listen,
            Self::Domain => asked.domain,
            Self::Global => "",
        }
    }

    fn connections(self, open: Open) -> u64 {
        match self {
            Self::Ip => open.by_client,
            Self::Listen => open.by_listener,
            Self::Domain | Self::Global => open.in_all,
        }
    }
}

impl Limit {
    /// Counts one event; true when the window had its share before it.
    fn is_passed(&self, key: &str, elapsed_s: u64) -> bool {
        let window = elapsed_s / self.window_s;
        let mut counts = self.counts.lock();
        let count = counts.entry(key.to_owned()).or_insert((window, 0));
        if count.0 != window {
            *count = (window, 0);
        }
        count.1 += 1;
        count.1 > self.events
    }
}

fn is(wanted: Option<&str>, found: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn stage(name: &str) -> Result<Stage, String> {
    Ok(match name {
        "connect" => Stage::Connect,
        "helo" => Stage::Helo,
        "mail" => Stage::Mail,
        "rcpt" => Stage::Rcpt,
        "data" => Stage::Data,
        "eom" => Stage::Eom,
        _ => return Err(format!("unknown stage {name:?}")),
    })
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{key}: bad number {value:?}"))
}

/// A number from 0 to 1 by xorshift64*, per thread; good enough for dice in a sink.
fn dice() -> f64 {
    thread_local!(static STATE: Cell<u64> = Cell::new(monotonic_ns() | 1));
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        state.set(x);
        (x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail_by<'a>(ip: &'a str, domain: &'a str) -> Asked<'a> {
        let open = Open { by_client: 1, by_listener: 1, in_all: 1 };
        Asked { stage: Stage::Mail, ip, listen: "127.0.0.1", domain, open }
    }

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    #[test]
    fn a_limit_counts_each_key_by_itself() {
        let rule = rule("stage=mail;limit=2/60;reply=421 slow down");
        let begun = Instant::now();
        assert!(!rule.fires(begun, &mail_by("a", "")));
        assert!(!rule.fires(begun, &mail_by("a", "")));
        assert!(rule.fires(begun, &mail_by("a", "")));
        assert!(!rule.fires(begun, &mail_by("b", "")));
    }

    #[test]
    fn a_421_closes() {
        assert!(rule("stage=mail;reply=421 slow down").close);
        assert!(!rule("stage=mail;reply=450 later").close);
    }

    #[test]
    fn a_domain_is_matched_exactly() {
        let rule = rule("stage=mail;domain=X.test;reply=450 later");
        let begun = Instant::now();
        assert!(rule.fires(begun, &mail_by("a", "x.test")));
        assert!(!rule.fires(begun, &mail_by("a", "y.test")));
    }

    #[test]
    fn more_connections_than_allowed_fire() {
        let rule = rule("stage=connect;maxconn=1;reply=421 too many");
        let begun = Instant::now();
        let mut asked = mail_by("a", "");
        assert!(!rule.fires(begun, &asked));
        asked.open.by_client = 2;
        assert!(rule.fires(begun, &asked));
    }

    #[test]
    fn what_is_not_a_rule_is_refused() {
        for text in ["reply=450 x", "stage=nope", "stage=mail;limit=x", "stage=mail;what=1", "mail"]
        {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
