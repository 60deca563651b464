//! What happened, as people read it: a line for each entry, a second one for what a host said.

use postlane_api::wire::{LogEntry, LogFacets, LogStats, LogStatsRow, Timestamp};

use crate::print;

/// What stands in front of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// The moment.
    Moment,
    /// The moment; and a mark, for what happened to the lane or the host.
    Around,
}

/// Columns of the moment and what is behind it.
const INDENT: usize = 22;

/// One entry.
pub(crate) fn entry(entry: &LogEntry, lead: Lead) {
    let at = entry.at.as_ref().map(moment).unwrap_or_default();
    let mark = if lead == Lead::Around { "~" } else { " " };
    let kind = painted(&entry.kind);
    print::line(format!("{at} {mark}{kind} {}", says(entry)).trim_end());
    let reply = reply(entry);
    if !reply.is_empty() {
        print::line(&format!("{:INDENT$}{reply}", ""));
    }
}

/// What happened, to whom, by which way.
fn says(entry: &LogEntry) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut say = |text: String| {
        if !text.is_empty() {
            words.push(text);
        }
    };
    let clean = |text: &str| unruly_gone(text);
    match entry.kind.as_str() {
        "lane" => {
            say(lane(entry));
            let who =
                if entry.who.is_empty() { String::new() } else { format!(" ({})", entry.who) };
            say(clean(&format!("{}{who}", entry.command)));
            let rest = entry.detail.strip_prefix(&*entry.command);
            let rest = rest.and_then(|rest| rest.strip_prefix(": "));
            say(dashed(rest.unwrap_or(&entry.detail)));
        }
        "accepted" | "refused" => {
            say(entry.id.clone().unwrap_or_default());
            let to = if entry.recipient.is_empty() { "…" } else { &entry.recipient };
            say(clean(&format!("{} to {to}", entry.sender)));
            say(entry.octets.map(octets).unwrap_or_default());
            say(dashed(&entry.detail));
        }
        _ => {
            say(entry.id.clone().unwrap_or_default());
            say(clean(&entry.recipient));
            say(way(entry));
            say(entry.attempt.map(|n| format!("try {n}")).unwrap_or_default());
            let slow = entry.took_ms.filter(|_| entry.attempt.is_some());
            say(slow.map(|ms| format!("took {}", span(u64::from(ms)))).unwrap_or_default());
            if ["delivered", "expired"].contains(&&*entry.kind) {
                say(entry.delay_ms.map(|ms| format!("after {}", span(ms))).unwrap_or_default());
            }
            if entry.reply.is_empty() || entry.attempt.is_none() {
                say(dashed(&entry.detail));
            }
        }
    }
    words.join("  ")
}

/// What was said, what it means, and what comes next. What a host took needs no words.
fn reply(entry: &LogEntry) -> String {
    if entry.kind == "delivered" || entry.code.is_none() && entry.reply.is_empty() {
        return String::new();
    }
    let mut text = entry.code.map(|code| format!("{code} ")).unwrap_or_default();
    // Each line of a reply may begin with the same status.
    let lines = entry.reply.split('\n').map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(unruly_gone).collect();
    text.push_str(&lines.join(" / "));
    let mut said: Vec<&str> = Vec::new();
    if !entry.label.is_empty() {
        said.push(&entry.label);
    }
    if entry.attempt.is_some() && !entry.detail.is_empty() {
        said.push(&entry.detail);
    }
    match said.is_empty() {
        true => text,
        false => format!("{text}  [{}]", unruly_gone(&said.join(", "))),
    }
}

/// `united-internet by v4-1 to mx00.gmx.net [1.2.3.4], TLSv1.3`.
fn way(entry: &LogEntry) -> String {
    let mut way = lane(entry);
    if !entry.mx_host.is_empty() {
        way.push_str(&format!(" to {}", unruly_gone(&entry.mx_host)));
    }
    if let Some(ip) = entry.mx_ip.as_ref().filter(|ip| !entry.mx_host.contains(&***ip)) {
        way.push_str(&format!(" [{ip}]"));
    }
    if !entry.tls.is_empty() {
        way.push_str(&format!(" {}", entry.tls));
    }
    way.trim_start().to_owned()
}

fn lane(entry: &LogEntry) -> String {
    let by = if entry.source.is_empty() { String::new() } else { format!(" by {}", entry.source) };
    unruly_gone(&format!("{}{by}", entry.provider))
}

fn dashed(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("- {}", unruly_gone(text)) }
}

