//! From what is written in a file to rules, with every fault found on the way.

use std::collections::BTreeSet;
use std::sync::Arc;

use postlane_mail::Span;
use toml::Spanned;

use super::error::{Fault, Wrong};
use super::file::{Class, Entry, File, OfLabel, Said};
use super::rule::{
    Advice, CodeTest, Conditions, Example, Origin, Rank, Rule, RuleName, StatusTest, Words,
};
use crate::automaton::Line;
use crate::label::Label;
use crate::pattern::{self, Chain, Classes};
use crate::recorded::{read_reply, read_stage};
use crate::vocabulary::Lexicon;

/// How long a rule may tell to wait.
const WAIT_MAX: Span = Span::from_h(30 * 24);

/// A file that was read: its rules, each with its patterns.
pub(super) struct Read {
    pub(super) line: Line,
    pub(super) providers: Arc<[u16]>,
    pub(super) speaks: Vec<Chain>,
    pub(super) carriers: Vec<Chain>,
    pub(super) rules: Vec<(Rule, Patterns)>,
    pub(super) advice: Vec<(Label, Advice)>,
}

/// The chains of a rule's patterns.
#[derive(Default)]
pub(super) struct Patterns {
    pub(super) says: Vec<Chain>,
    pub(super) also: Vec<Chain>,
    pub(super) unless: Vec<Chain>,
}

/// Reads files and collects what is wrong with them.
pub(super) struct Reader<'p> {
    /// The words of all patterns.
    pub(super) lexicon: Lexicon,
    /// The place of a provider in the book's list.
    pub(super) provider: &'p dyn Fn(&str) -> Option<u16>,
    pub(super) faults: Vec<Fault>,
}

/// A file while it is read.
struct Page<'r, 'p, 't> {
    reader: &'r mut Reader<'p>,
    name: &'t str,
    text: &'t str,
    classes: Classes,
}

impl Reader<'_> {
    /// Reads the file with this name, of which the part before the last dot names its rules.
    pub(super) fn read(&mut self, name: &str, text: &str) -> Option<Read> {
        let mut page = Page { reader: self, name, text, classes: Classes::default() };
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(e) => {
                let at = e.span().map_or(0, |span| span.start);
                page.fault(at, Wrong::Syntax(e.message().into()));
                return None;
            }
        };
        Some(page.whole(&file))
    }
}

