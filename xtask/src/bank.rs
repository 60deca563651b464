//! `cargo xtask bank --seed N --count 200 --out DIR`: scenarios of the rehearsal by the hundred.
//!
//! What is drawn, and how often, is said at the heads of `limits` (the receiver) and `mail`; all
//! of it is chosen, not measured, and nothing knows how a lane learns. The words are examples of
//! our own rules for what a limit is about, of any provider; where the allowance is small, in a
//! third of cases the host is that provider's, too.
//!
//! With `--like FILE` (as often as wanted) they are relatives of these scenarios instead, in turn
//! (`relatives` says how).
//!
//! The horizon leaves at least half as much time again as the allowance needs, after all
//! factors: an oracle can finish nearly all.

mod draw;
mod limits;
mod mail;
mod relatives;
mod table;
mod words;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use postlane_receivers::Scenario;

use crate::ended::Ended;
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
    /// Relatives of this scenario, and of others that are named so, in turn.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    like: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let words = Words::of_our_rules();
    fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    let like = arguments
        .like
        .iter()
        .map(|path| fs::read_to_string(path).with_context(|| path.display().to_string()));
    let like: Vec<String> = like.collect::<anyhow::Result<_>>()?;
    for number in 0..arguments.count {
        let (id, text) = match &like[..] {
            [] => scenario(&words, arguments.seed, number),
            like => relative(&words, arguments.seed, number, like)?,
        };
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

/// The relative with this number of one of these scenarios: its id and its text.
fn relative(
    words: &Words,
    seed: u64,
    number: u64,
    like: &[String],
) -> anyhow::Result<(String, String)> {
    let mut draw = Draw::new(seed, number);
    let id = format!("r{seed}-{number:03}");
    let like = &like[(number % like.len() as u64) as usize];
    let text = relatives::relative(&mut draw, words, like, &id)?;
    Ok((id, text))
}

#[cfg(test)]
mod tests;
