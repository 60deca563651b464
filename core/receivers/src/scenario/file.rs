//! A scenario as it is written: TOML, with every key there is.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::ms::{Frequency, Ms};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) meta: Spanned<Meta>,
    pub(super) sender: Spanned<Sender>,
    #[serde(default)]
    pub(super) mail: Vec<Spanned<Mail>>,
    pub(super) receiver: Spanned<Receiver>,
    #[serde(default)]
    pub(super) operator: Vec<Spanned<Operator>>,
    #[serde(default)]
    pub(super) restart: Vec<Spanned<Restart>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) horizon: Ms,
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) start_tod: Ms,
    #[serde(default)]
    pub(super) notes: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sender {
    pub(super) ips: Vec<String>,
    #[serde(default)]
    pub(super) identity: BTreeMap<String, bool>,
    #[serde(default)]
    pub(super) ceiling: Ceiling,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ceiling {
    pub(super) conns_per_ip: Option<u32>,
    pub(super) rate: Option<Frequency>,
    pub(super) per_conn: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    pub(super) class: String,
    pub(super) count: Option<u32>,
    pub(super) at: Option<Ms>,
    pub(super) rate: Option<Frequency>,
    pub(super) from: Option<Ms>,
    pub(super) to: Option<Ms>,
    pub(super) max_age: Option<Ms>,
    #[serde(default)]
    pub(super) unknown: f64,
    pub(super) unique_rcpts: Option<u32>,
    #[serde(default)]
    pub(super) tenant: String,
    #[serde(default)]
    pub(super) campaign: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receiver {
    pub(super) site: String,
    pub(super) connect: Option<Ms>,
    pub(super) txn: Option<Ms>,
    pub(super) shards: Option<u16>,
    #[serde(default)]
    pub(super) limit: Vec<Spanned<Limit>>,
    #[serde(default)]
    pub(super) temp: Vec<Spanned<Temp>>,
    #[serde(default)]
    pub(super) outage: Vec<Spanned<Outage>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) id: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) key: Vec<String>,
    pub(super) unit: Option<String>,
    pub(super) charge: Option<String>,
    pub(super) quota: Option<f64>,
    pub(super) window: Option<Ms>,
    #[serde(default)]
    pub(super) phase: Ms,
    pub(super) rate: Option<Frequency>,
    pub(super) stage: Option<String>,
    pub(super) reply: String,
    #[serde(default)]
    pub(super) per_shard: bool,
    pub(super) only_ip: Option<String>,
    #[serde(default, rename = "override")]
    pub(super) overrides: Vec<Override>,
    #[serde(default)]
    pub(super) identity: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) change: Vec<Change>,
    #[serde(default)]
    pub(super) tod: Vec<TimeOfDay>,
    pub(super) background: Option<Background>,
    pub(super) penalty: Option<Penalty>,
    pub(super) tarpit: Option<Tarpit>,
    pub(super) up: Option<f64>,
    pub(super) down: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) clean: Option<f64>,
    pub(super) dirty: Option<f64>,
    pub(super) min_use: Option<f64>,
    pub(super) min_delay: Option<Ms>,
    pub(super) whitelist_after: Option<u32>,
    pub(super) ratio: Option<f64>,
    pub(super) min_n: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) ip: String,
    pub(super) quota: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) at: Ms,
    pub(super) quota: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeOfDay {
    pub(super) from: Ms,
    pub(super) to: Ms,
    pub(super) factor: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Background {
    pub(super) rate: Frequency,
    pub(super) from: Option<Ms>,
    pub(super) to: Option<Ms>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Penalty {
    pub(super) after: u32,
    pub(super) within: Ms,
    pub(super) hold: Ms,
    pub(super) extend: Option<String>,
    pub(super) max: Option<Ms>,
    pub(super) reply: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tarpit {
    pub(super) from: f64,
    pub(super) max_delay: Ms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Temp {
    pub(super) p: f64,
    pub(super) reply: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outage {
    pub(super) from: Ms,
    pub(super) to: Ms,
    pub(super) reply: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operator {
    pub(super) at: Ms,
    pub(super) command: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    pub(super) at: Ms,
    pub(super) kind: String,
}
