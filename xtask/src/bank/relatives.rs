//! Relatives of scenarios: the same parts with other numbers, words and moods.
//!
//! A drawn scenario has anything beside anything; who judges a lane writes some, for a reason, with
//! numbers that people would choose. A relative keeps which limits there are and what they are about.
//! What becomes of the rest: quotas 0.3 to 4 times theirs, windows a quarter to four times (of those
//! that people choose, not above a day; a cap that grows keeps its day), mail with them, so that the
//! allowance takes about as many windows as it did; sliding for fixed and back 25 in a hundred, another
//! stage 30, the other charge 20, other words 50, one source more or less where there is a pool, a pool
//! where there was none 15; penalties, changes, times of day, others, tarpits and factors where there
//! were some, of other sizes; where there were none a penalty 10, an outage 8, a restart 10, hosts with
//! own counters 8, random refusals 10.

use anyhow::Context as _;
use postlane_receivers::{Frequency, Ms};
use postlane_replies::Label;
use toml::{Table, Value};

use super::draw::Draw;
use super::limits::nice;
use super::table::short;
use super::words::Words;

/// Windows that people choose, in minutes.
const WINDOWS_MIN: [u64; 14] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1_440];
/// The longest run, in hours.
const HORIZON_H_MAX: u64 = 14 * 24;

/// By how much a relative differs.
struct Scale {
    quota: f64,
    time: f64,
    /// How many sources it has, and how many its ancestor had.
    sources: [u64; 2],
}

/// A relative of a scenario, under this id. Fails where the text is no scenario.
pub(super) fn relative(
    draw: &mut Draw,
    words: &Words,
    text: &str,
    id: &str,
) -> anyhow::Result<String> {
    let mut all: Table = text.parse()?;
    let scale = scale(draw, &all);
    meta(draw, &mut all, id, &scale)?;
    sender(draw, &mut all, &scale);
    for mail in tables(&mut all, "mail") {
        mail_of(draw, mail, &scale)?;
    }
    let receiver = all.get_mut("receiver").and_then(Value::as_table_mut);
    let receiver = receiver.context("no [receiver]")?;
    for limit in tables(receiver, "limit") {
        limit_of(draw, words, limit, &scale)?;
    }
    host(draw, receiver);
    chance(draw, words, receiver);
    if draw.percent(10) {
        let mut restart = Table::new();
        restart.insert("at".into(), hours(draw.between(0.2, 8.0)));
        restart.insert("kind".into(), (*draw.pick(&["clean", "crash"])).into());
        all.insert("restart".into(), Value::Array(vec![Value::Table(restart)]));
    }
    Ok(toml::to_string(&all)?)
}

fn scale(draw: &mut Draw, all: &Table) -> Scale {
    let grows = all["receiver"]["limit"].as_array().into_iter().flatten();
    let grows = grows.into_iter().any(|limit| limit["kind"].as_str() == Some("grow"));
    let time = *draw.pick(&[0.25, 1.0 / 3.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 4.0]);
    let had = all["sender"]["ips"].as_array().map_or(1, Vec::len) as u64;
    let has = match had {
        1 if draw.percent(15) => draw.whole(2, 3),
        1 => 1,
        _ => draw.whole(2, had + 2),
    };
    let time = if grows { 1.0 } else { time };
    Scale { quota: draw.about(0.3, 4.0), time, sources: [has, had] }
}

fn meta(draw: &mut Draw, all: &mut Table, id: &str, scale: &Scale) -> anyhow::Result<()> {
    let meta = all.get_mut("meta").and_then(Value::as_table_mut).context("no [meta]")?;
    let ancestor = meta["id"].as_str().unwrap_or_default().to_owned();
    meta.insert("title".into(), format!("a relative of {ancestor}").into());
    meta.insert("id".into(), id.into());
    meta.insert("seed".into(), (draw.below(100_000) as i64).into());
    meta.insert("start_tod".into(), format!("{}h", draw.below(24)).into());
    let horizon = time_of(meta, "horizon")?.as_s_f64() / 3_600.0;
    let horizon = (horizon * scale.time.max(1.0) * 1.5).ceil().min(HORIZON_H_MAX as f64);
    meta.insert("horizon".into(), format!("{horizon}h").into());
    Ok(())
}

