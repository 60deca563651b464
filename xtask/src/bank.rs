//! `cargo xtask bank --seed N --count 200 --out DIR`: scenarios of the rehearsal by the hundred.
//!
//! What is drawn, each scenario for itself (chosen, not measured; "about" means log-uniform):
//!
//! - **What binds**: sliding window 30 %, fixed window 14, token bucket 18, smoothed rate 6,
//!   connections 6 (with few messages on each), growing cap 6, greylisting before a window 6,
//!   bucket under a longer window 12, unknown-recipient ratio beside a window 2.
//! - **How much**: windows from a minute to a day, about 20 to 6,000 messages an hour; buckets
//!   about 60 to 15,000 an hour with 5 s to 20 min of it at once.
//! - **Where and how**: refused at connect 40 %, RCPT 45 %, dot 15 %; attempts counted in 25 %;
//!   by source in 75 %; pools of 2 to 4 sources in 40 %, one of them poisoned in some.
//! - **Moods**, each by itself: penalty box 25 % (all three ways of extending), less quota for
//!   what the sender lacks 12 %, a change on the way 12 %, times of day 12 %, other senders 15 %,
//!   tarpit 10 %, MX hosts with own counters 10 %, messages on a connection 20 %, connections at
//!   once 15 %, random refusals 15 %, an outage 8 %.
//! - **Words**: examples of our own rules for what the limit is about, of any provider; where
//!   the allowance is small, in a third of cases the host is that provider's, too.
//! - **Mail**: one to three blocks for half an hour to two days of what the limit allows, at
//!   once or over time, 60 to 20,000 messages; transactional mail beside it in 60 %, at most a
//!   tenth of the allowance; some unknown recipients in 25 %.
//!
//! The horizon leaves at least half as much time again as the allowance needs, after all
//! factors; so an oracle can finish nearly all. Nothing here knows how a lane learns.

mod draw;
mod limits;
mod mail;
mod table;
mod words;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use postlane_receivers::Scenario;

use crate::Ended;
use draw::Draw;
use words::Words;

/// Which scenarios, and where to.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where chance begins: another seed, other scenarios.
    #[arg(long)]
    seed: u64,
    /// How many.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    count: u64,
    /// The folder to write them to; made if it is not there.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let words = Words::of_our_rules();
    fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    for number in 0..arguments.count {
        let (id, text) = scenario(&words, arguments.seed, number);
        Scenario::parse(&text).with_context(|| format!("{id} is no scenario:\n{text}"))?;
        let path = arguments.out.join(format!("{id}.toml"));
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(Ended::Well)
}

/// The scenario with this number: its id and its text.
fn scenario(words: &Words, seed: u64, number: u64) -> (String, String) {
    let mut draw = Draw::new(seed, number);
    let id = format!("b{seed}-{number:03}");
    let site = limits::site(&mut draw, words);
    let mail = mail::mail(&mut draw, &site);
    let mut text = format!(
        "[meta]\nid = \"{id}\"\ntitle = {}\nhorizon = \"{}h\"\nseed = {}\nstart_tod = \"{}h\"\n",
        table::quoted(&site.title),
        mail.horizon_h,
        draw.below(100_000),
        site.start_tod_h,
    );
    text.push_str(&site.sender);
    text.push_str(&mail.text);
    text.push_str(&site.text);
    (id, text)
}

#[cfg(test)]
mod tests;
