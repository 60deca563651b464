//! Chance, seeded: the same seed throws the same dice, each purpose its own.

use postlane_mail::{Chance, mixed};

/// What a stream of chance is for. Drawing from one never moves another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// When mail arrives, and whose recipient is unknown; by `[[mail]]` block.
    Workload,
    /// When other senders' mail arrives; by limit and key.
    Background,
    /// Which messages are refused for no reason of rate.
    Temp,
    /// Which MX host a connection lands on.
    Shard,
    /// How long things take.
    Latency,
}

/// The chance of this run for one purpose, of several of its kind the one with this number.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> Chance {
    let mut begin = seed;
    for part in [purpose as u64 + 1, number] {
        begin = mixed(begin) ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    Chance::new(mixed(begin))
}

/// How long until the next of what happens so often on average, in the rate's unit of time.
pub(crate) fn wait(chance: &mut Chance, rate: f64) -> f64 {
    -(1.0 - chance.unit()).ln() / rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_a_stream_of_its_own() {
        let mut first = Vec::new();
        for purpose in [
            Purpose::Workload,
            Purpose::Background,
            Purpose::Temp,
            Purpose::Shard,
            Purpose::Latency,
        ] {
            for number in 0..4 {
                first.push(stream(7, purpose, number).draw());
            }
        }
        let all = first.len();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), all);
    }

    #[test]
    fn waits_have_the_mean_of_their_rate() {
        let mut chance = stream(1, Purpose::Workload, 0);
        let sum: f64 = (0..20_000).map(|_| wait(&mut chance, 0.5)).sum();
        assert!((1.9..2.1).contains(&(sum / 20_000.0)), "{sum}");
    }
}
