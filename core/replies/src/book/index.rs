//! Making a book: rules in their order, their patterns in one automaton, and those that ask for
//! no words by provider.

use std::collections::BTreeMap;

use super::error::{Fault, RulesError, Wrong};
use super::read::{Patterns, Read, Reader};
use super::{OfLabel, Rule, RuleBook, RuleName};
use crate::automaton::{self, Line};
use crate::provider::{ProviderId, Providers};

/// How many rules a book can hold; ours has some two thousand. Chosen, not measured.
const RULES_MAX: usize = 100_000;

/// Each rule has three goals: its words, what must be said also, and what must not.
const GOALS: u32 = 3;

/// Rules that ask for no words, by provider, each list in the order in which they speak.
#[derive(Debug, Default)]
pub(super) struct Unworded(BTreeMap<Option<u16>, Vec<u32>>);

impl Unworded {
    pub(super) fn of(&self, provider: Option<u16>) -> &[u32] {
        self.0.get(&provider).map_or(&[], Vec::as_slice)
    }
}

/// The rule whose words are this goal.
pub(super) fn rule_that_says(goal: u32) -> Option<u32> {
    goal.is_multiple_of(GOALS).then_some(goal / GOALS)
}

pub(super) fn also(rule: u32) -> u32 {
    rule * GOALS + 1
}

pub(super) fn unless(rule: u32) -> u32 {
    rule * GOALS + 2
}

/// The first goal behind those of the rules.
pub(super) fn goals_of_rules(rules: usize) -> u32 {
    u32::try_from(rules).unwrap_or(u32::MAX / GOALS - 1) * GOALS
}

pub(super) fn build(
    providers: &Providers,
    own: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<RuleBook, RulesError> {
    let mut ids: Box<[ProviderId]> = providers.known().iter().map(|p| p.id.clone()).collect();
    ids.sort_unstable();
    let place = |id: &str| {
        let at = ids.binary_search_by(|provider| provider.as_str().cmp(id)).ok()?;
        u16::try_from(at).ok()
    };
    let mut reader = Reader { provider: &place, faults: Vec::new() };
    let own: Vec<_> = own.iter().filter_map(|(name, text)| reader.read(name, text)).collect();
    let ours: Vec<_> = files.iter().filter_map(|(name, text)| reader.read(name, text)).collect();
    let mut faults = std::mem::take(&mut reader.faults);
    let whole = |what| Fault { file: "".into(), line: 0, what };
    if own.iter().chain(&ours).map(|read| read.rules.len()).sum::<usize>() > RULES_MAX {
        faults.push(whole(Wrong::TooMany));
    }
    if !faults.is_empty() {
        return Err(RulesError(faults));
    }
    lay_out(ids, own, ours).map_err(|_| RulesError(vec![whole(Wrong::TooMany)]))
}

/// Puts rules in their order and their patterns into one automaton.
fn lay_out(
    providers: Box<[ProviderId]>,
    own: Vec<Read>,
    ours: Vec<Read>,
) -> Result<RuleBook, aho_corasick::BuildError> {
    let mut entries: Vec<(bool, Rule, Patterns, Line)> = Vec::new();
    let mut speaks = Vec::new();
    let mut advice = Vec::new();
    let whose = own.into_iter().map(|read| (true, read));
    for (is_own, read) in whose.chain(ours.into_iter().map(|read| (false, read))) {
        speaks.push((read.providers.clone(), read.speaks));
        let of = |(label, advice)| OfLabel { providers: read.providers.clone(), label, advice };
        advice.extend(read.advice.into_iter().map(of));
        entries.extend(read.rules.into_iter().map(|(r, p)| (is_own, r, p, read.line)));
    }
    // A stable sort: files keep their order, and rules theirs within a file.
    entries.sort_by_key(|(is_own, rule, ..)| (!is_own, rule.providers.is_empty(), rule.rank));
    let base = goals_of_rules(entries.len());
    let mut patterns = automaton::Patterns::default();
    let mut unworded = Unworded::default();
    let mut rules = Vec::with_capacity(entries.len());
    for (number, (_, rule, of_rule, line)) in (0_u32..).zip(entries) {
        let goals = [of_rule.says, of_rule.also, of_rule.unless];
        for (goal, chains) in (number * GOALS..).zip(goals) {
            chains.iter().for_each(|chain| patterns.add(chain, goal, line));
        }
        if !rule.asks_for_words() {
            unworded.add(number, &rule);
        }
        rules.push(rule);
    }
    for (places, chains) in &speaks {
        for goal in places.iter().map(|place| base + u32::from(*place)) {
            chains.iter().for_each(|chain| patterns.add(chain, goal, Line::Joined));
        }
    }
    let goals = usize::try_from(base).unwrap_or(usize::MAX) + providers.len();
    let automaton = patterns.build(goals)?;
    let (rules, advice) = (rules.into(), advice.into());
    let classes = ["2yz", "3yz", "4yz", "5yz"].map(|class| RuleName::new("code-class", class));
    Ok(RuleBook { rules, automaton, unworded, providers, advice, classes })
}

impl Unworded {
    fn add(&mut self, number: u32, rule: &Rule) {
        if rule.providers.is_empty() {
            self.0.entry(None).or_default().push(number);
        }
        for place in &rule.providers {
            self.0.entry(Some(*place)).or_default().push(number);
        }
    }
}
