//! From what is written to a scenario, with every fault found on the way.
//!
//! What is refused here cannot make a run take for ever: there are limits on how much mail,
//! how many sources, hosts and limits, and how much other traffic a scenario may ask for.

use std::ops::Range;

use postlane_mail::{Code, Label, Reply, Stream};
use toml::Spanned;

use super::error::{Fault, ScenarioError};
use super::file::{self, File};
use super::{
    Ceiling, Mail, Meta, OperatorCommand, Outage, Quantity, Restart, RestartKind, Scenario, Sender,
    Site, Temp,
};
use crate::ms::{Frequency, Ms};

mod limit;

/// How long a file may be, in bytes.
const TEXT_MAX: usize = 1 << 20;
/// Messages of a scenario, as counted or expected. Chosen, not measured: minutes of a run.
const MESSAGES_MAX: f64 = 2_000_000.0;
/// Sources of a sender.
const IPS_MAX: usize = 256;
/// Limits of a receiver.
const LIMITS_MAX: usize = 64;
/// MX hosts of a receiver.
const SHARDS_MAX: u16 = 64;
/// Entries of any other list.
const ENTRIES_MAX: usize = 1_000;
/// Bytes of a reply, a command or a text.
const WORDS_MAX: usize = 4_000;

/// What is wrong, collected.
struct Faults<'t> {
    text: &'t str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, span: &Range<usize>, what: impl Into<String>) {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.found.push(Fault { line, what: what.into() });
    }

    fn check(&mut self, holds: Option<()>, span: &Range<usize>, what: &str) {
        if holds.is_none() {
            self.add(span, what);
        }
    }

    fn few(&mut self, entries: usize, max: usize, span: &Range<usize>, what: &str) {
        if entries > max {
            self.add(span, format!("there are {entries} {what}: leave at most {max}"));
        }
    }
}

pub(super) fn read(text: &str) -> Result<Scenario, ScenarioError> {
    let mut faults = Faults { text, found: Vec::new() };
    if text.len() > TEXT_MAX {
        faults.add(&(0..0), "the file is longer than 1 MiB: is it a scenario?");
        return Err(ScenarioError(faults.found));
    }
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(e) => {
            let span = e.span().unwrap_or_default();
            faults.add(&span, syntax(e.message()));
            return Err(ScenarioError(faults.found));
        }
    };
    let scenario = whole(&mut faults, file);
    if faults.found.is_empty() { Ok(scenario) } else { Err(ScenarioError(faults.found)) }
}

/// The parser's words, with a cure where it has none.
fn syntax(message: &str) -> String {
    let message = message.replace('\n', " ");
    if message.starts_with("unknown field") {
        format!("{message}: correct its spelling or remove it")
    } else if message.starts_with("missing field") {
        format!("{message}: add it to this table")
    } else if message.contains("write ") {
        message
    } else {
        format!("{message}: see the guide on model receivers for what is written here")
    }
}

fn whole(faults: &mut Faults<'_>, file: File) -> Scenario {
    let meta_span = file.meta.span();
    faults.few(file.mail.len(), ENTRIES_MAX, &meta_span, "[[mail]] blocks");
    faults.few(file.operator.len(), ENTRIES_MAX, &meta_span, "[[operator]] blocks");
    faults.few(file.restart.len(), ENTRIES_MAX, &meta_span, "[[restart]] blocks");
    let meta = meta(faults, file.meta);
    let sender = sender(faults, file.sender);
    let mail: Vec<Mail> = file.mail.into_iter().map(|one| mail(faults, one)).collect();
    if mail.iter().map(|mail| mail.quantity.expected()).sum::<f64>() > MESSAGES_MAX {
        faults.add(&meta_span, "there are more than 2,000,000 messages: send fewer");
    }
    let receiver = site(faults, file.receiver, &sender, &meta);
    let mut operator: Vec<_> = file.operator.into_iter().map(|one| operator(faults, one)).collect();
    operator.sort_by_key(|command| command.at);
    let mut restart: Vec<_> = file.restart.into_iter().map(|one| restart(faults, one)).collect();
    restart.sort_by_key(|restart| restart.at);
    Scenario { meta, sender, mail, receiver, operator, restart }
}

