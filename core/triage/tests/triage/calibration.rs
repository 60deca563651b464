//! How often a verdict with a confidence is right, on pictures whose cause is known.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use postlane_triage::Class;

use crate::golden;
use crate::story::told;
use crate::world::draw;

/// Weights and temperature were chosen on seeds below; what is reported is drawn from others.
const REPORTED: std::ops::Range<u64> = 1_000_000..1_001_200;
const TUNED: std::ops::Range<u64> = 0..1_200;

#[derive(Default)]
struct Bin {
    pictures: u32,
    right: u32,
    confidence: f64,
}

struct Reliability {
    bins: [Bin; 10],
    by_cause: BTreeMap<Class, BTreeMap<Class, u32>>,
    too_little: u32,
    log_loss: f64,
    brier: f64,
}

fn reliability(seeds: std::ops::Range<u64>) -> Reliability {
    let mut seen = Reliability {
        bins: Default::default(),
        by_cause: BTreeMap::new(),
        too_little: 0,
        log_loss: 0.0,
        brier: 0.0,
    };
    for seed in seeds {
        let (cause, picture) = draw(seed);
        if !picture.tallies.iter().any(|tally| &*tally.provider == crate::story::HERE) {
            continue;
        }
        let verdict = told(&picture).verdict;
        *seen.by_cause.entry(cause).or_default().entry(verdict.class).or_default() += 1;
        if verdict.class == Class::TooLittle {
            seen.too_little += 1;
            continue;
        }
        let right = verdict.class == cause;
        let bin = &mut seen.bins[((verdict.confidence * 10.0) as usize).min(9)];
        bin.pictures += 1;
        bin.right += u32::from(right);
        bin.confidence += verdict.confidence;
        seen.brier += (verdict.confidence - f64::from(u8::from(right))).powi(2);
        let of_cause = verdict.likelihoods.iter().find(|(class, _)| *class == cause).unwrap().1;
        seen.log_loss -= of_cause.max(1e-9).ln();
    }
    seen
}

impl Reliability {
    fn said(&self) -> u32 {
        self.bins.iter().map(|bin| bin.pictures).sum()
    }

    fn right(&self) -> u32 {
        self.bins.iter().map(|bin| bin.right).sum()
    }

    /// The mean distance between what was said and what came true, weighed by pictures.
    fn calibration_error(&self) -> f64 {
        let off = |bin: &Bin| (bin.confidence - f64::from(bin.right)).abs();
        self.bins.iter().map(off).sum::<f64>() / f64::from(self.said())
    }

    fn print(&self) -> String {
        let mut text = "said        pictures  mean said  came true\n".to_owned();
        for (n, bin) in self.bins.iter().enumerate().filter(|(_, bin)| bin.pictures > 0) {
            let of = f64::from(bin.pictures);
            let (said, true_) = (bin.confidence / of, f64::from(bin.right) / of);
            let (low, high) = (n as f64 / 10.0, (n + 1) as f64 / 10.0);
            let pictures = bin.pictures;
            writeln!(text, "{low:.1} to {high:.1}  {pictures:8}  {said:9.2}  {true_:9.2}").unwrap();
        }
        let said = f64::from(self.said());
        writeln!(
            text,
            "\nverdicts {}, right {:.3}, expected calibration error {:.3}, Brier {:.3}, log loss {:.3}\ntoo little seen {}\n",
            self.said(),
            f64::from(self.right()) / said,
            self.calibration_error(),
            self.brier / said,
            self.log_loss / said,
            self.too_little
        )
        .unwrap();
        for (cause, verdicts) in &self.by_cause {
            let all: u32 = verdicts.values().sum();
            let mut verdicts: Vec<_> = verdicts.iter().collect();
            verdicts.sort_by_key(|(class, n)| (std::cmp::Reverse(**n), **class));
            let told: Vec<String> = verdicts
                .iter()
                .map(|(class, n)| format!("{class} {:.2}", f64::from(**n) / f64::from(all)))
                .collect();
            writeln!(text, "{cause:12} {all:5}  {}", told.join(", ")).unwrap();
        }
        text
    }
}

#[test]
fn a_confidence_is_how_often_it_is_right() {
    let seen = reliability(REPORTED);
    golden::check("reliability.txt", &seen.print());
    assert!(seen.calibration_error() < 0.05, "{}", seen.calibration_error());
    assert!(f64::from(seen.right()) / f64::from(seen.said()) > 0.85);
}

#[test]
fn what_was_tuned_on_is_not_known_better_than_what_was_not() {
    let (tuned, reported) = (reliability(TUNED), reliability(REPORTED));
    let right = |seen: &Reliability| f64::from(seen.right()) / f64::from(seen.said());
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        golden::check("reliability-tuned.txt", &tuned.print());
    }
    assert!(right(&tuned) - right(&reported) < 0.03);
}
