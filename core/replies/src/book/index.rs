//! Making a book: rules in their order, their patterns in one automaton, and those that ask for
//! no words by provider.

use std::collections::BTreeSet;
use std::sync::Arc;

use postlane_mail::Status;

use super::error::{Fault, RulesError, Wrong};
use super::read::{Patterns, Read, Reader};
use super::rule::{StatusTest, Words};
use super::{OfLabel, Rank, Rule, RuleBook, RuleName};
use crate::automaton::{self, Group, Line, Place};
use crate::hint::Telling;
use crate::label::Label;
use crate::pattern::Chain;
use crate::provider::{ProviderId, Providers};
use crate::vocabulary::{Lexicon, Table};

/// How many rules a book can hold; ours has some two thousand. Chosen, not measured.
const RULES_MAX: usize = 100_000;

/// Rules that ask for no words, of one provider or for everybody, each list in the order in which
/// they speak.
#[derive(Debug, Default)]
pub(super) struct Unworded {
    /// Those that ask for subject and detail of an enhanced status, by these in ascending order.
    by_status: Vec<(u32, Vec<u32>)>,
    rest: Vec<u32>,
}

impl Unworded {
    /// The rules that may match a reply with this status: two lists.
    pub(super) fn of(&self, status: Option<Status>) -> [&[u32]; 2] {
        let key = status.map(|status| key(status.subject, status.detail));
        let place = key.and_then(|key| self.by_status.binary_search_by_key(&key, |of| of.0).ok());
        let by_status = place.and_then(|place| self.by_status.get(place));
        [by_status.map_or(&[], |(_, rules)| rules), &self.rest]
    }

    fn add(&mut self, number: u32, rule: &Rule) {
        let statuses = &rule.conditions.statuses;
        let of_test = |test: &StatusTest| Some(key(test.subject?, test.detail?));
        let keys: BTreeSet<_> = statuses.iter().map(of_test).collect();
        if statuses.is_empty() || keys.contains(&None) {
            return self.rest.push(number);
        }
        for key in keys.into_iter().flatten() {
            match self.by_status.binary_search_by_key(&key, |of| of.0) {
                Ok(place) => self.by_status[place].1.push(number),
                Err(place) => self.by_status.insert(place, (key, vec![number])),
            }
        }
    }
}

/// Subject and detail of a status as one number.
fn key(subject: u16, detail: u16) -> u32 {
    u32::from(subject) << 16 | u32::from(detail)
}

/// Who is asked when.
#[derive(Debug)]
pub(super) struct Asked {
    own_groups: Vec<Group>,
    /// The patterns for everybody that are met where no wording decides.
    concepts: Group,
    /// What says where something was judged and not why.
    carriers: Group,
    /// The patterns that concern a provider alone, by provider.
    groups: Box<[Vec<Group>]>,
    /// The rules that ask for no words: those for everybody, then those of each provider.
    unworded: Box<[Unworded]>,
}

impl Asked {
    /// Of so many providers, with the groups that concepts and carriers have.
    fn of(providers: usize, concepts: Group, carriers: Group) -> Self {
        Self {
            own_groups: Vec::new(),
            concepts,
            carriers,
            groups: vec![Vec::new(); providers].into(),
            unworded: (0..=providers).map(|_| Unworded::default()).collect(),
        }
    }

    fn add_unworded(&mut self, number: u32, rule: &Rule) {
        if rule.providers.is_empty() {
            self.unworded[0].add(number, rule);
        }
        for provider in &*rule.providers {
            self.unworded[usize::from(*provider) + 1].add(number, rule);
        }
    }

    /// The groups of patterns of operators' own rules.
    pub(super) fn own_groups(&self) -> &[Group] {
        &self.own_groups
    }

    /// The group of patterns for everybody that are met where no wording decides.
    pub(super) fn concepts(&self) -> Group {
        self.concepts
    }

    /// The group of phrases that say where something was judged and not why.
    pub(super) fn carriers(&self) -> Group {
        self.carriers
    }

    /// The groups of patterns that concern a provider alone.
    pub(super) fn groups(&self, provider: Option<u16>) -> &[Group] {
        provider.and_then(|of| self.groups.get(usize::from(of))).map_or(&[], Vec::as_slice)
    }

    /// The rules of a provider, or for everybody, that ask for no words and may match a reply
    /// with this status.
    pub(super) fn unworded(&self, provider: Option<u16>, status: Option<Status>) -> [&[u32]; 2] {
        let place = provider.map_or(0, |of| usize::from(of) + 1);
        self.unworded.get(place).map_or([&[], &[]], |unworded| unworded.of(status))
    }
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
    let mut reader = Reader { lexicon: Lexicon::default(), provider: &place, faults: Vec::new() };
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
    let lexicon = reader.lexicon;
    Ok(lay_out(ids, lexicon, own, ours))
}

