//! Receivers drawn by seed: windows of all kinds, and some without any.

use postlane_mail::Chance;
use postlane_receivers::Scenario;

/// A receiver, and how much mail it gets.
pub(crate) struct Drawn {
    pub(crate) scenario: Scenario,
    /// What there is to be found; `None`: no window.
    pub(crate) known: Option<Known>,
    pub(crate) kind: &'static str,
    /// How long is sent, in seconds.
    pub(crate) span_s: u64,
    /// Messages a second in a wave, and how long waves and the pauses between them are.
    pub(crate) rate: f64,
    pub(crate) wave_s: u64,
    pub(crate) pause_s: u64,
}

/// A window and its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) window_s: u32,
    pub(crate) quota: u64,
}

/// Numbers from a seed.
pub(crate) struct Numbers(Chance);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Chance::new(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.draw() % bound
    }

    pub(crate) fn share(&mut self) -> f64 {
        self.0.unit()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

pub(crate) fn draw(seed: u64) -> Drawn {
    let mut chance = Numbers::new(seed.wrapping_mul(77) ^ 0x5EED);
    let window_s = chance.one_of(&[60_u32, 300, 600, 900, 1_800, 3_600]);
    let quota = 20 + chance.below(300);
    let stage = chance.one_of(&["connect", "rcpt"]);
    let kind = match chance.below(8) {
        0..=3 => "sliding",
        4..=5 => "fixed",
        6 => "bucket",
        _ => "temp",
    };
    let charge = if chance.below(4) == 0 { "attempted" } else { "accepted" };
    let reply = "421 4.7.0 Too many messages, reduce the sending rate";
    let limit = match kind {
        "temp" => format!("[[receiver.temp]]\np = 0.08\nreply = \"{reply}\"\n"),
        "bucket" => format!(
            "[[receiver.limit]]\nid = \"a\"\nkind = \"bucket\"\nkey = [\"ip\"]\nquota = {quota}\n\
             rate = \"{quota}/{window_s}s\"\nstage = \"{stage}\"\nreply = \"{reply}\"\n"
        ),
        _ => format!(
            "[[receiver.limit]]\nid = \"a\"\nkind = \"{kind}\"\nkey = [\"ip\"]\nquota = {quota}\n\
             window = \"{window_s}s\"\ncharge = \"{charge}\"\nstage = \"{stage}\"\nreply = \"{reply}\"\n"
        ),
    };
    let text = format!(
        "[meta]\nid = \"drawn\"\ntitle = \"drawn by seed\"\nhorizon = \"60d\"\nseed = {seed}\n\
         [sender]\nips = [\"ip1\"]\n\
         [[mail]]\nclass = \"engaged\"\ncount = 1\nmax_age = \"5d\"\n\
         [receiver]\nsite = \"mx-ha03.web.de\"\n{limit}"
    );
    let scenario = Scenario::parse(&text).unwrap_or_else(|e| panic!("{e:?} in\n{text}"));
    let window = f64::from(window_s);
    let per_window = quota as f64 * (1.2 + 2.0 * chance.share());
    let (wave, pause) = match chance.below(3) {
        // All the time, more than is taken.
        0 => (1.0, 0.0),
        // Waves, and pauses in which the window may empty.
        1 => (0.5 + chance.share(), 0.5 + 2.0 * chance.share()),
        _ => (0.2, 1.0 + 3.0 * chance.share()),
    };
    let known = matches!(kind, "sliding" | "fixed").then_some(Known { window_s, quota });
    Drawn {
        scenario,
        known,
        kind,
        span_s: (window * 24.0) as u64,
        rate: per_window / (window * wave.max(0.2)) / if pause == 0.0 { 1.5 } else { 1.0 },
        wave_s: (window * wave).max(1.0) as u64,
        pause_s: (window * pause) as u64,
    }
}
