//! `cargo xtask bench replies`: what it costs to ask the rules, on one core.
//!
//! The replies are the examples of the rules themselves, so the bench needs nothing but the
//! tree. Figures are CPU time: other work on the machine makes them worse by its use of the
//! caches only. Hostile texts are measured by the octet and at two lengths: what is linear in the text
//! costs the same for each octet of both.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use postlane_mail::{Code, Reply, Stage};
use postlane_replies::{Heard, ProviderId, Providers, RuleBook, Scratch, read_reply, read_stage};
use serde_json::Value;

use crate::ended::Ended;

/// How the rules are measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Replies to be classified.
    #[arg(long, default_value_t = 3_000_000)]
    replies: u64,
    /// Take the replies of these files, one JSON object a line, instead of the examples of rules: what nobody wrote a rule
    /// for costs more.
    #[arg(long, value_name = "FILE")]
    of: Vec<PathBuf>,
}

/// A reply with what is known of it.
struct Case {
    reply: Reply,
    stage: Option<Stage>,
    provider: Option<ProviderId>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let mut out = std::io::stdout().lock();
    let providers = Providers::built_in();
    let begun = on_cpu()?;
    let book = RuleBook::built_in(&providers);
    writeln!(out, "rules                 {}", book.rules().len())?;
    writeln!(out, "reading them          {:.1} ms", (on_cpu()? - begun) * 1e3)?;
    let cases =
        if arguments.of.is_empty() { cases(&book) } else { cases_of(&arguments.of, &providers)? };
    let octets: usize = cases.iter().map(|case| case.reply.text().len()).sum();
    writeln!(out, "replies in turn       {} of {} octets each", cases.len(), octets / cases.len())?;
    let mut scratch = Scratch::default();
    let found =
        timed(&cases, arguments.replies, |case| book.find(&mut scratch, heard(case)).label as u64);
    told(&mut out, "which rule decides", found?)?;
    let diagnosed = timed(&cases, arguments.replies, |case| {
        book.diagnose(&mut scratch, heard(case)).label as u64
    })?;
    told(&mut out, "and what follows", diagnosed)?;
    for (name, piece) in HOSTILE {
        for octets in [4 * 1024, 64 * 1024] {
            let text: String = piece
                .chars()
                .cycle()
                .take(octets / piece.chars().next().map_or(1, char::len_utf8))
                .collect();
            hostile(&mut out, (&book, &mut scratch), name, text)?;
        }
    }
    Ok(Ended::Well)
}

/// Texts that are meant to cost much: the beginning of many patterns, brackets that never end,
/// addresses without end, and what is hardly text.
const HOSTILE: [(&str, &str); 6] = [
    ("user user user", "user "),
    ("<<<<<<", "<"),
    ("a@a@a@a@", "a@"),
    ("5.7.1.5.7.1.", "5.7.1."),
    ("blocked rejected spam", "blocked rejected spam listed policy "),
    ("control characters", "\u{1}\u{7f}\u{0}"),
];

fn hostile(
    out: &mut impl Write,
    asked: (&RuleBook, &mut Scratch),
    name: &str,
    text: String,
) -> anyhow::Result<()> {
    let (book, scratch) = asked;
    let octets = text.len();
    let reply = Reply::new(Code::new(550).context("550 is a code")?, text);
    let case = Case { reply, stage: Some(Stage::Rcpt), provider: None };
    let rounds = 200;
    let begun = on_cpu()?;
    for _ in 0..rounds {
        std::hint::black_box(book.diagnose(scratch, heard(&case)));
    }
    let each = (on_cpu()? - begun) / f64::from(rounds);
    writeln!(
        out,
        "{name:22} {octets:6} octets  {:8.1} µs  {:5.2} ns an octet",
        each * 1e6,
        each * 1e9 / octets as f64
    )?;
    Ok(())
}

fn cases(book: &RuleBook) -> Vec<Case> {
    let all = book.rules().iter().flat_map(|rule| rule.examples().iter().map(move |e| (rule, e)));
    let case = |(rule, example): (&postlane_replies::Rule, &postlane_replies::Example)| {
        let reply = read_reply(&example.reply)?;
        Some(Case {
            reply,
            stage: example.stage,
            provider: book.providers_of(rule).next().cloned(),
        })
    };
    all.filter_map(case).collect()
}

fn cases_of(files: &[PathBuf], providers: &Providers) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for line in text.lines() {
            let known: Value = serde_json::from_str(line)?;
            let field = |name: &str| known.get(name).and_then(Value::as_str);
            let reply = field("reply").and_then(read_reply).context("a reply has a code")?;
            let stage = field("command_stage").and_then(read_stage);
            let provider = field("provider").and_then(|name| providers.resolve(name));
            cases.push(Case { reply, stage, provider });
        }
    }
    Ok(cases)
}

fn heard(case: &Case) -> Heard<'_> {
    let provider = case.provider.as_ref().map(ProviderId::as_str);
    Heard { reply: &case.reply, stage: case.stage, provider, mx: None }
}

/// Seconds for one, in turn over all cases.
fn timed(cases: &[Case], replies: u64, mut ask: impl FnMut(&Case) -> u64) -> anyhow::Result<f64> {
    let mut sum = 0;
    let begun = on_cpu()?;
    for case in cases.iter().cycle().take(usize::try_from(replies).unwrap_or(usize::MAX)) {
        sum += ask(case);
    }
    std::hint::black_box(sum);
    Ok((on_cpu()? - begun) / replies as f64)
}

fn told(out: &mut impl Write, what: &str, each: f64) -> anyhow::Result<()> {
    writeln!(out, "{what:22}{:.0} ns, {:.2} million a second", each * 1e9, 1e-6 / each)?;
    Ok(())
}

/// Seconds that this thread has been on a CPU.
pub(super) fn on_cpu() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")
        .context("reading /proc/thread-self/schedstat: the bench needs Linux")?;
    let nanoseconds = stat.split(' ').next().unwrap_or_default();
    Ok(nanoseconds.parse::<f64>().context("schedstat has other fields than it had")? * 1e-9)
}
