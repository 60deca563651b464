//! Making a book: rules in their order, their patterns in one automaton, and those that ask for
//! no words by provider.

use std::collections::{BTreeMap, BTreeSet};

use postlane_mail::Status;

use super::error::{Fault, RulesError, Wrong};
use super::read::{Patterns, Read, Reader};
use super::{OfLabel, Rule, RuleBook, RuleName};
use crate::automaton::{self, Group, Line, Pattern, Place};
use crate::provider::{ProviderId, Providers};
use crate::vocabulary::Table;

/// How many rules a book can hold; ours has some two thousand. Chosen, not measured.
const RULES_MAX: usize = 100_000;

/// Rules that ask for no words, of one provider or for everybody, each list in the order in which
/// they speak.
#[derive(Debug, Default)]
pub(super) struct Unworded {
    /// Those that ask for subject and detail of an enhanced status, by these.
    by_status: BTreeMap<(u16, u16), Vec<u32>>,
    rest: Vec<u32>,
}

impl Unworded {
    /// The rules that may match a reply with this status: two lists.
    pub(super) fn of(&self, status: Option<Status>) -> [&[u32]; 2] {
        let key = status.map(|status| (status.subject, status.detail));
        let by_status = key.and_then(|key| self.by_status.get(&key));
        [by_status.map_or(&[], Vec::as_slice), &self.rest]
    }

    fn add(&mut self, number: u32, rule: &Rule) {
        let statuses = &rule.conditions.statuses;
        let keys: BTreeSet<_> = statuses.iter().map(|test| test.subject.zip(test.detail)).collect();
        if statuses.is_empty() || keys.contains(&None) {
            return self.rest.push(number);
        }
        for key in keys.into_iter().flatten() {
            self.by_status.entry(key).or_default().push(number);
        }
    }
}

/// Who has a pattern: the numbers of rules that say it, and of providers whose words it is.
#[derive(Debug, Clone, Default)]
struct Havers {
    rules: Vec<u32>,
    speakers: Vec<u16>,
}

/// For each pattern, who is asked when a text meets it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Who has it, by pattern.
    havers: Box<[Havers]>,
    own_groups: Vec<Group>,
    /// The patterns that concern a provider alone, by provider.
    groups: BTreeMap<u16, Vec<Group>>,
    /// The rules that ask for no words, by provider and for everybody.
    unworded: BTreeMap<Option<u16>, Unworded>,
}

impl Asked {
    fn add_unworded(&mut self, number: u32, rule: &Rule) {
        let all = if rule.providers.is_empty() { Some(None) } else { None };
        for provider in rule.providers.iter().copied().map(Some).chain(all) {
            self.unworded.entry(provider).or_default().add(number, rule);
        }
    }

    /// The rules that say it, and the providers that do and nobody else.
    pub(super) fn havers(&self, pattern: Pattern) -> (&[u32], &[u16]) {
        self.havers.get(pattern.0 as usize).map_or((&[], &[]), |of| (&of.rules, &of.speakers))
    }

    /// The groups of patterns of operators' own rules.
    pub(super) fn own_groups(&self) -> &[Group] {
        &self.own_groups
    }

    /// The groups of patterns that concern a provider alone.
    pub(super) fn groups(&self, provider: Option<u16>) -> &[Group] {
        provider.and_then(|of| self.groups.get(&of)).map_or(&[], Vec::as_slice)
    }

    /// The rules of a provider, or for everybody, that ask for no words and may match a reply
    /// with this status.
    pub(super) fn unworded(&self, provider: Option<u16>, status: Option<Status>) -> [&[u32]; 2] {
        self.unworded.get(&provider).map_or([&[], &[]], |unworded| unworded.of(status))
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
    Ok(lay_out(ids, own, ours))
}

/// Puts rules in their order and their patterns into one automaton.
fn lay_out(providers: Box<[ProviderId]>, own: Vec<Read>, ours: Vec<Read>) -> RuleBook {
    let mut entries: Vec<(bool, Rule, Patterns, Place)> = Vec::new();
    let mut asked = Asked::default();
    let mut speaks = Vec::new();
    let mut advice = Vec::new();
    let whose = own.into_iter().map(|read| (true, read));
    for (file, (is_own, read)) in (1..).zip(whose.chain(ours.into_iter().map(|read| (false, read))))
    {
        let group = if read.providers.is_empty() && !is_own { Group::ALL } else { Group(file) };
        if is_own {
            asked.own_groups.push(group);
        }
        let of_provider = read.providers.iter().filter(|_| !is_own);
        of_provider.for_each(|of| asked.groups.entry(*of).or_default().push(group));
        let place = Place { group, line: read.line };
        speaks.push((read.providers.clone(), read.speaks));
        let of = |(label, advice)| OfLabel { providers: read.providers.clone(), label, advice };
        advice.extend(read.advice.into_iter().map(of));
        entries.extend(read.rules.into_iter().map(|(r, p)| (is_own, r, p, place)));
    }
    // A stable sort: files keep their order, and rules theirs within a file.
    entries.sort_by_key(|(is_own, rule, ..)| (!is_own, rule.providers.is_empty(), rule.rank));
    let mut patterns = automaton::Patterns::default();
    let mut havers: BTreeMap<Pattern, Havers> = BTreeMap::new();
    for (number, (_, rule, of_rule, place)) in (0_u32..).zip(&mut entries) {
        rule.conditions.words.says = patterns.add_all(&mut of_rule.says, *place);
        for pattern in &rule.conditions.words.says {
            havers.entry(*pattern).or_default().rules.push(number);
        }
        if !rule.asks_for_words() {
            asked.add_unworded(number, rule);
        }
    }
    let place = Place { group: Group::ALL, line: Line::Joined };
    for (places, mut chains) in speaks {
        for pattern in patterns.add_all(&mut chains, place) {
            havers.entry(pattern).or_default().speakers.extend(&*places);
        }
    }
    // What comes now is asked for by the rules that were met, and by nobody else.
    patterns.end_of_list();
    for (_, rule, of_rule, place) in &mut entries {
        rule.conditions.words.also = patterns.add_all(&mut of_rule.also, *place);
        rule.conditions.words.unless = patterns.add_all(&mut of_rule.unless, *place);
    }
    let of = |number| havers.remove(&Pattern(number)).unwrap_or_default();
    let count = u32::try_from(patterns.count()).unwrap_or(u32::MAX);
    asked.havers = (0..count).map(of).collect();
    let is_generic =
        |(is_own, rule, ..): &(bool, Rule, Patterns, Place)| !is_own && rule.providers.is_empty();
    let generic_from = entries.iter().position(is_generic).unwrap_or(entries.len());
    let generic_from = u32::try_from(generic_from).unwrap_or(u32::MAX);
    let rules = entries.into_iter().map(|(_, rule, ..)| rule).collect();
    let automaton = patterns.build();
    let advice = advice.into();
    let classes = ["2yz", "3yz", "4yz", "5yz"].map(|class| RuleName::new("code-class", class));
    let places =
        providers.iter().zip(1..).map(|(id, place)| (Box::from(id.as_str().as_bytes()), place));
    let places = Table::new(places.collect());
    RuleBook { rules, places, generic_from, automaton, asked, providers, advice, classes }
}
