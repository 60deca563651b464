use super::*;

fn min(minutes: f64) -> Instant {
    Instant::from_unix_s(1_700_000_000) + Span((minutes * 6e7) as u64)
}

/// A provider that takes so many in a window; we send as much as it takes at each of these
/// minutes, and a canary every ten minutes until it takes mail again.
fn waves(starts: usize, takes: impl Fn(&[f64], f64) -> bool) -> (Vec<Wave>, History) {
    let (mut sent, mut history, mut waves) = (Vec::<f64>::new(), History::default(), Vec::new());
    let mut now = 0.0;
    for _ in 0..starts {
        while takes(&sent, now) {
            sent.push(now);
            history.record(min(now));
            now += 0.01;
        }
        let refused = min(now);
        let mut canaries = Vec::new();
        now += 7.0;
        while !takes(&sent, now) {
            canaries.push(min(now));
            now += 7.0;
        }
        sent.push(now);
        history.record(min(now));
        waves.push(Wave { refused, canaries, accepted: min(now) });
    }
    (waves, history)
}

#[test]
fn a_sliding_hour_is_told_from_other_windows() {
    let takes = |sent: &[f64], now: f64| sent.iter().filter(|t| **t > now - 60.0).count() < 100;
    let (waves, history) = waves(4, takes);
    let found = explain(&waves, &history, None).unwrap();
    assert_eq!((found.window, found.reset), (Span::from_h(1), Reset::Assumed));
    assert!((95..=105).contains(&found.messages), "{found:?}");
}

#[test]
fn an_hour_by_the_clock_is_found_and_its_beginning_too() {
    let phase = 23.0;
    let hour = |t: f64| ((t - phase) / 60.0).floor();
    let takes =
        |sent: &[f64], now: f64| sent.iter().filter(|t| hour(**t) == hour(now)).count() < 200;
    let (waves, history) = waves(6, takes);
    let found = explain(&waves, &history, None).unwrap();
    assert_eq!(found.window, Span::from_h(1));
    let Reset::Clock { from, to } = found.reset else { panic!("{found:?}") };
    let begins = (0..12).map(|n| min(phase + 60.0 * f64::from(n)));
    assert!(begins.into_iter().any(|at| from <= at && at <= to), "{found:?}");
}

#[test]
fn one_wave_explains_nothing() {
    let takes = |sent: &[f64], now: f64| sent.iter().filter(|t| **t > now - 60.0).count() < 100;
    let (waves, history) = waves(1, takes);
    assert_eq!(explain(&waves, &history, None), None);
}

#[test]
fn waves_without_any_window_are_not_explained() {
    let history = History::default();
    let wave = |at: f64| Wave {
        refused: min(at),
        canaries: vec![min(at + 3.0), min(at + 200.0), min(at + 1500.0)],
        accepted: min(at + 2000.0),
    };
    let waves = [wave(0.0), wave(3000.0), wave(9000.0)];
    assert_eq!(explain(&waves, &history, None), None);
}

/// Forty in ten minutes by a clock, of one who believes in two hours and is refused when those are full, too: so
/// many of them each time, some of which go just before the clock turns.
fn waves_of_two_hours(counts: &[u32]) -> (Vec<Wave>, History) {
    let (mut history, mut waves) = (History::default(), Vec::new());
    for (wave, count) in counts.iter().enumerate() {
        let turn = 303.0 + 130.0 * wave as f64 + 10.0 * f64::from(count % 7);
        let late = 5 * (count % 5);
        let before = count - 40 - late;
        for n in 0..before {
            history.record(min(turn - 112.0 + 100.0 * f64::from(n) / f64::from(before)));
        }
        (0..late).for_each(|_| history.record(min(turn - 0.3)));
        (0..40).for_each(|n| history.record(min(turn + 0.2 * f64::from(n))));
        let accepted = min(turn + 10.1);
        waves.push(Wave { refused: min(turn + 8.5), canaries: Vec::new(), accepted });
        history.record(accepted);
    }
    (waves, history)
}

#[test]
fn counts_that_are_the_same_to_the_message_are_believed_before_one_who_foretold_the_rests() {
    let (waves, history) = waves_of_two_hours(&[290, 262, 311, 276, 254, 285]);
    let found = explain(&waves, &history, Some(Span::from_h(2))).unwrap();
    assert_eq!(found.window, Span::from_min(10));
    assert!((40..50).contains(&found.messages), "{found:?}");
    assert!(matches!(found.reset, Reset::Clock { .. }), "{found:?}");
    // Two may be the same by chance.
    let found = explain(&waves[..2], &history, Some(Span::from_h(2))).unwrap();
    assert_eq!(found.window, Span::from_h(2));
}