/// A rule with where its patterns belong; an operator's own, or not.
struct Entry {
    is_own: bool,
    place: Place,
    rule: Rule,
    patterns: Patterns,
}

/// Puts rules in their order and their patterns into one automaton.
fn lay_out(
    providers: Box<[ProviderId]>,
    mut lexicon: Lexicon,
    own: Vec<Read>,
    ours: Vec<Read>,
) -> RuleBook {
    let mut entries: Vec<Entry> = Vec::new();
    let mut speaks = Vec::new();
    let mut advice = Vec::new();
    let files = own.len() + ours.len();
    // One for everybody, one for each file, one for the concepts of those for everybody, and one
    // for carriers.
    let groups = u32::try_from(files + 3).unwrap_or(u32::MAX);
    let mut asked = Asked::of(providers.len(), Group(groups - 2), Group(groups - 1));
    let mut carriers = Vec::new();
    let whose = own.into_iter().map(|read| (true, read));
    for (file, (is_own, read)) in (1..).zip(whose.chain(ours.into_iter().map(|read| (false, read))))
    {
        let group = if read.providers.is_empty() && !is_own { Group::ALL } else { Group(file) };
        if is_own {
            asked.own_groups.push(group);
        }
        let of_provider = read.providers.iter().filter(|_| !is_own);
        of_provider.for_each(|of| asked.groups[usize::from(*of)].push(group));
        let place = Place { group, line: read.line };
        speaks.push((read.providers.clone(), read.speaks));
        carriers.extend(read.carriers);
        let of = |(label, advice)| OfLabel { providers: read.providers.clone(), label, advice };
        advice.extend(read.advice.into_iter().map(of));
        let is_late = |rule: &Rule| group == Group::ALL && rule.rank >= Rank::Concept;
        let group = |rule: &Rule| if is_late(rule) { asked.concepts } else { group };
        entries.extend(read.rules.into_iter().map(|(rule, patterns)| {
            let place = Place { group: group(&rule), ..place };
            Entry { is_own, place, rule, patterns }
        }));
    }
    // A stable sort: files keep their order, and rules theirs within a file.
    entries.sort_by_key(|of| (!of.is_own, of.rule.providers.is_empty(), of.rule.rank));
    let mut patterns = plant(&mut entries, speaks, &mut asked, groups);
    let place = Place { group: asked.carriers(), line: Line::Joined };
    carriers.iter().for_each(|chain| patterns.add(chain, place, 0));
    let rules = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let told = rules + u32::try_from(providers.len()).unwrap_or(u32::MAX);
    let telling = Telling::of(&mut lexicon);
    let automaton = patterns.build(lexicon, told);
    let from = |rank| {
        let begins =
            |of: &Entry| !of.is_own && of.rule.providers.is_empty() && of.rule.rank >= rank;
        let place = entries.iter().position(begins).unwrap_or(entries.len());
        u32::try_from(place).unwrap_or(u32::MAX)
    };
    let (generic_from, concepts_from) = (from(Rank::Exact), from(Rank::Concept));
    let rules = entries.into_iter().map(|of| of.rule).collect();
    let advice = advice.into();
    let classes = ["2yz", "3yz", "4yz", "5yz"].map(|class| RuleName::new("code-class", class));
    let places =
        providers.iter().zip(1..).map(|(id, place)| (Box::from(id.as_str().as_bytes()), place));
    let places = Table::new(places.collect());
    RuleBook {
        rules,
        places,
        generic_from,
        concepts_from,
        automaton,
        asked,
        providers,
        telling,
        advice,
        classes,
        classifier: None,
        known: super::known::Known::default(),
        guesses: Label::ALL.iter().map(|of| RuleName::new("classifier", of.name())).collect(),
    }
}

/// Puts the patterns of rules, which are in their order, where they belong; and behind them the
/// words by which providers are known.
fn plant(
    entries: &mut [Entry],
    speaks: Vec<(Arc<[u16]>, Vec<Chain>)>,
    asked: &mut Asked,
    groups: u32,
) -> automaton::Patterns {
    let mut all = automaton::Patterns::new(groups);
    for (number, Entry { place, rule, patterns, .. }) in (0_u32..).zip(&mut *entries) {
        let Patterns { says, also, unless } = std::mem::take(patterns);
        says.iter().for_each(|chain| all.add(chain, *place, number));
        let proviso = all.proviso(place.line, also, unless);
        rule.conditions.words = Words { says: says.len(), proviso };
        if !rule.asks_for_words() {
            asked.add_unworded(number, rule);
        }
    }
    // Providers are told of their words by numbers behind those of all rules.
    let rules = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let place = Place { group: Group::ALL, line: Line::Joined };
    for (speakers, chains) in speaks {
        for chain in chains {
            speakers.iter().for_each(|of| all.add(&chain, place, rules + u32::from(*of)));
        }
    }
    all
}
