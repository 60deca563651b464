//! How well the rules know replies whose meaning somebody has written down.
//!
//! One line of JSON for each: `reply` and `label`, and where known `provider`, `mx_hint`,
//! `command_stage` and `group`, by which near-duplicates count once. Beside agreement it counts
//! the two dangers: a recipient suppressed for what is the lane's, the source's or the sender's
//! trouble, and a lane slowed for what is a recipient's. `--rules-of` asks the rules of a commit, so
//! that what a change of rules brought can be had again; `--confusions` tells which label was taken
//! for which and shows no reply, so that replies held out stay unread.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use postlane_replies::{
    Classifier, Family, Heard, Label, Providers, RuleBook, RuleName, Scratch, read_reply,
    read_stage,
};
use serde_json::Value;

use crate::ended::Ended;
use crate::past::book_at;
use crate::root::root;

/// What to judge by.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Replies with their labels, one JSON object a line.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print each reply that was labelled otherwise, with the rule that decided.
    #[arg(long)]
    errors: bool,
    /// Print every reply with the rule that decided.
    #[arg(long)]
    all: bool,
    /// Print how often which label was taken for which, and no reply.
    #[arg(long, conflicts_with_all = ["errors", "all"])]
    confusions: bool,
    /// Ask the rules as they were at this commit.
    #[arg(long, value_name = "COMMIT")]
    rules_of: Option<String>,
    /// Ask the classifier with these weights, as `cargo xtask classifier --out` writes them.
    #[arg(long, value_name = "FILE")]
    classifier: Option<PathBuf>,
    /// Ask the rules alone.
    #[arg(long, conflicts_with = "classifier")]
    without_classifier: bool,
}

/// One reply that was judged.
pub(crate) struct Judged {
    wanted: Label,
    got: Label,
    /// Near-duplicates have the same.
    pub(crate) group: String,
    /// Whether the relay would end something for good because of it.
    is_sure: bool,
    /// Who decided, and what it was.
    by: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let (providers, book) = asked(arguments)?;
    let mut judged = Vec::new();
    let mut out = std::io::stdout().lock();
    for file in &arguments.files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for (number, line) in text.lines().enumerate() {
            let at = || format!("{}:{}", file.display(), number + 1);
            let one = judge(&book, &providers, line).with_context(at)?;
            if arguments.all || (arguments.errors && one.got != one.wanted) {
                writeln!(out, "{} < {} by {}", one.wanted, one.got, one.by)?;
            }
            judged.push(one);
        }
    }
    if arguments.confusions {
        tell_confusions(&mut out, &judged)?;
    }
    tell(&mut out, &judged)?;
    Ok(Ended::Well)
}

/// The rules that are judged, and what is asked where they do not know.
fn asked(arguments: &Arguments) -> anyhow::Result<(Providers, RuleBook)> {
    let (providers, mut book) = match &arguments.rules_of {
        Some(commit) => book_at(&root(), commit)?,
        None => {
            let providers = Providers::built_in();
            let book = RuleBook::built_in(&providers);
            (providers, book)
        }
    };
    if arguments.without_classifier {
        book = book.without_classifier();
    }
    if let Some(file) = &arguments.classifier {
        let weights = std::fs::read(file).with_context(|| file.display().to_string())?;
        book = book.with_classifier(Classifier::read(weights)?);
    }
    Ok((providers, book))
}

/// Which label was taken for which and how often, the most frequent first.
fn tell_confusions(out: &mut impl Write, judged: &[Judged]) -> anyhow::Result<()> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.got != one.wanted) {
        *counts.entry((one.wanted.to_string(), one.got.to_string())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for ((wanted, got), count) in counts {
        writeln!(out, "{count:3} {wanted} < {got}")?;
    }
    Ok(())
}

/// Asks the book about a line of JSON.
pub(crate) fn judge(book: &RuleBook, providers: &Providers, line: &str) -> anyhow::Result<Judged> {
    let known: Value = serde_json::from_str(line)?;
    let field = |name: &str| known.get(name).and_then(Value::as_str);
    let wanted = field("label").and_then(Label::parse).context("there is no such label")?;
    let said = field("reply").unwrap_or_default();
    let reply = read_reply(said).context("the reply has no code")?;
    let provider = field("provider").and_then(|name| providers.resolve(name));
    let heard = Heard {
        reply: &reply,
        stage: field("command_stage").and_then(read_stage),
        provider: provider.as_ref().map(postlane_replies::ProviderId::as_str),
        mx: field("mx_hint"),
    };
    let found = book.diagnose(&mut Scratch::default(), heard);
    let rule = found.rule.as_ref().map_or("-", RuleName::as_str);
    let [who, stage] = ["provider", "command_stage"].map(|name| field(name).unwrap_or("-"));
    Ok(Judged {
        wanted,
        got: found.label,
        is_sure: found.confidence.is_sure(),
        group: field("group").unwrap_or(said).to_owned(),
        by: format!("{rule} [{who}, {stage}] {said}"),
    })
}

pub(crate) fn tell(out: &mut impl Write, judged: &[Judged]) -> anyhow::Result<()> {
    let share = |count: usize, of: usize| 100.0 * count as f64 / of.max(1) as f64;
    let right = |rows: &[&Judged]| rows.iter().filter(|j| j.wanted == j.got).count();
    let all: Vec<_> = judged.iter().collect();
    let of_throttle: Vec<_> =
        judged.iter().filter(|j| j.wanted.family() == Family::Throttle).collect();
    let kin = judged.iter().filter(|j| j.wanted.family() == j.got.family()).count();
    let mut groups: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for one in judged {
        groups.entry(&one.group).or_default().push(one);
    }
    let by_group: f64 = groups.values().map(|rows| share(right(rows), rows.len())).sum();
    writeln!(out, "replies               {}", judged.len())?;
    writeln!(out, "label                 {:.1} %", share(right(&all), all.len()))?;
    writeln!(out, "family                {:.1} %", share(kin, all.len()))?;
    writeln!(out, "label, by group       {:.1} %", by_group / groups.len().max(1) as f64)?;
    let throttle = share(right(&of_throttle), of_throttle.len());
    writeln!(out, "throttle labels       {throttle:.1} % of {}", of_throttle.len())?;
    let danger = |from: fn(Label) -> bool, to: fn(Label) -> bool| {
        judged.iter().filter(|j| from(j.wanted) && to(j.got)).count()
    };
    let suppressed = danger(Label::is_of_lane, ends_recipient);
    let slowed = danger(Label::is_of_recipient_or_domain, Label::is_of_lane);
    writeln!(out, "recipients suppressed for a lane's trouble   {suppressed}")?;
    let surely = judged.iter().filter(|j| j.wanted.is_of_lane() && ends_recipient(j.got));
    let surely = surely.filter(|j| j.is_sure).count();
    writeln!(out, "  of these so surely that the relay does it  {surely}")?;
    writeln!(out, "lanes slowed for a recipient's trouble       {slowed}")?;
    Ok(())
}

fn ends_recipient(label: Label) -> bool {
    label.suppresses() || label.holds_recipient_domain()
}
