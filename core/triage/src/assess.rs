//! From a picture to what is to be said of each provider in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Label as Name, Span};

use crate::assessment::{Assessment, SourceAssessment};
use crate::changed;
use crate::figures::Figures;
use crate::part::Part;
use crate::picture::{Picture, Sample, Tally};
use crate::slots::Slots;
use crate::statistic::Comparison;
use crate::subject::{Subject, Trend, Worst};
use crate::table;
use crate::verdict::Verdict;
use crate::waves::Waves;

/// How many replies are kept of a provider (chosen, not measured).
const SAMPLES_MAX: usize = 20;
/// In how long slots waves are looked for: long enough that a lane's rest is inside one (chosen,
/// not measured).
const WAVE: Span = Span::from_min(15);

/// What is to be said of each provider, in order of their ids.
pub fn assess(picture: &Picture) -> Vec<Assessment> {
    let sums = Sums::of(&picture.tallies);
    let parts = Part::all(picture);
    let assessed = parts.values().filter_map(|part| of_provider(picture, part, &sums));
    assessed.collect()
}

/// Sums by source and provider, and by source, so that "elsewhere" need not be counted anew for
/// each.
struct Sums<'p> {
    by_both: BTreeMap<(&'p str, &'p str), Figures>,
    by_source: BTreeMap<&'p str, Figures>,
}

impl<'p> Sums<'p> {
    fn of(tallies: &'p [Tally]) -> Self {
        let mut sums = Self { by_both: BTreeMap::new(), by_source: BTreeMap::new() };
        for tally in tallies {
            sums.by_both.entry((&tally.source, &tally.provider)).or_default().add(tally);
            sums.by_source.entry(&tally.source).or_default().add(tally);
        }
        sums
    }

    /// What these sources sent to all but this provider.
    fn elsewhere(&self, sources: &[&str], provider: &str) -> Figures {
        let mut elsewhere = Figures::default();
        for source in sources {
            let Some(all) = self.by_source.get(source) else { continue };
            let here = self.by_both.get(&(*source, provider));
            let rest = here.map_or_else(|| all.clone(), |here| all.clone().without(here));
            elsewhere.join(&rest);
        }
        elsewhere
    }
}

/// None where nothing was tried there.
fn of_provider(picture: &Picture, part: &Part<'_>, sums: &Sums<'_>) -> Option<Assessment> {
    let tallies = &part.tallies;
    let provider = &tallies.first()?.provider;
    let mut by_source: BTreeMap<&Arc<str>, Vec<&Tally>> = BTreeMap::new();
    for tally in tallies {
        by_source.entry(&tally.source).or_default().push(tally);
    }
    let sources: Vec<&str> = by_source.keys().map(|source| &***source).collect();
    let compared = compare(&by_source);
    let worst = worst(&compared);
    let samples = samples(part);
    let subject = Subject {
        figures: Figures::of(tallies.iter().copied()),
        elsewhere: sums.elsewhere(&sources, provider),
        span: picture.to.since(picture.from),
        sources: sources.len(),
        worst,
        backlog: Trend::of(part.backlogs.iter().copied()),
        samples: samples.clone(),
        seen: picture.sources.iter().filter(|seen| sources.contains(&&*seen.source)).collect(),
        gates: part.gates.clone(),
    };
    let verdict = judge(&subject, provider);
    let of_source = |(source, tallies): (&&Arc<str>, &Vec<&Tally>)| {
        let of_it = |sample: &&&Sample| sample.source == **source || sample.source.is_empty();
        let subject = Subject {
            figures: Figures::of(tallies.iter().copied()),
            elsewhere: sums.elsewhere(&[source], provider),
            span: subject.span,
            sources: 1,
            worst: None,
            backlog: subject.backlog,
            samples: samples.iter().filter(of_it).copied().collect(),
            seen: subject.seen.iter().filter(|seen| seen.source == **source).copied().collect(),
            gates: subject.gates.iter().filter(|gate| gate.source == **source).copied().collect(),
        };
        SourceAssessment {
            source: (**source).clone(),
            verdict: judge(&subject, provider),
            figures: subject.figures,
            compared: compared.iter().find(|(of, ..)| of == *source).map(|(_, c, _)| *c),
        }
    };
    Some(Assessment {
        provider: provider.clone(),
        tenant: tenant(tallies),
        sources: by_source.iter().map(of_source).collect(),
        changed: changed::changed(picture, provider, part),
        slots: Slots::of(tallies.iter().copied(), picture.slot),
        samples: samples.into_iter().take(SAMPLES_MAX).cloned().collect(),
        verdict,
        figures: subject.figures,
        elsewhere: subject.elsewhere,
    })
}

/// Whose mail all of it was.
fn tenant(tallies: &[&Tally]) -> Option<Name> {
    let first = &tallies.first()?.tenant;
    let is_one = !first.is_none() && tallies.iter().all(|tally| tally.tenant == *first);
    is_one.then(|| first.clone())
}

fn judge(subject: &Subject<'_>, provider: &str) -> Verdict {
    let mut verdict = Verdict::of(subject, &table::weigh(subject));
    for step in &mut verdict.steps {
        step.says = step.says.replace(crate::steps::PROVIDER, provider);
    }
    verdict
}

/// A provider's replies, the most frequent first.
fn samples<'p>(part: &Part<'p>) -> Vec<&'p Sample> {
    let mut samples = part.samples.clone();
    samples.sort_by(|a, b| {
        (b.count, a.at, &a.reply, &a.source).cmp(&(a.count, b.at, &b.reply, &b.source))
    });
    samples
}

/// Each source against the others together, and how much busier it is than they are on average;
/// none where there is one source only.
fn compare(by_source: &BTreeMap<&Arc<str>, Vec<&Tally>>) -> Vec<(Arc<str>, Comparison, f64)> {
    if by_source.len() < 2 {
        return Vec::new();
    }
    let waves = |tallies: &Vec<&Tally>| Waves::of(tallies.iter().copied(), WAVE);
    let each: Vec<(&Arc<str>, Waves)> =
        by_source.iter().map(|(source, tallies)| (*source, waves(tallies))).collect();
    let mut all = Waves::default();
    for (_, one) in &each {
        all.join(one);
    }
    let neighbours = (each.len() - 1) as f64;
    let compared = each.iter().map(|(source, one)| {
        let rest = all.without(one);
        let dispersion = one.dispersion().max(rest.dispersion());
        let comparison = Comparison::of(one.trouble_share(), rest.trouble_share(), dispersion);
        let busier = one.fresh() as f64 / (rest.fresh() as f64 / neighbours).max(1.0);
        ((*source).clone(), comparison, busier)
    });
    compared.collect()
}

/// The one that stands out most, of those that have enough attempts.
fn worst(compared: &[(Arc<str>, Comparison, f64)]) -> Option<Worst> {
    let enough = |(_, compared, _): &&(Arc<str>, Comparison, f64)| {
        compared.one.of.min(compared.rest.of) >= Comparison::ATTEMPTS_MIN
    };
    let standing_out = compared.iter().filter(enough);
    let (source, compared, busier) = standing_out.max_by(|a, b| a.1.z.total_cmp(&b.1.z))?;
    Some(Worst { source: source.clone(), compared: *compared, busier: *busier })
}
