//! FMT-25: the way a message came.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::Known;
use crate::message::text_of;

use super::date::MailDate;
use super::single::is_local;

/// How far clocks of hosts on a way may differ, in seconds (FMT-25).
const SKEW: i64 = 600;

pub(super) fn received(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let count = arrived.message.all("Received").count();
    let mut hosts: BTreeMap<String, u32> = BTreeMap::new();
    let (mut odd, mut later): (Vec<String>, Option<i64>) = (Vec::new(), None);
    for field in arrived.message.all("Received").take(60) {
        let text = text_of(field);
        let Some((trace, date)) = text.rsplit_once(';') else {
            odd.push(format!("\"{}\" has no date", text.chars().take(60).collect::<String>()));
            continue;
        };
        match MailDate::parse(date) {
            Ok(date) => {
                if later.is_some_and(|later| date.unix_s > later + SKEW) {
                    odd.push(format!(
                        "a host's clock runs ahead of the next one's: {}",
                        text_date(&text)
                    ));
                }
                later = Some(date.unix_s);
            }
            Err(fault) => odd.push(format!("{}: {fault}", text_date(&text))),
        }
        if let Some(host) = word_behind(trace, "by ") {
            *hosts.entry(host.to_ascii_lowercase()).or_default() += 1;
        }
        if let Some(from) = word_behind(trace, "from ").filter(|from| is_inside(from)) {
            odd.push(format!("{from} is a name or address of one house"));
        }
    }
    let again = hosts.iter().find(|(_, times)| **times >= 3);
    if count > 50 {
        Found::fail(format!("{count} hosts have handled it"))
    } else if let Some((host, times)) = again {
        Found::fail(format!("{host} has handled it {times} times: a loop"))
    } else if count == 0 {
        Found::info("no host has handled it before")
    } else if count > 20 {
        Found::warn(format!("{count} hosts have handled it"))
    } else if odd.is_empty() {
        Found::pass(format!("{count} hosts have handled it"))
    } else {
        Found::warn(odd.join("; "))
    }
}

fn text_date(text: &str) -> &str {
    text.rsplit(';').next().unwrap_or_default().trim()
}

/// The word behind another, at the beginning or behind a blank.
fn word_behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let at = match text.starts_with(word) {
        true => 0,
        false => text.find(&format!(" {word}"))? + 1,
    };
    text.get(at + word.len()..)?.split_ascii_whitespace().next()
}

/// Names and addresses that mean something in one house only.
fn is_inside(from: &str) -> bool {
    let bare = from.trim_matches(['[', ']', '(', ')']);
    match bare.parse() {
        Ok(IpAddr::V4(v4)) => v4.is_private(),
        Ok(IpAddr::V6(v6)) => v6.is_unique_local(),
        Err(_) => is_local(bare) && bare != "localhost",
    }
}
