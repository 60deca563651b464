use super::*;

fn second(s: f64) -> Instant {
    Instant::from_unix_s(1_700_000_000) + Span((s * 1e6) as u64)
}

/// Somebody goes at a rate in messages a second, five in a hundred faster each minute, until a provider refuses;
/// half a minute later a canary is taken, and he goes on at these rates in turn, as long as a rate lasts.
fn waves(
    rates: &[f64],
    many: usize,
    mut takes: impl FnMut(&[f64], f64) -> bool,
) -> (Vec<Wave>, History) {
    let (mut sent, mut history, mut waves) = (Vec::<f64>::new(), History::default(), Vec::new());
    let mut now = 0.0;
    for rate in rates.iter().cycle().take(many) {
        let began = now;
        while takes(&sent, now) {
            sent.push(now);
            history.record(second(now));
            let minutes = ((now - began - 2400.0) / 60.0).max(0.0) as i32;
            now += 1.0 / (rate * 1.05f64.powi(minutes));
        }
        let (refused, mut canaries) = (second(now), Vec::new());
        now += 30.0;
        while !takes(&sent, now) {
            canaries.push(second(now));
            now += 30.0;
        }
        sent.push(now);
        history.record(second(now));
        waves.push(Wave { refused, canaries, accepted: second(now) });
    }
    (waves, history)
}

fn told(rates: &[f64], takes: impl FnMut(&[f64], f64) -> bool) -> Option<Explanation> {
    let (waves, history) = waves(rates, 6, takes);
    told_by_counts(&waves, &history)
}

fn slides(quota: usize, window: f64) -> impl FnMut(&[f64], f64) -> bool {
    move |sent, now| sent.iter().rev().take_while(|at| **at > now - window).count() < quota
}

#[test]
fn a_window_of_ten_minutes_is_told_though_no_rest_lasts_a_minute() {
    let found = told(&[0.35, 0.4, 0.3], slides(250, 600.0)).unwrap();
    assert_eq!((found.window, found.reset), (Span::from_min(10), Reset::Assumed));
    assert!((248..=250).contains(&found.messages), "{found:?}");
}

#[test]
fn a_window_that_begins_by_a_clock_is_told_and_when_it_does() {
    let turn = |at: f64| ((at - 120.0) / 600.0).floor();
    let takes = |sent: &[f64], now: f64| {
        sent.iter().rev().take_while(|at| turn(**at) == turn(now)).count() < 80
    };
    let found = told(&[0.2, 0.16, 0.28, 0.3, 0.18], takes).unwrap();
    assert_eq!((found.window, found.messages), (Span::from_min(10), 80));
    let Reset::Clock { from, to } = found.reset else { panic!("{found:?}") };
    let turns = (0..60).map(|n| second(120.0 + 600.0 * f64::from(n)));
    assert!(turns.into_iter().any(|at| from <= at && at <= to), "{found:?}");
}

#[test]
fn a_bucket_is_no_window_or_one_that_lets_through_as_much() {
    for (rate, size) in [(0.2, 10.0), (0.1, 3.0), (1.0, 100.0)] {
        let (mut level, mut last) = (size, 0.0);
        let takes = move |_: &[f64], now: f64| {
            level = f64::min(size, level + (now - last) * rate);
            last = now;
            let takes = level >= 1.0;
            level -= if takes { 1.0 } else { 0.0 };
            takes
        };
        let Some(found) = told(&[0.9 * rate, rate, 0.8 * rate], takes) else { continue };
        let filled = rate * found.window.0 as f64 / 1e6;
        let right = 0.9 * filled..=filled + size;
        assert!(right.contains(&(found.messages as f64)), "{rate} from {size}: {found:?}");
    }
}

#[test]
fn a_limit_of_a_minute_is_no_longer_windows() {
    assert_eq!(told(&[0.9, 0.8, 0.95], slides(60, 60.0)), None);
}

#[test]
fn three_waves_may_be_alike_by_chance() {
    let (waves, history) = waves(&[0.35, 0.4, 0.3], 4, slides(250, 600.0));
    assert!(told_by_counts(&waves, &history).is_some());
    assert_eq!(told_by_counts(&waves[..3], &history), None);
}