impl Page<'_, '_, '_> {
    fn fault(&mut self, at: usize, what: Wrong) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.reader.faults.push(Fault { file: self.name.into(), line, what });
    }

    fn whole(&mut self, file: &File) -> Read {
        let line = self.line(file.about.line.as_ref());
        let mut providers = Vec::new();
        for id in &file.about.providers {
            match (self.reader.provider)(id.get_ref()) {
                Some(place) => providers.push(place),
                None => self.fault(id.span().start, Wrong::Provider(id.get_ref().as_str().into())),
            }
        }
        let providers: Arc<[u16]> = providers.into();
        self.words(&file.words);
        let speaks = self.chains(&file.about.speaks);
        let mut ids = BTreeSet::new();
        let mut rules = Vec::new();
        for entry in &file.rules {
            if !is_id(entry.id.get_ref()) || !ids.insert(entry.id.get_ref()) {
                self.fault(entry.id.span().start, Wrong::Id(entry.id.get_ref().as_str().into()));
            }
            rules.extend(self.rule(file, entry, &providers));
        }
        let carriers = file.carriers.iter().flat_map(|of| self.carrier(&of.says)).collect();
        let advice = file.advice.iter().filter_map(|of| self.advice(of)).collect();
        Read { line, providers, speaks, carriers, rules, advice }
    }

    fn words(&mut self, classes: &[Class]) {
        for class in classes {
            let words: Vec<_> = class.any.iter().map(String::as_str).collect();
            if let Err(e) = self.classes.add(class.name.get_ref(), &words) {
                let name = class.name.get_ref().as_str().into();
                self.fault(class.name.span().start, Wrong::Pattern(name, e));
            }
        }
    }

    fn line(&mut self, line: Option<&Spanned<String>>) -> Line {
        match line.map(|line| line.get_ref().as_str()) {
            None | Some("joined") => Line::Joined,
            Some("first") => Line::First,
            Some("last") => Line::Last,
            Some(other) => {
                let at = line.map_or(0, |line| line.span().start);
                self.fault(at, Wrong::Line(other.into()));
                Line::Joined
            }
        }
    }

    fn rule(
        &mut self,
        file: &File,
        entry: &Entry,
        providers: &Arc<[u16]>,
    ) -> Option<(Rule, Patterns)> {
        let at = entry.id.span().start;
        let id = entry.id.get_ref().as_str();
        let label = self.label(&entry.label);
        let rank = self.rank(entry.rank.as_ref());
        let wait = self.wait(entry.wait.as_ref());
        let patterns = Patterns {
            says: self.chains(&entry.says),
            also: self.chains(&entry.also),
            unless: self.chains(&entry.unless),
        };
        let conditions = self.conditions(entry);
        let asks = !entry.says.is_empty()
            || !conditions.codes.is_empty()
            || !conditions.statuses.is_empty();
        if !asks {
            self.fault(at, Wrong::AsksNothing(id.into()));
        }
        let source = entry.source.as_ref().or(file.about.source.as_ref());
        let seen = entry.seen.as_ref().or(file.about.seen.as_ref());
        let origin = match (source, seen) {
            (Some(source), Some(seen)) if !source.trim().is_empty() && is_date(seen) => {
                Origin { source: Arc::from(source.as_str()), seen: Arc::from(seen.as_str()) }
            }
            _ => {
                self.fault(at, Wrong::Origin(id.into()));
                return None;
            }
        };
        if entry.examples.is_empty() {
            self.fault(at, Wrong::NoExample(id.into()));
        }
        let rule = Rule {
            name: RuleName::new(stem(self.name), id),
            label: label?,
            rank,
            providers: Arc::clone(providers),
            conditions,
            wait,
            origin,
            advice: advice(&entry.means, &entry.operator, &entry.sender),
            examples: entry.examples.iter().filter_map(|said| self.example(said)).collect(),
            not_examples: entry.not_examples.iter().filter_map(|said| self.example(said)).collect(),
            yields: false,
        };
        Some((rule, patterns))
    }

    fn conditions(&mut self, entry: &Entry) -> Conditions {
        let suffix = |suffix: &String| suffix.trim_matches('.').to_ascii_lowercase().into();
        Conditions {
            codes: self.all(&entry.code, read_code, Wrong::Code),
            statuses: self.all(&entry.status, read_status, Wrong::Status),
            stages: self.all(&entry.stage, read_stage, Wrong::Stage),
            only_there: entry.only_there,
            mx: entry.mx.iter().map(suffix).collect(),
            words: Words::default(),
        }
    }

    /// Reads each of `written`; what cannot be read is a fault.
    fn all<T>(
        &mut self,
        written: &[Spanned<String>],
        read: impl Fn(&str) -> Option<T>,
        wrong: impl Fn(Box<str>) -> Wrong,
    ) -> Box<[T]> {
        let mut all = Vec::new();
        for one in written {
            match read(one.get_ref()) {
                Some(value) => all.push(value),
                None => self.fault(one.span().start, wrong(one.get_ref().as_str().into())),
            }
        }
        all.into()
    }

    fn chains(&mut self, patterns: &[Spanned<String>]) -> Vec<Chain> {
        let mut chains = Vec::new();
        for written in patterns {
            match pattern::parse(written.get_ref(), &self.classes, &mut self.reader.lexicon) {
                Ok(orders) => chains.extend(orders),
                Err(e) => {
                    let text = written.get_ref().as_str().into();
                    self.fault(written.span().start, Wrong::Pattern(text, e));
                }
            }
        }
        chains
    }

    /// The phrases of a carrier, which has no gaps: what stands in one is not its own.
    fn carrier(&mut self, patterns: &[Spanned<String>]) -> Vec<Chain> {
        for written in patterns.iter().filter(|written| has_gap(written.get_ref())) {
            self.fault(written.span().start, Wrong::Carrier(written.get_ref().as_str().into()));
        }
        self.chains(patterns)
    }

    fn label(&mut self, name: &Spanned<String>) -> Option<Label> {
        let label = Label::parse(name.get_ref());
        if label.is_none() {
            self.fault(name.span().start, Wrong::Label(name.get_ref().as_str().into()));
        }
        label
    }

    fn rank(&mut self, rank: Option<&Spanned<String>>) -> Rank {
        match rank.map(|rank| rank.get_ref().as_str()) {
            Some("exact") => Rank::Exact,
            None | Some("phrase") => Rank::Phrase,
            Some("hint") => Rank::Hint,
            Some("concept") => Rank::Concept,
            Some("code") => Rank::Code,
            Some(other) => {
                let at = rank.map_or(0, |rank| rank.span().start);
                self.fault(at, Wrong::Rank(other.into()));
                Rank::Phrase
            }
        }
    }

    fn wait(&mut self, wait: Option<&Spanned<String>>) -> Option<Span> {
        let wait = wait?;
        let span = read_span(wait.get_ref());
        if span.is_none() {
            self.fault(wait.span().start, Wrong::Wait(wait.get_ref().as_str().into()));
        }
        span
    }

    fn example(&mut self, said: &Spanned<Said>) -> Option<Example> {
        let at = said.span().start;
        let (reply, stage, mx) = match said.get_ref() {
            Said::Reply(reply) => (reply, None, None),
            Said::Whole(whole) => (&whole.reply, whole.stage.as_deref(), whole.mx.as_deref()),
        };
        if read_reply(reply).is_none() {
            self.fault(at, Wrong::Example(reply.as_str().into()));
            return None;
        }
        let known = stage.and_then(read_stage);
        if let (Some(name), None) = (stage, known) {
            self.fault(at, Wrong::Stage(name.into()));
        }
        Some(Example { reply: reply.as_str().into(), stage: known, mx: mx.map(Into::into) })
    }

    fn advice(&mut self, of: &OfLabel) -> Option<(Label, Advice)> {
        Some((self.label(&of.label)?, advice(&of.means, &of.operator, &of.sender)))
    }
}

