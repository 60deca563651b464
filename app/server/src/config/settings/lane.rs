//! `[lane]`: what holds for lanes to every provider, unless `[lane."NAME"]` says otherwise.

use std::num::{NonZeroU16, NonZeroU32};

use postlane_lanes::{Bands, Ceiling, Rules};
use postlane_mail::{Rate, Span};

use crate::config::declaration::{default, optional, settings};
use crate::config::lanes::contradiction;
use crate::config::section::{Fields, Section};
use crate::config::value::{Switch, spelled};

settings! {
    /// What is never exceeded with any provider. `[lane."NAME"]` says otherwise for some. A ceiling
    /// binds the sum over all sources, unless its name ends in `_per_source`.
    pub struct Lane in "lane" {
        /// Connections to one provider, open or opening at once, over all sources.
        max_connections: Option<u16> = optional().between(Some(1), Some(5_000)).of("connections");
        /// The same from one source.
        max_connections_per_source: u16 = default(20).between(1, 5_000).of("connections")
            .from("Postfix's default_destination_concurrency_limit");
        /// Transactions with one provider in a minute, over all sources: first attempts, retries,
        /// and connections that carry none draw on it alike.
        max_msgs_per_minute: Option<u32> = optional().between(Some(1), Some(1_000_000)).of("messages");
        /// The same from one source.
        max_msgs_per_minute_per_source: Option<u32> = optional().between(Some(1), Some(1_000_000))
            .of("messages");
        /// As `lane.max_msgs_per_minute`, in another time. `off` sets no ceiling.
        max_rate: Switch<Rate> = default(Switch::Off);
        /// The same from one source.
        max_rate_per_source: Switch<Rate> = default(Switch::Off);
        /// Messages on one connection before it is closed.
        max_msgs_per_connection: u32 = default(100).between(1, 1_000_000).of("messages");
        /// A deferred message is not tried again before this. If left out, `[retry]` says when.
        retry_backoff: Option<Span> = optional().between(Some(Span::from_s(1)), Some(Span::from_h(48)));
        /// A message is given up this long after its acceptance, if `[expire]` does not end its
        /// life before.
        retry_max_age: Option<Span> = optional().between(Some(Span::from_min(1)), Some(Span::from_h(720)));
        /// Messages that were never tried wait while one that was deferred has been waiting for
        /// longer than this since its acceptance; transactional ones do not. Whether it still does
        /// is looked at every minute.
        hold_new_when_deferred_older_than: Option<Span> = optional()
            .between(Some(Span::from_min(1)), Some(Span::from_h(720)));
        /// The share of fresh deferrals up to which a restart plan's cap may rise, and from which on
        /// it goes back to the last one that held; between the two it stays.
        bands: Bands = default(Bands::DEFAULT);
        /// Whether a lane finds out what its provider takes, and stays below it. Without, it keeps to
        /// what is written here, and messages that are refused wait by themselves.
        learning: Learning = default(Learning::Elsewhere);
        /// A connection with nothing to do is closed after this.
        idle: Span = default(Span::from_s(10)).between(Span::ZERO, Span::from_min(5));
    }
}

/// Which lanes find out what their providers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// All.
    On,
    /// Those whose hosts are not in a network of our own.
    Elsewhere,
    /// None.
    Off,
}

spelled!(Learning {
    "on" => Learning::On, "every lane does";
    "elsewhere" => Learning::Elsewhere, "every lane does but those to hosts in private networks";
    "off" => Learning::Off, "none does";
});

impl Section for Lane {
    const RENAMED: &'static [(&'static str, &'static str)] = RENAMED;

    fn check(&self, fields: &mut Fields<'_, '_>) {
        check_rates(fields);
        for what in self.rules().contradictions().collect::<Vec<_>>() {
            let told = contradiction(what, &|key| fields.has(key));
            if let Some(told) = told {
                fields.tell(told);
            }
        }
    }
}

/// What these settings were called when each bound one source alone.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("connections", "max_connections_per_source"),
    ("rate", "max_rate_per_source"),
    ("session_messages", "max_msgs_per_connection"),
];

impl Lane {
    /// What it says of every provider.
    pub fn rules(&self) -> Rules {
        Rules {
            together: Ceiling {
                connections: self.max_connections.and_then(NonZeroU16::new),
                rate: per_minute(self.max_msgs_per_minute).or_else(|| self.max_rate.on()),
            },
            per_source: Ceiling {
                connections: NonZeroU16::new(self.max_connections_per_source),
                rate: per_minute(self.max_msgs_per_minute_per_source)
                    .or_else(|| self.max_rate_per_source.on()),
            },
            messages_per_connection: NonZeroU32::new(self.max_msgs_per_connection),
            retry_backoff: self.retry_backoff,
            retry_max_age: self.retry_max_age,
            hold_new_when_deferred_older_than: self.hold_new_when_deferred_older_than,
            bands: Some(self.bands),
            ..Rules::default()
        }
    }
}

/// So many messages in a minute as a rate.
pub(super) fn per_minute(messages: Option<u32>) -> Option<Rate> {
    Rate::new(messages?, Span::from_min(1))
}

/// Complains of one ceiling that is written in two ways.
pub(super) fn check_rates(fields: &mut Fields<'_, '_>) {
    let pairs = [
        ("max_msgs_per_minute", "max_rate"),
        ("max_msgs_per_minute_per_source", "max_rate_per_source"),
    ];
    for (minute, rate) in pairs {
        if fields.has(minute) && fields.has(rate) {
            let cause = format!("`{minute}` and `{rate}` say the same ceiling in two ways");
            fields.complain(rate, cause, "keep one of them");
        }
    }
}
