//! One number for a report, behind the verdicts of the providers: those count.

use crate::check::{Finding, Outcome};

/// How a look came out as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// 0 to 100.
    pub points: u8,
    /// `A` from 90 points, `B` from 80, `C` from 70, else `D`.
    pub grade: char,
    /// Checks that apply and could be found out.
    pub determined: usize,
    /// Checks that apply.
    pub of: usize,
}

/// What faults cost, in thirds of a point, by the group of the check. Chosen, not measured: who
/// one is weighs most, then names and lists, then the way out, form, encryption, content.
const COSTS: [(&str, u32); 13] = [
    ("IDN", 36),
    ("SPF", 36),
    ("DKIM", 36),
    ("DMARC", 36),
    ("DNS", 30),
    ("BL", 30),
    ("BULK", 18),
    ("FMT", 12),
    ("TLS", 9),
    ("CNT", 6),
    ("ARC", 6),
    ("BIMI", 6),
    ("INF", 6),
];

impl Score {
    /// Of everything that was found: a fault costs what its group costs, a warning a third of
    /// it; what does not apply or could not be found out is left out.
    pub fn of(findings: &[Finding]) -> Self {
        let lost: u32 = findings.iter().map(cost).sum();
        let points = u8::try_from(100_u32.saturating_sub(lost.div_ceil(3))).unwrap_or_default();
        let grade = match points {
            90.. => 'A',
            80.. => 'B',
            70.. => 'C',
            _ => 'D',
        };
        let applies = findings.iter().filter(|finding| finding.outcome != Outcome::Skip);
        let of = applies.clone().count();
        let determined = applies.filter(|finding| finding.outcome != Outcome::Error).count();
        Self { points, grade, determined, of }
    }

    /// Whether it says anything: half of what applies could be found out.
    pub fn is_told(&self) -> bool {
        self.determined * 2 >= self.of
    }
}

fn cost(finding: &Finding) -> u32 {
    let group = finding.id.split('-').next().unwrap_or_default();
    let whole = COSTS.iter().find(|(name, _)| *name == group).map_or(0, |(_, cost)| *cost);
    match finding.outcome {
        Outcome::Fail => whole,
        Outcome::Warn => whole / 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: &'static str, outcome: Outcome) -> Finding {
        Finding { id, outcome, evidence: String::new(), remedy: None, reference: "" }
    }

    #[test]
    fn a_fault_costs_what_its_group_does_and_a_warning_a_third() {
        let of = |all: &[(&'static str, Outcome)]| {
            let all: Vec<Finding> = all.iter().map(|(id, outcome)| found(id, *outcome)).collect();
            let score = Score::of(&all);
            (score.points, score.grade)
        };
        assert_eq!(of(&[]), (100, 'A'));
        assert_eq!(of(&[("SPF-01", Outcome::Fail)]), (88, 'B'));
        assert_eq!(of(&[("SPF-01", Outcome::Warn), ("TLS-04", Outcome::Warn)]), (95, 'A'));
        assert_eq!(of(&[("FMT-01", Outcome::Fail); 30]), (0, 'D'));
    }

    #[test]
    fn what_could_not_be_found_out_costs_nothing_and_is_told() {
        let all = [
            found("SPF-01", Outcome::Error),
            found("SPF-02", Outcome::Skip),
            found("SPF-03", Outcome::Pass),
        ];
        let score = Score::of(&all);
        assert_eq!((score.points, score.determined, score.of), (100, 1, 2));
    }

    #[test]
    fn where_most_is_unknown_there_is_no_score() {
        let open = found("DNS-01", Outcome::Error);
        let known = found("DNS-02", Outcome::Pass);
        assert!(!Score::of(&[open.clone(), open.clone(), known.clone()]).is_told());
        assert!(Score::of(&[open, known]).is_told());
    }
}