fn advice(means: &str, operator: &[String], sender: &[String]) -> Advice {
    let steps = |steps: &[String]| steps.iter().map(|step| step.as_str().into()).collect();
    Advice { means: means.into(), operator: steps(operator), sender: steps(sender) }
}

fn has_gap(pattern: &str) -> bool {
    pattern.split_whitespace().any(|word| matches!(word, ".." | "..." | "…" | "&"))
}

/// The part of a file's name that names its rules.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file)
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A year, a month or a day, as ISO 8601 has them.
fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    matches!(shape.as_str(), "9999" | "9999-99" | "9999-99-99")
}

fn read_code(text: &str) -> Option<CodeTest> {
    if let Some(class) = text.strip_suffix("xx") {
        return class.parse().ok().filter(|c| (2..=5).contains(c)).map(CodeTest::Class);
    }
    text.parse().ok().filter(|c| (200..600).contains(c)).map(CodeTest::Is)
}

fn read_status(text: &str) -> Option<StatusTest> {
    let mut parts = text.split('.').map(|part| match part {
        "x" => Some(None),
        number => number.parse::<u16>().ok().filter(|n| *n < 1000).map(Some),
    });
    let class = match parts.next()?? {
        None => None,
        Some(class) => Some(u8::try_from(class).ok().filter(|c| matches!(c, 2 | 4 | 5))?),
    };
    let (subject, detail) = (parts.next()??, parts.next()??);
    parts.next().is_none().then_some(StatusTest { class, subject, detail })
}

fn read_span(text: &str) -> Option<Span> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)? {
        "s" => Span::from_s(1),
        "m" => Span::from_min(1),
        "h" => Span::from_h(1),
        "d" => Span::from_h(24),
        _ => return None,
    };
    let span = (number <= WAIT_MAX.as_s()).then(|| unit.times(number))?;
    (span.as_s() > 0 && span <= WAIT_MAX).then_some(span)
}