fn sender(draw: &mut Draw, all: &mut Table, scale: &Scale) {
    let ips = (1..=scale.sources[0]).map(|n| Value::String(format!("ip{n}"))).collect();
    let Some(sender) = all.get_mut("sender").and_then(Value::as_table_mut) else { return };
    sender.insert("ips".into(), Value::Array(ips));
    if sender.contains_key("ceiling") {
        sender.insert("ceiling".into(), Value::Table(Table::new()));
    }
    if draw.percent(8) {
        let mut ceiling = Table::new();
        ceiling.insert("conns_per_ip".into(), (draw.whole(2, 10) as i64).into());
        sender.insert("ceiling".into(), Value::Table(ceiling));
    }
}

fn mail_of(draw: &mut Draw, mail: &mut Table, scale: &Scale) -> anyhow::Result<()> {
    let pool = scale.sources[0] as f64 / scale.sources[1] as f64;
    if let Some(count) = mail.get("count").and_then(Value::as_integer) {
        let count = count as f64 * scale.quota * pool * draw.about(0.5, 1.5);
        mail.insert("count".into(), (nice(count.clamp(60.0, 40_000.0)) as i64).into());
    }
    if mail.contains_key("rate") {
        let per_h = frequency_of(mail, "rate")?.per_ms() * 3.6e6;
        let rate = per_h * scale.quota * pool / scale.time * draw.about(0.5, 1.5);
        mail.insert("rate".into(), format!("{}/h", short(rate.max(0.1))).into());
    }
    for (key, least) in [("to", 2.0), ("at", 0.0), ("from", 0.0)] {
        if mail.contains_key(key) {
            let at = time_of(mail, key)?.as_s_f64() / 3_600.0;
            mail.insert(key.into(), hours((at * scale.time).max(least)));
        }
    }
    if mail["class"].as_str() != Some("transactional") {
        let age = time_of(mail, "max_age")?.as_s_f64() / 3_600.0;
        let age = (age * scale.time.max(1.0) * draw.between(1.0, 1.5)).min(HORIZON_H_MAX as f64);
        mail.insert("max_age".into(), hours(age));
    }
    if mail.contains_key("unknown") {
        mail.insert("unknown".into(), short(draw.about(0.002, 0.04)).into());
    }
    Ok(())
}

fn limit_of(
    draw: &mut Draw,
    words: &Words,
    limit: &mut Table,
    scale: &Scale,
) -> anyhow::Result<()> {
    let kind = limit["kind"].as_str().unwrap_or_default().to_owned();
    let label = match &*kind {
        "conns" => Label::ConnectionLimit,
        "perconn" => Label::MessagesPerConnection,
        "greylist" => Label::Greylisted,
        "ratio" => Label::TooManyInvalidRcpts,
        _ => Label::RateLimited,
    };
    if draw.percent(50) {
        limit.insert("reply".into(), words.about(draw, label).reply.clone().into());
    }
    match &*kind {
        "conns" => drop(limit.insert("quota".into(), (draw.whole(1, 10) as i64).into())),
        "perconn" => drop(limit.insert("quota".into(), (draw.whole(2, 60) as i64).into())),
        "greylist" => greylist(draw, limit),
        "ratio" => {}
        _ => rate_limit(draw, limit, &kind, scale)?,
    }
    Ok(())
}

fn greylist(draw: &mut Draw, limit: &mut Table) {
    let minutes = *draw.pick(&[1, 2, 5, 10, 15, 30]);
    limit.insert("min_delay".into(), format!("{minutes}m").into());
    limit.remove("whitelist_after");
    if draw.percent(60) {
        limit.insert("whitelist_after".into(), (draw.whole(5, 200) as i64).into());
    }
}

