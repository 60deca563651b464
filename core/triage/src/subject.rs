//! What a verdict is on: a provider with all sources, or with one; and what it is compared with.

use std::sync::Arc;

use postlane_mail::Span;

use crate::evidence::Measure;
use crate::figures::Figures;
use crate::group::Group;
use crate::picture::{Backlog, GateSeen, Sample, SourceSeen};
use crate::statistic::{Comparison, ramp};

/// All that a row of the decision table may look at.
#[derive(Debug)]
pub(crate) struct Subject<'p> {
    pub(crate) figures: Figures,
    /// The same sources' mail to all other providers.
    pub(crate) elsewhere: Figures,
    /// How long was looked.
    pub(crate) span: Span,
    /// How many sources sent something.
    pub(crate) sources: usize,
    /// The source that stands out most, where there are two or more with enough attempts.
    pub(crate) worst: Option<Worst>,
    pub(crate) backlog: Trend,
    pub(crate) samples: Vec<&'p Sample>,
    pub(crate) seen: Vec<&'p SourceSeen>,
    pub(crate) gates: Vec<&'p GateSeen>,
}

/// The source that is refused more than its neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Worst {
    pub(crate) source: Arc<str>,
    pub(crate) compared: Comparison,
    /// By how much more it sends than its neighbours do on average.
    pub(crate) busier: f64,
}

/// How the age of what waits moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    /// Nobody looked.
    Unseen,
    /// It grows, from the first to the last look.
    Rising(Span, Span),
    /// It does not.
    Steady(Span, Span),
}

impl Trend {
    /// The trend of a provider's backlogs, in whatever order they come.
    pub(crate) fn of<'b>(backlogs: impl IntoIterator<Item = &'b Backlog>) -> Self {
        let mut looks: Vec<&Backlog> = backlogs.into_iter().collect();
        looks.sort_by_key(|backlog| (backlog.at, backlog.age));
        let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
            return Self::Unseen;
        };
        // A queue nobody serves ages as fast as the clock runs; half of that is a queue that
        // falls behind, a tenth more than before is not yet one.
        let grown = last.age.0.saturating_sub(first.age.0);
        let clock = last.at.since(first.at).0;
        if grown > first.age.0 / 10 && grown >= clock / 4 && grown >= Span::from_min(5).0 {
            Self::Rising(first.age, last.age)
        } else {
            Self::Steady(first.age, last.age)
        }
    }
}

impl Subject<'_> {
    /// What mail before this gate lacked, of checks whose names begin so: how many domains' it was,
    /// and the first of them in a sentence.
    pub(crate) fn lacked(&self, groups: &[&str]) -> Option<(usize, String)> {
        let is_of = |check: &str| groups.iter().any(|group| check.starts_with(group));
        let mut lacking = self.gates.iter().filter(|gate| gate.checks.iter().any(|c| is_of(c)));
        let first = lacking.next()?;
        let checks = first.checks.join(", ");
        let fails = if first.checks.len() == 1 { "fails" } else { "fail" };
        let more = lacking.count();
        let others = if more > 0 { format!(" (and {more} more like it)") } else { String::new() };
        let says = format!("preflight: {checks} {fails} on {}{others}: {}", first.mail, first.says);
        Some((more + 1, says))
    }

    /// Of the refusals held against us, how many speak for this, 0 to 1; what few refusals say is
    /// believed half.
    pub(crate) fn share(&self, group: Group) -> f64 {
        self.figures.share_of(group).shrunk(2.0)
    }

    /// A group's share of the refusals, as a measure and as a sentence.
    pub(crate) fn told_share(&self, group: Group) -> (Measure, String) {
        let share = self.figures.share_of(group);
        let measure = Measure { name: "share_of_refusals", value: share.value(), of: share.of };
        (measure, format!("{share} of {} refusals are {}", share.of, group.words()))
    }

    /// How much trouble there is, 0 to 1: none up to a refusal in fifty attempts, full from one
    /// in ten, the bands of a lane.
    pub(crate) fn trouble(&self) -> f64 {
        ramp(self.figures.trouble_share().shrunk(4.0), 0.02, 0.10)
    }

    /// As [`trouble`](Self::trouble), where the replies name one cause that needs no wave to be
    /// believed: from half a per cent on.
    pub(crate) fn named(&self, group: Group) -> f64 {
        let attempts = self.figures.attempts();
        let share = self.figures.of_group(group) as f64 / (attempts as f64 + 4.0);
        self.trouble().max(ramp(share, 0.005, 0.03))
    }

    /// How surely nothing at all is taken, 0 to 1: none of five or more, and hardly one in
    /// twenty.
    pub(crate) fn nothing_taken(&self) -> f64 {
        let trouble = self.figures.trouble() as f64;
        let attempts = self.figures.attempts() as f64;
        let taken = self.figures.accepted() as f64 / attempts.max(1.0);
        (1.0 - 20.0 * taken).max(0.0) * trouble / (trouble + 5.0)
    }

    /// Attempts in a minute from each source.
    pub(crate) fn per_minute(&self) -> f64 {
        let minutes = (self.span.0 as f64 / 60e6).max(1.0);
        self.figures.attempts() as f64 / minutes / self.sources.max(1) as f64
    }

    /// How surely we send at the lowest rate, 0 to 1: two attempts a minute from each source or
    /// fewer, and not from ten on (chosen, not measured; no provider is known to limit below).
    pub(crate) fn at_lowest_rate(&self) -> f64 {
        1.0 - ramp(self.per_minute(), 2.0, 10.0)
    }

    /// How surely the same sources' mail is taken elsewhere, 0 to 1; `None` where too little was
    /// sent there.
    pub(crate) fn fine_elsewhere(&self) -> Option<f64> {
        (self.elsewhere.attempts() >= Comparison::ATTEMPTS_MIN)
            .then(|| 1.0 - ramp(self.elsewhere.trouble_share().value(), 0.02, 0.10))
    }

    /// How surely one source is worse than the others, 0 to 1: by z more than chance and waves
    /// explain, by a difference that matters, and with the others not refused themselves.
    pub(crate) fn one_worse(&self) -> f64 {
        let Some(worst) = &self.worst else { return 0.0 };
        let Comparison { z, difference, rest, .. } = worst.compared;
        ramp(z, 2.0, 4.0) * ramp(difference, 0.05, 0.15) * (1.0 - ramp(rest.value(), 0.05, 0.4))
    }
}
