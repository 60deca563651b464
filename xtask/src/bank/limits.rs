//! The receiver of a scenario: what binds, and its moods ("about": each power as likely).
//!
//! What binds, in a hundred: sliding window 30, fixed 14, token bucket 18, smoothed rate 6, few
//! connections of few messages 6, growing cap 6, greylisting before a window 6, a bucket under a
//! longer window 12, unknown recipients beside a window 2. Windows are of a minute to a day, for
//! about 20 to 6,000 messages an hour; buckets for about 60 to 15,000, with 5 s to 20 min at once.
//!
//! Refused at connect 40, at RCPT 45, at the dot 15; attempts counted 25; by source 75; pools of
//! 2 to 4 sources 40, in a fifth of them one poisoned. Each for itself: penalty box 25, of all
//! three ways; less for what the sender lacks 12; a change 12, in a quarter of them for the
//! better; times of day 12; other senders 15; tarpit 10; MX hosts with own counters 10; messages
//! on a connection 20; connections at once 15; random refusals 15; an outage 8.

use postlane_replies::Label;

use super::draw::Draw;
use super::table::{Table, minutes, quoted, short};
use super::words::Words;

/// A receiver, and what mail for it must know.
pub(super) struct Site {
    pub(super) title: String,
    /// The `[sender]` table.
    pub(super) sender: String,
    /// `[receiver]` and all behind it.
    pub(super) text: String,
    /// Messages an hour that it takes of all sources together, after all factors.
    pub(super) capacity_per_h: f64,
    /// The window that binds.
    pub(super) window_min: u64,
    /// Messages in all, where more would take weeks.
    pub(super) messages_max: f64,
    /// The share of unknown recipients that is still no trouble.
    pub(super) unknown_max: f64,
    pub(super) start_tod_h: u64,
    pub(super) sources: u64,
}

/// What binds.
#[derive(Clone, Copy, PartialEq)]
enum Binds {
    Sliding,
    Fixed,
    Bucket,
    Ewma,
    Conns,
    Grow,
    Greylist,
    Stacked,
    Ratio,
}

/// A site that is being drawn.
struct Sketch<'a> {
    draw: &'a mut Draw,
    /// For words alone: where rules change, other things are drawn as before.
    word_draw: Draw,
    words: &'a Words,
    sources: u64,
    shards: u64,
    /// What the sender lacks.
    lacks: Option<&'static str>,
    host: Option<String>,
    title: Vec<String>,
    tables: String,
    capacity_per_h: f64,
    window_min: u64,
    messages_max: f64,
    unknown_max: f64,
    start_tod_h: u64,
}

pub(super) fn site(draw: &mut Draw, words: &Words) -> Site {
    let word_draw = draw.split();
    let binds = draw.weighed(&[
        (30, Binds::Sliding),
        (14, Binds::Fixed),
        (18, Binds::Bucket),
        (6, Binds::Ewma),
        (6, Binds::Conns),
        (6, Binds::Grow),
        (6, Binds::Greylist),
        (12, Binds::Stacked),
        (2, Binds::Ratio),
    ]);
    let sources = if draw.percent(40) { draw.whole(2, 4) } else { 1 };
    let shards = if draw.percent(10) { draw.whole(2, 4) } else { 1 };
    let lacks = draw.percent(12).then(|| *draw.pick(&["aligned", "ptr", "date"]));
    let start_tod_h = draw.below(24);
    let mut sketch = Sketch {
        draw,
        word_draw,
        words,
        sources,
        shards,
        lacks,
        host: None,
        title: Vec::new(),
        tables: String::new(),
        capacity_per_h: f64::INFINITY,
        window_min: 1,
        messages_max: 20_000.0,
        unknown_max: 0.03,
        start_tod_h,
    };
    sketch.what_binds(binds);
    sketch.beside(binds);
    sketch.finish()
}