fn meta(faults: &mut Faults<'_>, meta: Spanned<file::Meta>) -> Meta {
    let span = meta.span();
    let meta = meta.into_inner();
    if Label::parse(&meta.id).map_or(true, |id| id.is_none()) {
        faults.add(&span, "the id is no name: write 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    faults.check(
        (meta.horizon > Ms(0)).then_some(()),
        &span,
        "a run of no time shows nothing: write a horizon above 0",
    );
    faults.check(
        (meta.start_tod < Ms::DAY).then_some(()),
        &span,
        "start_tod is no time of day: write one below 24h",
    );
    let is_short = meta.title.len() <= WORDS_MAX && meta.notes.len() <= WORDS_MAX;
    faults.check(
        is_short.then_some(()),
        &span,
        "title or notes are too long: write at most 4000 bytes",
    );
    Meta {
        id: meta.id,
        title: meta.title,
        horizon: meta.horizon,
        seed: meta.seed,
        start_tod: meta.start_tod,
        notes: meta.notes,
    }
}

fn sender(faults: &mut Faults<'_>, sender: Spanned<file::Sender>) -> Sender {
    let span = sender.span();
    let sender = sender.into_inner();
    faults.few(sender.ips.len(), IPS_MAX, &span, "sources");
    faults.few(sender.identity.len(), ENTRIES_MAX, &span, "properties of identity");
    faults.check(
        (!sender.ips.is_empty()).then_some(()),
        &span,
        "there is no source to send from: write ips = [\"ip1\"]",
    );
    for (i, ip) in sender.ips.iter().enumerate() {
        if ip.is_empty() || ip.len() > 64 || ip.chars().any(char::is_control) {
            faults.add(&span, format!("{ip:?} names no source: write 1 to 64 letters and digits"));
        }
        if sender.ips.get(..i).is_some_and(|before| before.contains(ip)) {
            faults.add(&span, format!("the source \"{ip}\" is there twice: remove one"));
            break;
        }
    }
    let ceiling = sender.ceiling;
    if ceiling.conns_per_ip == Some(0) || ceiling.per_conn == Some(0) {
        faults.add(&span, "a ceiling of 0 sends nothing: write at least 1, or leave it out");
    }
    Sender {
        ips: sender.ips,
        identity: sender.identity,
        ceiling: Ceiling {
            conns_per_ip: ceiling.conns_per_ip.unwrap_or(20),
            rate: ceiling.rate.unwrap_or(Frequency { count: 50.0, per: Ms::from_s(1) }),
            per_conn: ceiling.per_conn,
        },
    }
}

fn mail(faults: &mut Faults<'_>, mail: Spanned<file::Mail>) -> Mail {
    let span = mail.span();
    let mail = mail.into_inner();
    let stream = stream(faults, &mail.class, &span);
    let quantity = quantity(faults, &mail, &span);
    share(faults, mail.unknown, &span, "unknown");
    if mail.unique_rcpts == Some(0) {
        faults.add(&span, "unique_rcpts = 0 leaves nobody to write to: write at least 1");
    }
    let mut label = |text: &str| {
        Label::parse(text).unwrap_or_else(|e| {
            faults.add(&span, format!("{e}: \"{text}\" is not: write another"));
            Label::NONE
        })
    };
    Mail {
        stream,
        quantity,
        max_age: mail.max_age,
        unknown: mail.unknown,
        unique_rcpts: mail.unique_rcpts,
        tenant: label(&mail.tenant),
        campaign: label(&mail.campaign),
    }
}

fn stream(faults: &mut Faults<'_>, class: &str, span: &Range<usize>) -> Stream {
    match class {
        "transactional" | "tx" => Stream::Transactional,
        "engaged" | "bulk" => Stream::Engaged,
        "cold" => Stream::Cold,
        other => {
            faults.add(
                span,
                format!("there is no class \"{other}\": write transactional, engaged or cold"),
            );
            Stream::Engaged
        }
    }
}

/// How much mail it is: so many at once, or so many in a time.
fn quantity(faults: &mut Faults<'_>, mail: &file::Mail, span: &Range<usize>) -> Quantity {
    match (mail.count, mail.rate) {
        (Some(count), None) => {
            if mail.from.is_some() || mail.to.is_some() {
                faults.add(span, "from and to go with a rate: remove them, or write at");
            }
            Quantity::Batch { count, at: mail.at.unwrap_or_default() }
        }
        (None, Some(rate)) => {
            if mail.at.is_some() {
                faults.add(span, "at goes with a count: remove it, or write from and to");
            }
            let (from, to) = (mail.from.unwrap_or_default(), mail.to.unwrap_or(Ms::DAY));
            if from > to {
                faults.add(span, "from is later than to: exchange them");
            }
            Quantity::Stream { rate, from, to }
        }
        _ => {
            faults.add(span, "how much mail is it? write either count or rate");
            Quantity::Batch { count: 0, at: Ms(0) }
        }
    }
}

fn share(faults: &mut Faults<'_>, value: f64, span: &Range<usize>, name: &str) {
    if !(0.0..=1.0).contains(&value) {
        faults.add(span, format!("{name} is a share: write a number from 0 to 1"));
    }
}

fn site(
    faults: &mut Faults<'_>,
    site: Spanned<file::Receiver>,
    sender: &Sender,
    meta: &Meta,
) -> Site {
    let span = site.span();
    let site = site.into_inner();
    faults.few(site.limit.len(), LIMITS_MAX, &span, "limits");
    faults.few(site.temp.len(), ENTRIES_MAX, &span, "[[receiver.temp]] blocks");
    faults.few(site.outage.len(), ENTRIES_MAX, &span, "[[receiver.outage]] blocks");
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if site.site.is_empty() || site.site.len() > 255 || !site.site.chars().all(is_host) {
        faults.add(&span, "site is no host name: write one as in \"mx.example.net\"");
    }
    let shards = site.shards.unwrap_or(1);
    if shards == 0 || shards > SHARDS_MAX {
        faults.add(&span, "shards is the number of MX hosts: write 1 to 64");
    }
    let connect = site.connect.unwrap_or(Ms(300));
    let txn = site.txn.unwrap_or(Ms(350));
    if connect > Ms::from_h(1) || txn > Ms::from_h(1) {
        faults.add(&span, "nobody waits longer than an hour: write shorter connect and txn");
    }
    let mut limits: Vec<super::Limit> = Vec::new();
    for one in site.limit.into_iter().take(LIMITS_MAX) {
        let at = one.span();
        let limit = limit::limit(faults, one, sender, meta);
        if limits.iter().any(|before| before.id == limit.id) {
            faults.add(&at, format!("the id \"{}\" is taken: choose another", limit.id));
        }
        limits.push(limit);
    }
    let temps = site.temp.into_iter().map(|one| temp(faults, one)).collect();
    let outages = site.outage.into_iter().map(|one| outage(faults, one)).collect();
    Site { site: site.site, connect, txn, shards, limits, temps, outages }
}

fn temp(faults: &mut Faults<'_>, temp: Spanned<file::Temp>) -> Temp {
    let span = temp.span();
    let temp = temp.into_inner();
    share(faults, temp.p, &span, "p");
    let reply = reply(faults, &temp.reply, &span);
    if !reply.code().is_transient() {
        faults.add(&span, "a temp is for a time: write a reply with a 4xx code");
    }
    Temp { p: temp.p, reply }
}

fn outage(faults: &mut Faults<'_>, outage: Spanned<file::Outage>) -> Outage {
    let span = outage.span();
    let outage = outage.into_inner();
    if outage.from > outage.to {
        faults.add(&span, "from is later than to: exchange them");
    }
    Outage { from: outage.from, to: outage.to, reply: reply(faults, &outage.reply, &span) }
}

fn operator(faults: &mut Faults<'_>, one: Spanned<file::Operator>) -> OperatorCommand {
    let span = one.span();
    let one = one.into_inner();
    let command = one.command;
    if command.trim().is_empty()
        || command.len() > WORDS_MAX
        || command.chars().any(char::is_control)
    {
        faults.add(&span, "what does the operator type? write one command of a line");
    }
    OperatorCommand { at: one.at, command }
}

fn restart(faults: &mut Faults<'_>, one: Spanned<file::Restart>) -> Restart {
    let span = one.span();
    let one = one.into_inner();
    let kind = match one.kind.as_str() {
        "clean" => RestartKind::Clean,
        "crash" => RestartKind::Crash,
        other => {
            faults.add(&span, format!("there is no restart \"{other}\": write clean or crash"));
            RestartKind::Clean
        }
    };
    Restart { at: one.at, kind }
}

/// Reads a reply that refuses: a code and its words; several lines have a code each.
fn reply(faults: &mut Faults<'_>, text: &str, span: &Range<usize>) -> Reply {
    read_reply(text).unwrap_or_else(|| {
        faults.add(
            span,
            format!(
                "{text:?} is no refusal: write one as it is said, as in \"421 4.7.0 Try again later\""
            ),
        );
        Reply::new(Code::new(451).expect("451 is a code"), "")
    })
}

fn read_reply(text: &str) -> Option<Reply> {
    if text.len() > WORDS_MAX {
        return None;
    }
    let mut code = None;
    let mut words = Vec::new();
    for line in text.trim_end_matches('\n').split('\n') {
        let (digits, rest) = line.split_at_checked(3)?;
        let of_line = Code::parse(digits.as_bytes().try_into().ok()?)?;
        let is_same = code.is_none_or(|before| before == of_line);
        let rest = match rest.strip_prefix([' ', '-']) {
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => return None,
        };
        if !is_same || rest.chars().any(char::is_control) {
            return None;
        }
        code = Some(of_line);
        words.push(rest);
    }
    let code = code.filter(|code| code.is_transient() || code.is_permanent())?;
    Some(Reply::new(code, words.join("\n")))
}
