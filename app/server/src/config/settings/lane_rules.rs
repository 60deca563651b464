//! `[lane."NAME"]`: what is different with a provider, or for some of the mail within providers.

use std::num::{NonZeroU16, NonZeroU32};

use postlane_lanes::{Bands, Ceiling, Ladder, Rules};
use postlane_mail::{Family, Rate, Span};
use postlane_net::tls::Minimum;
use postlane_smtp::client::TlsPolicy;

use super::lane::{RENAMED, check_rates, per_minute};
use super::lane_name::LaneName;
use super::preflight::PreflightPolicy;
use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{ByPool, Switch, spelled};

settings! {
    /// What is different with some mail: `[lane."web.de"]` for a provider, whatever of its names is
    /// taken; and for mail to a domain, to some MX hosts, by a pool or of a tenant. All sections
    /// that match a message must let it go. A provider's section is about its lanes; the others set
    /// ceilings inside them. Where a provider's section is silent, what is
    /// [known of its limits](provider-limits.md) and `[lane]` hold, the lower of the two.
    pub struct LaneRules in "lane.NAME" {
        /// What it is about: what stands between the quotes of `[lane."NAME"]`.
        name: LaneName = required();
        /// Connections at once, over all sources. For a domain, a pool or a tenant: connections that
        /// carry its mail at once.
        max_connections: Option<u16> = optional().between(Some(1), Some(5_000)).of("connections");
        /// The same from one source.
        max_connections_per_source: Option<u16> = optional().between(Some(1), Some(5_000))
            .of("connections");
        /// As `lane.max_msgs_per_minute`.
        max_msgs_per_minute: Option<u32> = optional().between(Some(1), Some(1_000_000)).of("messages");
        /// The same from one source.
        max_msgs_per_minute_per_source: Option<u32> = optional().between(Some(1), Some(1_000_000))
            .of("messages");
        /// As `lane.max_rate`.
        max_rate: Option<Switch<Rate>> = optional();
        /// The same from one source.
        max_rate_per_source: Option<Switch<Rate>> = optional();
        /// As `lane.max_msgs_per_connection`.
        max_msgs_per_connection: Option<u32> = optional().between(Some(1), Some(1_000_000))
            .of("messages");
        /// Recipients of a message in one transaction; no more than
        /// `delivery.transaction_recipients`.
        max_recipients_per_transaction: Option<u16> = optional().between(Some(1), Some(1_000))
            .of("recipients");
        /// As `lane.retry_backoff`.
        retry_backoff: Option<Span> = optional().between(Some(Span::from_s(1)), Some(Span::from_h(48)));
        /// As `lane.retry_max_age`.
        retry_max_age: Option<Span> = optional().between(Some(Span::from_min(1)), Some(Span::from_h(720)));
        /// As `lane.hold_new_when_deferred_older_than`. Transactional mail does not wait.
        hold_new_when_deferred_older_than: Option<Span> = optional()
            .between(Some(Span::from_min(1)), Some(Span::from_h(720)));
        /// A restart plan: what is sent in a day, over all attempts, at most. The next day's cap
        /// holds after that many stable sends in a row; a wave of deferrals goes back to the last
        /// one that held. It begins when there is none yet; `postlane lanes restart-plan` ends it, or
        /// begins another.
        restart: Option<Ladder> = optional();
        /// As `lane.bands`.
        bands: Option<Bands> = optional();
        /// The pool whose sources the provider's mail leaves from, whoever sends it.
        route: Option<ByPool> = optional();
        /// Families not to use with the provider.
        families_off: Vec<Family> = default(Vec::new());
        /// As `delivery.tls`.
        tls: Option<TlsPolicy> = optional();
        /// As `delivery.tls_min`.
        tls_min: Option<Minimum> = optional();
        /// As `preflight.policy`.
        preflight: Option<PreflightPolicy> = optional();
    }
}

