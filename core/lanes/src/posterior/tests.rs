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
