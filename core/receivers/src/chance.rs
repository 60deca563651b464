//! Chance, seeded: the same seed throws the same dice, each purpose its own.

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

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of this run for one purpose, of several of its kind the one with this number.
    pub(crate) fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut state = Self(seed);
        for part in [purpose as u64 + 1, number] {
            state = Self(state.next() ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
        }
        Self(state.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The bias is below 2^-32 for the small ends used here.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number in `[0, 1)`, of 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// How long until the next of what happens so often on average, in the rate's unit of time.
    pub(crate) fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }
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
                first.push(Chance::new(7, purpose, number).next());
            }
        }
        let all = first.len();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), all);
    }

    #[test]
    fn waits_have_the_mean_of_their_rate() {
        let mut chance = Chance::new(1, Purpose::Workload, 0);
        let sum: f64 = (0..20_000).map(|_| chance.wait(0.5)).sum();
        assert!((1.9..2.1).contains(&(sum / 20_000.0)), "{sum}");
    }
}
