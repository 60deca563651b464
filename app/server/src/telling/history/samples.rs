//! Which attempts the dialogue and the headers are remembered of: so many a minute at each
//! provider, refused ones and accepted ones apart.

use std::collections::HashMap;

use postlane_mail::Instant;

use crate::setup::LedgerSetup;

/// Whether a host took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
}

/// What was remembered in this minute.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Minutes since 1970.
    minute: u64,
    /// By provider: accepted ones, and refused ones. Gone with the minute, so that it holds no more
    /// providers than are tried in one.
    taken: HashMap<Box<str>, [u16; 2]>,
}

impl Samples {
    /// Whether this one is to be remembered; it counts then.
    pub(super) fn takes(
        &mut self,
        now: Instant,
        settings: &LedgerSetup,
        (provider, verdict): (&str, Verdict),
    ) -> bool {
        const MINUTE_US: u64 = 60_000_000;
        if self.minute != now.0 / MINUTE_US {
            self.minute = now.0 / MINUTE_US;
            self.taken.clear();
        }
        let (place, most) = match verdict {
            Verdict::Accepted => (0, settings.accepted_samples),
            Verdict::Refused => (1, settings.refused_samples),
        };
        if !self.taken.contains_key(provider) {
            self.taken.insert(provider.into(), [0; 2]);
        }
        let Some(taken) = self.taken.get_mut(provider).and_then(|of| of.get_mut(place)) else {
            return false;
        };
        let takes = *taken < most;
        *taken = taken.saturating_add(u16::from(takes));
        takes
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Span;

    use super::*;
    use crate::config::settings::Remembered;

    fn settings() -> LedgerSetup {
        LedgerSetup {
            on: true,
            dir: "ledger".into(),
            keep_for: Span::from_h(24),
            octets_max: 1 << 30,
            refused_samples: 2,
            accepted_samples: 1,
            addresses: Remembered::Full,
            backlog_octets_max: 1 << 20,
        }
    }

    #[test]
    fn each_provider_has_its_own_share_of_each_minute() {
        let (mut samples, settings) = (Samples::default(), settings());
        let mut takes = |s: u64, provider, verdict| {
            samples.takes(Instant::from_unix_s(s), &settings, (provider, verdict))
        };
        let refused = [0, 1, 2].map(|s| takes(s, "gmx", Verdict::Refused));
        assert_eq!(refused, [true, true, false]);
        assert!(takes(3, "gmail", Verdict::Refused));
        let accepted = [4, 5].map(|s| takes(s, "gmx", Verdict::Accepted));
        assert_eq!(accepted, [true, false]);
        assert!(takes(60, "gmx", Verdict::Refused));
    }
}