/// What became of mail, by provider and domain.
pub(super) fn stats(stats: &LogStats) {
    const HEADER: [&str; 11] = [
        "PROVIDER",
        "DOMAIN",
        "ACCEPTED",
        "DEFERRED",
        "RETRIES DEFERRED",
        "EXPIRED",
        "FAILED",
        "FIRST TRY",
        "TRIES EACH",
        "WAITED",
        "STILL LATE",
    ];
    let total = LogStatsRow { provider: "TOTAL".to_owned(), ..stats.total.clone() };
    print::table(&HEADER, std::iter::once(&total).chain(&stats.rows).map(cells));
    print::note(
        "first try: accepted at the first attempt; tries each: attempts for each accepted; waited \
         and still late: how old mail was on average when it was accepted and when it was deferred",
    );
}

fn cells(row: &LogStatsRow) -> Vec<String> {
    let none = || "-".to_owned();
    let age = |s: Option<f64>| s.map_or_else(none, |s| span((s * 1_000.0) as u64));
    let name = |name: &str| if name.is_empty() { none() } else { unruly_gone(name) };
    let domain = if row.provider == "TOTAL" { String::new() } else { name(&row.domain) };
    vec![
        name(&row.provider),
        domain,
        row.accepted.to_string(),
        (row.deferred_fresh + row.waited).to_string(),
        row.deferred_retry.to_string(),
        row.expired.to_string(),
        row.failed.to_string(),
        row.first_attempt_share.map_or_else(none, |share| format!("{:.1} %", share * 100.0)),
        row.attempts_per_accepted.map_or_else(none, |tries| format!("{tries:.2}")),
        age(row.accepted_after_s),
        age(row.deferred_age_s),
    ]
}

/// How often what occurs, the fields below each other.
pub(super) fn facets(facets: &LogFacets) {
    let told = facets
        .facets
        .iter()
        .filter(|facet| facet.values.iter().any(|value| !value.value.is_empty()));
    for (n, facet) in told.enumerate() {
        if n > 0 {
            print::line("");
        }
        print::line(&facet.field.to_uppercase());
        for value in &facet.values {
            let name =
                if value.value.is_empty() { "-".to_owned() } else { unruly_gone(&value.value) };
            print::line(&format!("{:>10}  {name}", value.count));
        }
        if facet.others > 0 {
            print::line(&format!("{:>10}  others", facet.others));
        }
    }
}

/// A moment to the second; JSON has the milliseconds.
pub(crate) fn moment(at: &Timestamp) -> String {
    match at.0.split_once('.') {
        Some((second, _)) => format!("{second}Z"),
        None => at.0.clone(),
    }
}

/// A length of time in its two largest units.
pub(crate) fn span(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", s, ms % 1_000 / 100),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// Octets as people say them.
fn octets(octets: u64) -> String {
    match octets {
        0..1_024 => format!("{octets} B"),
        1_024..1_048_576 => format!("{:.1} KiB", octets as f64 / 1_024.0),
        _ => format!("{:.1} MiB", octets as f64 / 1_048_576.0),
    }
}

/// What others wrote must not move the cursor, colour the screen or turn the line around: such
/// characters are shown as numbers.
pub(crate) fn unruly_gone(text: &str) -> String {
    postlane_api::log::shown(text)
}

/// Green is done, yellow waits, red is over; plain where there is no terminal.
fn painted(kind: &str) -> String {
    let colour = match kind {
        "delivered" => "32",
        "deferred" | "held" | "connect-failed" | "session-lost" => "33",
        "bounced" | "expired" | "refused" | "complaint" | "returned" => "31",
        "lane" => "36",
        _ => return format!("{kind:<14}"),
    };
    format!("\u{1b}[{colour}m{kind:<14}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_its_two_largest_units() {
        let all = [0, 1_500, 61_000, 3_660_000, 90_000_000].map(span);
        assert_eq!(all, ["0 ms", "1.5 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
    }

    #[test]
    fn hostile_words_are_shown_as_numbers() {
        let hostile = LogEntry {
            kind: "deferred".to_owned(),
            recipient: "a\u{202e}b@example.net".to_owned(),
            code: Some(451),
            reply: "4.7.0 \u{1b}[2J\0x\r\nevent=forged\u{9b}1m".to_owned(),
            attempt: Some(1),
            ..LogEntry::default()
        };
        let shown = format!("{}\n{}", says(&hostile), reply(&hostile));
        assert_eq!(
            shown,
            "a\\u{202e}b@example.net  try 1\n\
             451 4.7.0 \\u{1b}[2J\\u{0}x / event=forged\\u{9b}1m"
        );
    }
}