impl Sketch<'_> {
    fn what_binds(&mut self, binds: Binds) {
        match binds {
            Binds::Sliding => self.window("sliding", None),
            Binds::Fixed => self.window("fixed", None),
            Binds::Ewma => self.window("ewma", None),
            Binds::Bucket => self.bucket(),
            Binds::Conns => self.conns_and_few_messages(),
            Binds::Grow => self.grow(),
            Binds::Greylist => {
                self.greylist();
                self.window("sliding", None);
            }
            Binds::Stacked => {
                self.bucket();
                let below = self.capacity_per_h;
                let kind = *self.draw.pick(&["sliding", "fixed"]);
                self.window(kind, Some(below));
            }
            Binds::Ratio => {
                self.ratio();
                self.window("sliding", None);
            }
        }
    }

    /// So many in a time; under a bucket that allows this much an hour.
    fn window(&mut self, kind: &str, under: Option<f64>) {
        let windows: &[(u64, u64)] = match under {
            None => {
                &[(10, 1), (8, 5), (18, 10), (10, 30), (30, 60), (6, 120), (6, 360), (12, 1_440)]
            }
            Some(_) => &[(30, 60), (20, 360), (50, 1_440)],
        };
        let window_min = self.draw.weighed(windows);
        let hours = window_min as f64 / 60.0;
        let per_h = match under {
            None => self.draw.about(20.0, 6_000.0),
            Some(below) => below / self.sources as f64 * self.draw.between(0.2, 0.7),
        };
        // A day of an unknown sender is hundreds, not a hundred thousand.
        let quota = nice((per_h * hours).clamp(10.0, 5_000.0));
        let per_h = quota / hours;
        let mut limit = self.limit(if under.is_some() { "longer" } else { "rate" }, kind);
        limit.plain("quota", quota).text("window", &minutes(window_min));
        if kind == "fixed" {
            limit.text("phase", &minutes(self.draw.below(window_min)));
        }
        self.title.push(format!("{quota} in {} ({kind})", minutes(window_min)));
        self.moods(limit, per_h, quota, kind != "ewma" && under.is_none());
        self.window_min = self.window_min.max(window_min);
    }

    fn bucket(&mut self) {
        let per_h = nice(self.draw.about(60.0, 15_000.0));
        let seconds = self.draw.about(5.0, 1_200.0);
        let quota = nice((per_h / 3_600.0 * seconds).clamp(2.0, 2_000.0));
        let mut limit = self.limit("bucket", "bucket");
        limit.plain("quota", quota).text("rate", &format!("{per_h}/h"));
        self.title.push(format!("{per_h} an hour from a bucket of {quota}"));
        self.moods(limit, per_h, quota, true);
    }

    fn conns_and_few_messages(&mut self) {
        let conns = self.draw.whole(1, 8);
        let each = self.draw.whole(1, 50);
        self.conns(conns);
        self.per_connection(each);
        // A new connection for each of few messages: about a second for each.
        let per_h = 3_600.0 * conns as f64 / (0.6 + 0.5 / each as f64);
        self.title.push(format!("{conns} connections of {each} messages"));
        self.capacity_per_h = self.capacity_per_h.min(per_h * self.sources as f64);
    }

    fn grow(&mut self) {
        let quota = nice(self.draw.about(50.0, 500.0));
        let up = short(self.draw.between(1.3, 2.0));
        let reply = self.say(Label::RateLimited);
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", "reputation").text("kind", "grow").plain("key", "[\"ip\"]");
        limit.plain("quota", quota).text("window", "24h");
        limit.text("phase", &format!("{}h", self.draw.below(24))).plain("up", up);
        limit.plain("down", short(self.draw.between(0.5, 0.8)));
        limit.plain("max", quota * 40.0).plain("clean", 0.03);
        limit.plain("dirty", short(self.draw.between(0.08, 0.2)));
        limit.plain("min_use", short(self.draw.between(0.3, 0.6)));
        limit.text("stage", "rcpt").text("reply", &reply);
        self.tables.push_str(&limit.finish());
        self.title.push(format!("{quota} on the first day, {up} times as many on each clean one"));
        // Of the first three days, the first of which may be cut short by the phase.
        let days = (1.0 + up + up * up) * self.draw.between(0.5, 0.9);
        self.messages_max = quota * days * self.sources as f64;
        self.capacity_per_h = self.messages_max / 72.0;
        self.window_min = 1_440;
    }

    fn greylist(&mut self) {
        let reply = self.say(Label::Greylisted);
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", "grey").text("kind", "greylist").plain("key", "[\"ip\", \"rcpt\"]");
        let minutes = *self.draw.pick(&[1, 5, 5, 10, 15, 30]);
        limit.text("min_delay", &format!("{minutes}m"));
        if self.draw.percent(60) {
            limit.plain("whitelist_after", self.draw.whole(5, 100));
        }
        limit.text("stage", "rcpt").text("reply", &reply);
        self.tables.push_str(&limit.finish());
        self.title.push(format!("greylisting for {minutes} minutes"));
    }

    fn ratio(&mut self) {
        let reply = self.say(Label::TooManyInvalidRcpts);
        let share = short(self.draw.between(0.08, 0.25));
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", "unknown").text("kind", "ratio").plain("key", "[\"ip\"]");
        limit.plain("ratio", share).plain("min_n", self.draw.whole(30, 100));
        limit.text("window", "1h").text("min_delay", &format!("{}m", self.draw.whole(10, 60)));
        limit.text("stage", "rcpt").text("reply", &reply);
        self.tables.push_str(&limit.finish());
        self.title.push(format!("at most {share} unknown"));
        self.unknown_max = share / 4.0;
    }

    /// A rate limit with key, stage, charge and words.
    fn limit(&mut self, id: &str, kind: &str) -> Table {
        let reply = self.say(Label::RateLimited);
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", id).text("kind", kind);
        limit.text("stage", self.draw.weighed(&[(40, "connect"), (45, "rcpt"), (15, "dot")]));
        limit.text("reply", &reply);
        if self.draw.percent(25) {
            limit.text("charge", "attempted");
        }
        limit
    }

    /// Key, factors, changes, others, tarpit, hosts and penalty; and what is left of the rate.
    fn moods(&mut self, mut limit: Table, per_h: f64, quota: f64, can_share: bool) {
        let by_source = self.draw.percent(75);
        let mut share = 1.0;
        let mut sources = 1.0;
        if by_source {
            limit.plain("key", "[\"ip\"]");
            sources = self.sources as f64;
            if self.sources > 1 && self.draw.percent(20) {
                let few = (quota / 50.0).floor().max(1.0);
                limit.plain("override", format!("[{{ ip = \"ip1\", quota = {few} }}]"));
                self.title.push("one source poisoned".to_owned());
                sources -= 1.0;
            }
        }
        if let Some(lacks) = self.lacks {
            let factor = short(self.draw.between(0.3, 0.8));
            limit.plain("identity", format!("{{ {lacks} = {factor} }}"));
            share *= factor;
        }
        share *= self.over_time(&mut limit, quota);
        if can_share && self.draw.percent(15) {
            let part = self.draw.between(0.1, 0.5);
            let others = short((per_h * share * part).max(0.1));
            let (from, to) = (self.draw.below(24), self.draw.whole(1, 24));
            limit.plain(
                "background",
                format!("{{ rate = \"{others}/h\", from = \"{from}h\", to = \"{to}h\" }}"),
            );
            self.title.push("others on it".to_owned());
            share *= 1.0 - part;
        }
        if self.draw.percent(10) {
            let from = short(self.draw.between(0.5, 0.9));
            let seconds = self.draw.whole(1, 20);
            limit.plain("tarpit", format!("{{ from = {from}, max_delay = \"{seconds}s\" }}"));
        }
        if self.shards > 1 && self.draw.percent(80) {
            limit.plain("per_shard", true);
        }
        if self.draw.percent(25) {
            self.penalty(&mut limit);
        }
        self.tables.push_str(&limit.finish());
        self.capacity_per_h = self.capacity_per_h.min(per_h * share * sources);
    }

    /// A change on the way, and times of day; the least that is left.
    fn over_time(&mut self, limit: &mut Table, quota: f64) -> f64 {
        let mut share: f64 = 1.0;
        if self.draw.percent(12) {
            let factor = if self.draw.percent(75) {
                self.draw.between(0.3, 0.8)
            } else {
                self.draw.between(1.5, 3.0)
            };
            let at = self.draw.whole(1, 12);
            let changed = (quota * factor).round().max(2.0);
            limit.plain("change", format!("[{{ at = \"{at}h\", quota = {changed} }}]"));
            self.title.push(format!("{changed} after {at} h"));
            share = share.min(changed / quota);
        }
        if self.draw.percent(12) {
            let factor = short(self.draw.between(0.2, 0.8));
            let (from, to) = (self.draw.below(24), self.draw.below(24));
            limit.plain(
                "tod",
                format!("[{{ from = \"{from}h\", to = \"{to}h\", factor = {factor} }}]"),
            );
            let hours = ((to + 24 - from) % 24) as f64;
            share *= (hours * factor + 24.0 - hours) / 24.0;
        }
        share
    }

    fn penalty(&mut self, limit: &mut Table) {
        let after = self.draw.whole(2, 10);
        let within = self.draw.pick(&["1m", "5m", "10m", "30m"]);
        let hold = self.draw.pick(&["5m", "10m", "30m", "1h", "2h"]);
        let extend = self.draw.pick(&["none", "none", "reset", "double"]);
        limit.plain(
            "penalty",
            format!(
                "{{ after = {after}, within = \"{within}\", hold = \"{hold}\", extend = \"{extend}\", max = \"12h\" }}"
            ),
        );
        self.title.push(format!("{hold} in the box"));
    }

    fn conns(&mut self, conns: u64) {
        let reply = self.say(Label::ConnectionLimit);
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", "conns").text("kind", "conns").plain("key", "[\"ip\"]");
        limit.plain("quota", conns).text("stage", "connect").text("reply", &reply);
        self.tables.push_str(&limit.finish());
    }

    fn per_connection(&mut self, each: u64) {
        let reply = self.say(Label::MessagesPerConnection);
        let mut limit = Table::new("[[receiver.limit]]");
        limit.text("id", "perconn").text("kind", "perconn").plain("quota", each);
        limit.text("stage", "rcpt").text("reply", &reply);
        self.tables.push_str(&limit.finish());
    }

    /// What stands beside what binds.
    fn beside(&mut self, binds: Binds) {
        if binds != Binds::Conns {
            if self.draw.percent(20) {
                let each = self.draw.whole(5, 100);
                self.per_connection(each);
            }
            if self.draw.percent(15) {
                let conns = self.draw.whole(2, 10);
                self.conns(conns);
            }
        }
        if self.draw.percent(15) {
            let reply = self.words.about(&mut self.word_draw, Label::SystemError).reply.clone();
            let mut temp = Table::new("[[receiver.temp]]");
            temp.plain("p", short(self.draw.about(0.002, 0.03))).text("reply", &reply);
            self.tables.push_str(&temp.finish());
        }
        if self.draw.percent(8) {
            let reply =
                self.words.about(&mut self.word_draw, Label::ServerUnavailable).reply.clone();
            let from = self.draw.whole(10, 600);
            let long = self.draw.whole(5, 60);
            let mut outage = Table::new("[[receiver.outage]]");
            outage.text("from", &format!("{from}m")).text("to", &format!("{}m", from + long));
            outage.text("reply", &reply);
            self.tables.push_str(&outage.finish());
            self.title.push("an outage".to_owned());
        }
    }

    /// What is said, and perhaps by a host of who says it.
    fn say(&mut self, label: Label) -> String {
        let said = self.words.about(&mut self.word_draw, label);
        if self.host.is_none() {
            self.host.clone_from(&said.host);
        }
        said.reply.clone()
    }

    fn finish(mut self) -> Site {
        // A provider's name brings what we know of it: only where it could be that provider.
        let is_small = self.capacity_per_h < 600.0 * self.sources as f64;
        let is_theirs = is_small && self.draw.percent(33);
        let nobodys = format!("mx.bank{}.example", self.draw.below(1_000));
        let host = self.host.take().filter(|_| is_theirs).unwrap_or(nobodys);
        let mut receiver = Table::new("[receiver]");
        receiver.text("site", &host);
        if self.draw.percent(30) {
            receiver.text("connect", &format!("{}ms", self.draw.about(50.0, 1_500.0).round()));
            receiver.text("txn", &format!("{}ms", self.draw.about(100.0, 2_000.0).round()));
        }
        if self.shards > 1 {
            receiver.plain("shards", self.shards);
            self.title.push(format!("{} MX hosts", self.shards));
        }
        let ips: Vec<String> = (1..=self.sources).map(|n| quoted(&format!("ip{n}"))).collect();
        let mut sender = Table::new("[sender]");
        sender.plain("ips", format!("[{}]", ips.join(", ")));
        if let Some(lacks) = self.lacks {
            sender.plain("identity", format!("{{ {lacks} = false }}"));
        }
        Site {
            title: self.title.join(", "),
            sender: sender.finish(),
            text: receiver.finish() + &self.tables,
            capacity_per_h: self.capacity_per_h,
            window_min: self.window_min,
            messages_max: self.messages_max,
            unknown_max: self.unknown_max,
            start_tod_h: self.start_tod_h,
            sources: self.sources,
        }
    }
}

/// The number people would have chosen: two digits.
pub(super) fn nice(value: f64) -> f64 {
    let unit = 10_f64.powf((value.log10().floor() - 1.0).max(0.0));
    (value / unit).round() * unit
}