/// A limit of messages in a time.
fn rate_limit(draw: &mut Draw, limit: &mut Table, kind: &str, scale: &Scale) -> anyhow::Result<()> {
    let quota = number(&limit["quota"]).context("a limit without a quota")?;
    let quota = nice((quota * scale.quota).max(5.0));
    limit.insert("quota".into(), quota.into());
    let per_h = match kind {
        "bucket" => {
            let per_h = frequency_of(limit, "rate")?.per_ms() * 3.6e6 * scale.quota / scale.time;
            limit.insert("rate".into(), format!("{}/h", nice(per_h.max(10.0))).into());
            per_h
        }
        "grow" => {
            grow(draw, limit, quota);
            quota / 24.0
        }
        _ => quota / window(draw, limit, kind, scale)?,
    };
    if draw.percent(30) {
        limit.insert("stage".into(), (*draw.pick(&["connect", "rcpt", "dot"])).into());
    }
    if draw.percent(20) {
        let is_strict = limit.get("charge").and_then(Value::as_str) == Some("attempted");
        let other = if is_strict { "accepted" } else { "attempted" };
        limit.insert("charge".into(), other.into());
    }
    moods(draw, limit, kind, quota, per_h, scale)
}

fn grow(draw: &mut Draw, limit: &mut Table, quota: f64) {
    limit.insert("phase".into(), format!("{}h", draw.below(24)).into());
    limit.insert("up".into(), short(draw.between(1.4, 2.2)).into());
    limit.insert("down".into(), short(draw.between(0.4, 0.8)).into());
    limit.insert("max".into(), (quota * 25.0).into());
    limit.insert("clean".into(), short(draw.between(0.02, 0.05)).into());
    limit.insert("dirty".into(), short(draw.between(0.08, 0.2)).into());
    limit.insert("min_use".into(), short(draw.between(0.3, 0.6)).into());
}

/// The window of a limit, by the clock or not; in hours.
fn window(draw: &mut Draw, limit: &mut Table, kind: &str, scale: &Scale) -> anyhow::Result<f64> {
    let wanted = time_of(limit, "window")?.as_s_f64() / 60.0 * scale.time;
    let apart = |minutes: u64| (minutes as f64 / wanted).ln().abs();
    let minutes = WINDOWS_MIN.into_iter().min_by(|a, b| apart(*a).total_cmp(&apart(*b)));
    let minutes = minutes.unwrap_or(60);
    limit.insert("window".into(), format!("{minutes}m").into());
    let turned = draw.percent(25);
    let kind = match kind {
        "sliding" if turned => "fixed",
        "fixed" if turned => "sliding",
        kind => kind,
    };
    limit.insert("kind".into(), kind.into());
    limit.remove("phase");
    if kind == "fixed" {
        limit.insert("phase".into(), format!("{}m", draw.below(minutes)).into());
    }
    Ok(minutes as f64 / 60.0)
}

/// What a limit does besides.
fn moods(
    draw: &mut Draw,
    limit: &mut Table,
    kind: &str,
    quota: f64,
    per_h: f64,
    scale: &Scale,
) -> anyhow::Result<()> {
    if limit.contains_key("penalty") || draw.percent(10) {
        limit.insert("penalty".into(), penalty(draw));
    }
    if limit.contains_key("background") && kind != "grow" {
        let rate = format!("{}/h", short((per_h * draw.between(0.2, 0.5)).max(0.1)));
        let (from, to) = (draw.below(24), draw.whole(1, 24));
        let inline = [("rate", rate), ("from", format!("{from}h")), ("to", format!("{to}h"))];
        let inline = inline.map(|(key, value)| (key.to_owned(), Value::String(value)));
        limit.insert("background".into(), Value::Table(inline.into_iter().collect()));
    }
    for change in tables(limit, "change") {
        let at = time_of(change, "at")?.as_s_f64() / 3_600.0;
        let factor = if draw.percent(75) { draw.between(0.2, 0.7) } else { draw.between(1.5, 3.0) };
        change.insert("at".into(), hours(at * scale.time * draw.about(0.4, 3.0)));
        change.insert("quota".into(), nice((quota * factor).max(3.0)).into());
    }
    for tod in tables(limit, "tod") {
        tod.insert("from".into(), format!("{}h", draw.below(24)).into());
        tod.insert("to".into(), format!("{}h", draw.below(24)).into());
        tod.insert("factor".into(), short(draw.between(0.2, 0.7)).into());
    }
    for other in tables(limit, "override") {
        other.insert("quota".into(), (draw.whole(1, 10) as i64).into());
    }
    if let Some(identity) = limit.get_mut("identity").and_then(Value::as_table_mut) {
        for (_, factor) in identity.iter_mut() {
            *factor = short(draw.between(0.2, 0.7)).into();
        }
    }
    if let Some(tarpit) = limit.get_mut("tarpit").and_then(Value::as_table_mut) {
        tarpit.insert("from".into(), short(draw.between(0.5, 0.9)).into());
        tarpit.insert("max_delay".into(), format!("{}s", draw.whole(2, 20)).into());
    }
    Ok(())
}

