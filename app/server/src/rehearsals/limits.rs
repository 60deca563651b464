//! How much rehearsals may take of a server that delivers mail.
//!
//! A rehearsal is made of other people's numbers, and costs what they say: so each of them has a
//! bound here, and what is asked for beyond is refused before anything begins.

use std::time::Duration;

use postlane_receivers::{Ms, Scenario};
use postlane_rehearsal::Run;

/// Rehearsals that wait or run, in all. One runs at a time; the others wait at most as long as those
/// before them may take. Chosen, not measured: nobody waits for the ninth.
pub const UNDER_WAY_MAX: usize = 8;

/// The same of one tenant, or of all who are bound to none: nobody keeps the others from their turn.
pub const UNDER_WAY_OF_ONE_MAX: usize = 3;

/// Rehearsals that are kept with what they came to, in all; the oldest go first. With their pictures
/// they take at most half a megabyte each.
pub const KEPT_MAX: usize = 60;

/// The same of one tenant: nobody pushes the others' out.
pub const KEPT_OF_ONE_MAX: usize = 20;

/// Messages of a scenario. `postlane rehearse --seeds 1` of p11-time-of-day with 100,000 of them took 121 MB
/// at most, with the oracle's run beside ours; the largest that comes with the program has 30,000.
/// `postlane rehearse` takes 2,000,000.
pub const MESSAGES_MAX: u32 = 100_000;

/// Addresses of a sender. Chosen, not measured: more than most have towards one provider.
pub const SOURCES_MAX: usize = 64;

/// How far virtual time may go. Chosen, not measured: a month shows what there is to be seen.
pub const HORIZON_MAX: Ms = Ms(31 * Ms::DAY.0);

/// Runs of each policy. The command line takes more.
pub const SEEDS_MAX: u64 = 10;

/// How long a rehearsal may run, in the world's time. The twelve scenarios that come with the program
/// take seconds together; what takes longer than this is for the command line.
pub const RUN_MAX: Duration = Duration::from_secs(120);

/// Attempts of a run, counted for each limit of its receiver: each may remember all of them. So many
/// take about 160 MB; of those that come with the program the most are 839,540
/// (p07-warmup with postfix).
pub const ATTEMPTS_MAX: u64 = 20_000_000;

/// Decisions of the lanes of a run that are written down. So many take about 50 MB; a run of
/// those that come with the program has 401 at most.
pub const DECISIONS_KEPT_MAX: usize = 300_000;

/// Octets of a scenario. The longest that comes with the program has 2 KiB.
pub const TEXT_OCTETS_MAX: usize = 64 << 10;

/// Columns of a picture: a phone has half as many points, a wide page a few times as many.
pub const COLUMNS: usize = 160;

/// Lanes whose states are drawn. Chosen, not measured: more are not told apart.
pub(super) const BANDS_MAX: usize = 16;

/// Decisions of the lanes that are told; the command line tells more.
pub(super) const DECISIONS_MAX: usize = 60;

/// How often what is seen of a run is drawn anew while it goes. Chosen, not measured: a person sees it
/// move, and drawing takes less than a hundredth of the time.
pub(super) const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// What a scenario asks too much of, each with the bound and the cure.
pub(super) fn exceeded(scenario: &Scenario, seeds: u64) -> Vec<String> {
    let mut found = Vec::new();
    let instead = "leave some out, or use `postlane rehearse` on a machine of your own";
    let messages = scenario.messages_expected();
    if messages > f64::from(MESSAGES_MAX) {
        found.push(format!("{messages:.0} messages are more than {MESSAGES_MAX}: {instead}"));
    }
    let sources = scenario.sender.ips.len();
    if sources > SOURCES_MAX {
        found.push(format!("{sources} sources are more than {SOURCES_MAX}: {instead}"));
    }
    let horizon = scenario.meta.horizon;
    if horizon > HORIZON_MAX {
        found.push(format!("a horizon of {horizon} is longer than {HORIZON_MAX}: {instead}"));
    }
    if !(1..=SEEDS_MAX).contains(&seeds) {
        found.push(format!("{seeds} runs of each policy cannot be made: write 1 to {SEEDS_MAX}"));
    }
    found
}

/// What a run has come to ask too much of, if it has.
pub(super) fn outgrown(scenario: &Scenario, run: &Run) -> Option<String> {
    let limits = scenario.receiver.limits.len().max(1) as u64;
    if run.attempts.saturating_mul(limits) > ATTEMPTS_MAX {
        return Some(format!(
            "it came to {} attempts by {}: rehearse fewer messages or policies, or use the command on a \
             machine of your own",
            run.attempts, run.ended
        ));
    }
    let decisions = run.lanes.len();
    (decisions > DECISIONS_KEPT_MAX).then(|| {
        format!(
            "the lanes came to {decisions} decisions by {}: rehearse fewer sources or a shorter time, \
             or use the command on a machine of your own",
            run.ended
        )
    })
}

#[cfg(test)]
mod tests {
    use postlane_receivers::builtin;
    use postlane_rehearsal::{Engine, Policy, Tracing, run};

    use super::*;

    #[test]
    fn what_comes_with_the_program_may_be_rehearsed() {
        for (name, text) in builtin() {
            let scenario = Scenario::parse(text).unwrap();
            assert_eq!(exceeded(&scenario, SEEDS_MAX), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_run_that_grows_too_large_says_why_it_ends() {
        let (_, text) = builtin()[0];
        let scenario = Scenario::parse(text).unwrap();
        let engine = Engine::built_in();
        let seed = scenario.run_seed(0);
        let mut run = run(&scenario, Policy::Lane, &engine, seed, Tracing::Off).unwrap().run;
        assert_eq!(outgrown(&scenario, &run), None);
        let mark = run.lanes[0].clone();
        run.lanes.resize(DECISIONS_KEPT_MAX + 1, mark);
        assert!(outgrown(&scenario, &run).unwrap().contains("300001 decisions"));
        run.attempts = ATTEMPTS_MAX + 1;
        assert!(outgrown(&scenario, &run).unwrap().contains("20000001 attempts"));
    }

    #[test]
    fn everything_that_is_too_much_is_told_at_once() {
        let (_, text) = builtin()[0];
        let text = text.replace("count = 1200", "count = 200000").replace("\"4d\"", "\"32d\"");
        let found = exceeded(&Scenario::parse(&text).unwrap(), 11);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("200000") || found[0].contains("200096"), "{found:?}");
    }
}
