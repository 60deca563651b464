//! The labelled replies that the classifier learns from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use postlane_mail::{Reply, Stage};
use postlane_replies::{
    Classifier, Heard, Label, Providers, RuleBook, Scratch, cluster_of, read_reply, read_stage,
};
use serde_json::Value;

use crate::past::book_at;
use crate::root::root;

/// A reply whose meaning is known.
pub(super) struct Lesson {
    pub(super) label: Label,
    /// What it has.
    pub(super) buckets: Vec<u32>,
    /// Its words, without what differs from one reply to the next.
    words: BTreeSet<String>,
    /// The file it is from.
    file: String,
    /// The rule that decides it, where nobody had read it who wrote rules.
    pub(super) decided_by: Option<String>,
}

/// Files of replies that may be learned from; the others of their folder judge.
const READ: [&str; 7] = ["tune", "tune-2", "tune-3", "tune-5", "holdout", "holdout-2", "made"];

/// How much of all the words of two replies both must have for them to be nearly the same.
const NEARLY: f64 = 0.8;

impl Lesson {
    fn new((reply, stage): (&Reply, Option<Stage>), label: Label, file: &str) -> Self {
        let cluster = cluster_of(reply);
        Self {
            label,
            buckets: Classifier::buckets(reply, stage),
            words: cluster.split(' ').skip(1).map(str::to_owned).collect(),
            file: file.to_owned(),
            decided_by: None,
        }
    }

    /// Whether it is one of this file's.
    pub(super) fn is_from(&self, file: &Path) -> bool {
        file.file_name().is_some_and(|name| name.to_string_lossy() == self.file)
    }
}

/// All that the tree has: the examples of rules, what was collected and may be read, and what was
/// written down for the classifier.
pub(super) fn of_tree(book: &RuleBook) -> anyhow::Result<Vec<Lesson>> {
    let mut lessons = Vec::new();
    for rule in book.rules() {
        for example in rule.examples() {
            let reply = read_reply(&example.reply).context("an example has a code")?;
            lessons.push(Lesson::new((&reply, example.stage), rule.label(), ""));
        }
    }
    let folder = root().join("core/replies");
    for name in READ {
        read(&folder.join("tests/data").join(format!("{name}.jsonl")), None, &mut lessons)?;
    }
    let training = folder.join("training");
    let files = fs::read_dir(&training).with_context(|| training.display().to_string())?;
    let mut files: Vec<_> = files.map(|file| file.map(|f| f.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    for file in files {
        read(&file, Some(book), &mut lessons)?;
    }
    Ok(lessons)
}

/// The rules as they are, or as they were at a commit.
pub(super) fn rules(of: Option<&str>) -> anyhow::Result<RuleBook> {
    Ok(match of {
        Some(commit) => book_at(&root(), commit)?.1,
        None => RuleBook::built_in(&Providers::built_in()),
    })
}

/// Reads a file; where nobody had read it who wrote rules, the rules are asked.
fn read(file: &Path, rules: Option<&RuleBook>, lessons: &mut Vec<Lesson>) -> anyhow::Result<()> {
    let mut scratch = Scratch::default();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    for (number, line) in text.lines().enumerate() {
        let at = || format!("{}:{}", file.display(), number + 1);
        let (reply, stage, label) = parse(line).with_context(at)?;
        let heard = Heard { reply: &reply, stage, provider: None, mx: None };
        let decided = rules.and_then(|rules| rules.find(&mut scratch, heard).rule);
        let decided_by = decided.map(|rule| rule.name().as_str().to_owned());
        lessons.push(Lesson { decided_by, ..Lesson::new((&reply, stage), label, &name) });
    }
    Ok(())
}

fn parse(line: &str) -> anyhow::Result<(Reply, Option<Stage>, Label)> {
    let known: Value = serde_json::from_str(line)?;
    let field = |name: &str| known.get(name).and_then(Value::as_str);
    let label = field("label").and_then(Label::parse).context("there is no such label")?;
    let said = field("reply").context("there is no reply")?;
    let reply = read_reply(said).context("the reply has no code")?;
    Ok((reply, field("command_stage").and_then(read_stage), label))
}

/// Without the replies of a file and those that are nearly the same.
pub(super) fn without(lessons: Vec<Lesson>, file: &Path) -> anyhow::Result<Vec<Lesson>> {
    let mut left = Vec::new();
    read(file, None, &mut left)?;
    let mut with: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, lesson) in left.iter().enumerate() {
        for word in &lesson.words {
            with.entry(word).or_default().push(at);
        }
    }
    let is_near = |lesson: &Lesson| {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for at in lesson.words.iter().filter_map(|word| with.get(word.as_str())).flatten() {
            *common.entry(*at).or_default() += 1;
        }
        common.iter().any(|(at, both)| {
            let all = lesson.words.len() + left[*at].words.len() - both;
            *both as f64 >= NEARLY * all as f64
        })
    };
    Ok(lessons.into_iter().filter(|lesson| !lesson.is_from(file) && !is_near(lesson)).collect())
}