spelled!(Family {
    "ipv4" => Family::V4, "IPv4";
    "ipv6" => Family::V6, "IPv6";
});

/// What only a provider's own section can say.
const OF_PROVIDERS: [&str; 10] = [
    "max_msgs_per_connection",
    "max_recipients_per_transaction",
    "hold_new_when_deferred_older_than",
    "restart",
    "bands",
    "route",
    "families_off",
    "tls",
    "tls_min",
    "preflight",
];

impl Section for LaneRules {
    const RENAMED: &'static [(&'static str, &'static str)] = RENAMED;

    fn check(&self, fields: &mut Fields<'_, '_>) {
        check_rates(fields);
        self.check_names(fields);
        if !matches!(self.name, LaneName::Provider(_)) {
            let written = OF_PROVIDERS.into_iter().filter(|key| fields.has(key));
            for key in written.collect::<Vec<_>>() {
                let cause = format!("only a provider's lanes have `{key}`");
                let cure = match &self.name {
                    LaneName::Domain(domain) => {
                        format!("write it in [lane.\"provider:{domain}\"], by the MX hosts' domain")
                    }
                    _ => "write it in a provider's section, [lane.\"web.de\"]".to_owned(),
                };
                fields.complain(key, cause, cure);
            }
        }
        if self.tls == Some(TlsPolicy::FromStart) {
            let cause = "no MX host speaks TLS from the start";
            fields.complain("tls", cause, "write \"required\", or \"implicit\" in a [[route]]");
        }
        if self.families_off.contains(&Family::V4) && self.families_off.contains(&Family::V6) {
            let cause =
                format!("no family is left for \"{}\": its mail could never leave", self.name);
            fields.complain("families_off", cause, "leave \"ipv4\" or \"ipv6\" on");
        }
    }
}

impl LaneRules {
    /// What it says, as it is written.
    pub fn rules(&self) -> Rules {
        let on = |rate: Option<Switch<Rate>>| rate.and_then(Switch::on);
        Rules {
            together: Ceiling {
                connections: self.max_connections.and_then(NonZeroU16::new),
                rate: per_minute(self.max_msgs_per_minute).or_else(|| on(self.max_rate)),
            },
            per_source: Ceiling {
                connections: self.max_connections_per_source.and_then(NonZeroU16::new),
                rate: per_minute(self.max_msgs_per_minute_per_source)
                    .or_else(|| on(self.max_rate_per_source)),
            },
            messages_per_connection: self.max_msgs_per_connection.and_then(NonZeroU32::new),
            recipients_per_transaction: self
                .max_recipients_per_transaction
                .and_then(NonZeroU16::new),
            retry_backoff: self.retry_backoff,
            retry_max_age: self.retry_max_age,
            hold_new_when_deferred_older_than: self.hold_new_when_deferred_older_than,
            restart: self.restart.clone(),
            bands: self.bands,
        }
    }

    /// What it says of a provider, over what holds for every one.
    pub fn over(&self, all: &Rules) -> Rules {
        let mut rules = self.rules().over(all);
        if self.max_rate == Some(Switch::Off) {
            rules.together.rate = None;
        }
        if self.max_rate_per_source == Some(Switch::Off) {
            rules.per_source.rate = None;
        }
        rules
    }

    fn check_names(&self, fields: &mut Fields<'_, '_>) {
        match &self.name {
            LaneName::Pool(pool) => refer_to_pool(fields, "name", pool),
            LaneName::Tenant(tenant) => fields.refer("name", &tenant.to_string(), "tenant"),
            _ => {}
        }
        if let Some(ByPool(pool)) = &self.route {
            refer_to_pool(fields, "route", pool);
        }
    }
}

fn refer_to_pool(fields: &mut Fields<'_, '_>, key: &str, pool: &str) {
    if !(fields.names("pool", "name").is_empty() && pool == "default") {
        fields.refer(key, pool, "pool");
    }
}