fn penalty(draw: &mut Draw) -> Value {
    let mut penalty = Table::new();
    penalty.insert("after".into(), (draw.whole(2, 10) as i64).into());
    penalty.insert("within".into(), (*draw.pick(&["1m", "5m", "10m", "30m"])).into());
    penalty.insert("hold".into(), (*draw.pick(&["10m", "30m", "1h", "2h", "4h"])).into());
    penalty.insert("extend".into(), (*draw.pick(&["none", "reset", "reset", "double"])).into());
    penalty.insert("max".into(), "12h".into());
    Value::Table(penalty)
}

/// Its name, its pace, and hosts with counters of their own.
fn host(draw: &mut Draw, receiver: &mut Table) {
    if draw.percent(50) {
        let site = format!("mx.relative{}.example", draw.below(1_000));
        receiver.insert("site".into(), site.into());
    }
    if draw.percent(30) {
        let ms = |draw: &mut Draw| format!("{}ms", draw.about(80.0, 1_500.0).round());
        receiver.insert("connect".into(), ms(draw).into());
        receiver.insert("txn".into(), ms(draw).into());
    }
    if draw.percent(8) {
        receiver.insert("shards".into(), (draw.whole(2, 4) as i64).into());
        for limit in tables(receiver, "limit") {
            if limit["kind"].as_str() != Some("perconn") && draw.percent(80) {
                limit.insert("per_shard".into(), true.into());
            }
        }
    }
}

/// Refusals for no reason of rate.
fn chance(draw: &mut Draw, words: &Words, receiver: &mut Table) {
    if receiver.contains_key("temp") || draw.percent(10) {
        let mut temp = Table::new();
        temp.insert("p".into(), short(draw.about(0.003, 0.04)).into());
        temp.insert("reply".into(), words.about(draw, Label::SystemError).reply.clone().into());
        receiver.insert("temp".into(), Value::Array(vec![Value::Table(temp)]));
    }
    if draw.percent(8) {
        let from = draw.whole(10, 600);
        let mut outage = Table::new();
        outage.insert("from".into(), format!("{from}m").into());
        outage.insert("to".into(), format!("{}m", from + draw.whole(5, 60)).into());
        let reply = &words.about(draw, Label::ServerUnavailable).reply;
        outage.insert("reply".into(), reply.clone().into());
        receiver.insert("outage".into(), Value::Array(vec![Value::Table(outage)]));
    }
}

/// The tables of an array, if there is one.
fn tables<'a>(of: &'a mut Table, key: &str) -> impl Iterator<Item = &'a mut Table> {
    let all = of.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
    all.filter_map(Value::as_table_mut)
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

fn time_of(table: &Table, key: &str) -> anyhow::Result<Ms> {
    let text = table.get(key).and_then(Value::as_str).with_context(|| format!("no {key}"))?;
    Ms::parse(text).with_context(|| format!("{key} = {text}"))
}

fn frequency_of(table: &Table, key: &str) -> anyhow::Result<Frequency> {
    let text = table.get(key).and_then(Value::as_str).with_context(|| format!("no {key}"))?;
    Frequency::parse(text).with_context(|| format!("{key} = {text}"))
}

/// Hours, to the minute.
fn hours(hours: f64) -> Value {
    Value::String(format!("{}m", (hours * 60.0).round()))
}
