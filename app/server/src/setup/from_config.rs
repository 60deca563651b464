//! What the file says, in the form that the server runs on.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_engine::{Engagement, Learning, RetrySchedule};
use postlane_mail::{Domain, Label};
use postlane_message::{ClientTrace, Edits, HeaderLimits, InnerReceived};
use postlane_net::route::StaticRoutes;
use postlane_smtp::client::Timeouts;
use postlane_smtp::server::{Limits, RelayRights};
use postlane_suppression::Policy;

use super::{
    AuthSetup, HttpLimits, HttpsSetup, IncidentSetup, LaneSetup, LedgerSetup, ListenerSetup,
    PoolSetup, PreflightSetup, PublishedTlsSetup, Reports, Rules, Setup, SigningSetup, SourceSetup,
    SuppressionSetup, TenantSetup, TesterSetup, TlsChange, TlsSetup, User, WatchSetup,
    WebhookSetup,
};
use crate::config::Config;
use crate::config::settings::{
    Auth, Bounce, LaneName, LaneRules, ListenerTls, Timeout, WithoutTls,
};
use crate::ground::clock::Clock;

impl Setup {
    /// What a configuration that was checked says; by the machine's clock, with the seed 0.
    pub fn of(config: &Config) -> Self {
        let Config { relay, limits, spool, delivery, lane, report, .. } = config;
        Self {
            data: spool.dir.clone(),
            hostname: relay.hostname.clone(),
            listeners: listeners(config),
            http: config.http.address,
            http_limits: http_limits(config),
            webhooks: webhooks(config),
            incidents: incidents(config),
            tester: TesterSetup::of(config),
            watch: Arc::new(WatchSetup::of(config)),
            limits: client_limits(config),
            failed_logins: limits.failed_logins,
            sessions_in_max: limits.sessions,
            sessions_of_client_max: limits.sessions_per_client,
            intake_octets_max: limits.body_memory.0,
            neighbours: relay.networks.clone(),
            own: own(config),
            role_mailbox: relay.postmaster.clone(),
            rules: Rules::with(&config.replies.rules),
            bare_newlines: relay.bare_newlines,
            edits: edits(config),
            signing: SigningSetup::of(config),
            users: users(config),
            tenants: tenants(config),
            sources: sources(config),
            pools: pools(config),
            lanes: LaneSetup::of(config),
            learning: learning(config),
            families_off: by_provider(config, |p| {
                (!p.families_off.is_empty()).then(|| p.families_off.clone())
            }),
            retry: retry(config),
            engagement: engagement(config),
            dormant: config.engagement.dormant,
            expires_after: [config.expire.transactional, config.expire.engaged, config.expire.cold],
            delay_notice_after: report.delay_notice.on(),
            report_returns: report.returns,
            report_octets_max: report.return_size.in_memory(),
            suppression: suppression(config),
            preflight: PreflightSetup::of(config),
            transaction_recipients_max: delivery.transaction_recipients,
            sessions_out_max: delivery.sessions,
            session_idle: lane.idle,
            session_depth: delivery.session_depth,
            chunking: delivery.bdat,
            timeouts: timeouts(&config.timeout),
            connect_timeout: config.timeout.connect,
            tls: TlsSetup { policy: delivery.tls, minimum: delivery.tls_min, authorities: None },
            published_tls: published_tls(config),
            https: https(config),
            provider_tls: provider_tls(config),
            domain_tls: domain_tls(config),
            routes: routes(config),
            mx_port: delivery.mx_port,
            resolvers: delivery.resolvers.clone(),
            dns: Arc::default(),
            spool: spool_settings(config),
            cache_octets: spool.body_cache.in_memory(),
            log: config.log.clone(),
            ledger: ledger(config),
            shutdown_wait: relay.shutdown_wait,
            seed: 0,
            clock: Clock::wall(),
            ready_tls: Default::default(),
        }
    }
}

fn http_limits(config: &Config) -> HttpLimits {
    let settings = &config.http;
    HttpLimits { rate: settings.rate, burst: settings.burst, failures: settings.failures }
}

fn published_tls(config: &Config) -> PublishedTlsSetup {
    let settings = &config.tls_policy;
    PublishedTlsSetup { mta_sts: settings.mta_sts, dane: settings.dane, count: settings.count }
}

fn https(config: &Config) -> HttpsSetup {
    let settings = &config.https;
    HttpsSetup {
        mapped: settings.map.mapped().clone(),
        extra_roots: settings.extra_roots.clone(),
        timeout: settings.timeout,
    }
}

fn webhooks(config: &Config) -> WebhookSetup {
    let settings = &config.webhooks;
    WebhookSetup {
        private_addresses: settings.private_addresses,
        timeout: settings.timeout,
        batch: settings.batch as usize,
        at_once: settings.at_once as usize,
        pause_after: settings.pause_after,
    }
}

fn incidents(config: &Config) -> IncidentSetup {
    let settings = &config.incidents;
    IncidentSetup { on: settings.on, every: settings.every, window: settings.window }
}

fn engagement(config: &Config) -> Engagement {
    let settings = &config.engagement;
    Engagement { dormant_after: settings.dormant_after, longest_wait: settings.longest_wait }
}

fn retry(config: &Config) -> RetrySchedule {
    let settings = &config.retry;
    RetrySchedule {
        first: settings.first,
        factor_percent: settings.factor.0,
        longest: settings.longest,
        jitter_percent: u8::try_from(settings.jitter.0).unwrap_or(u8::MAX),
    }
}

fn ledger(config: &Config) -> LedgerSetup {
    let settings = &config.ledger;
    LedgerSetup {
        on: settings.on,
        dir: settings.dir.clone().unwrap_or_else(|| config.spool.dir.join("ledger")),
        keep_for: settings.keep_for,
        octets_max: settings.size.octets(),
        refused_samples: settings.refused_samples,
        accepted_samples: settings.accepted_samples,
        addresses: settings.addresses,
        backlog_octets_max: settings.backlog.in_memory(),
    }
}

fn suppression(config: &Config) -> SuppressionSetup {
    let settings = &config.suppression;
    SuppressionSetup {
        policy: Policy {
            refusals: settings.refusals,
            no_such_user: settings.no_such_user.on(),
            mailbox_disabled: settings.mailbox_disabled.on(),
            mailbox_moved: settings.mailbox_moved.on(),
            not_accepting_mail: settings.not_accepting_mail.on(),
            domain_not_found: settings.domain_not_found.on(),
        },
        scope: settings.scope,
        entries_max: usize::try_from(settings.entries).unwrap_or(usize::MAX),
    }
}

/// Bounds keep sizes below what a machine can address.
fn listeners(config: &Config) -> Vec<ListenerSetup> {
    let of = |listener: &crate::config::settings::Listener| {
        let is_encrypted = listener.tls != ListenerTls::None;
        let files = listener.cert.clone().zip(listener.key.clone());
        let auth = match listener.auth {
            // Nobody is asked for what nobody has.
            Auth::Optional if config.credentials.is_empty() => AuthSetup::Off,
            Auth::Optional => AuthSetup::Optional,
            Auth::Required => AuthSetup::Required,
            Auth::Off => AuthSetup::Off,
        };
        ListenerSetup {
            address: listener.address,
            certificate: files.filter(|_| is_encrypted),
            implicit_tls: listener.tls == ListenerTls::Implicit,
            auth,
            auth_without_tls_on_loopback: listener.auth_without_tls == WithoutTls::Loopback,
            balancers: listener.proxy_protocol_from.clone(),
            tests: listener.tests && config.tester.domain.is_some(),
            tenant: listener.tenant.clone().unwrap_or(Label::NONE),
        }
    };
    config.listeners.iter().map(of).collect()
}

fn client_limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        command_octets: limits.command_line.in_memory(),
        auth_octets: limits.auth_line.in_memory(),
        message_octets: limits.message_size.in_memory(),
        data_line_octets: limits.message_line.in_memory(),
        recipients: usize::from(limits.recipients),
        messages: limits.session_messages,
        idle_commands: limits.idle_commands,
        errors: limits.errors,
        logins: limits.logins,
        idle: limits.idle,
        transaction: limits.transaction_time,
        session: limits.session_time,
    }
}

fn spool_settings(config: &Config) -> postlane_spool::Settings {
    postlane_spool::Settings {
        segment_octets: config.spool.segment_size.0,
        free_octets_min: config.spool.free_min.0,
        backlog_octets_max: config.spool.backlog.0,
        ..postlane_spool::Settings::default()
    }
}

fn own(config: &Config) -> RelayRights {
    let hostname = std::iter::once(&config.relay.hostname);
    let domains = hostname.chain(&config.relay.own_domains).cloned().collect();
    RelayRights { domains, bounces: Vec::new() }
}

fn edits(config: &Config) -> Edits {
    let Config { relay, limits, message, .. } = config;
    Edits {
        our_name: relay.hostname.clone(),
        remove: message.remove_headers.clone(),
        client: if message.hide_client { ClientTrace::Hidden } else { ClientTrace::Told },
        inner_received: if message.hide_inner_received {
            InnerReceived::Removed
        } else {
            InnerReceived::Kept
        },
        limits: HeaderLimits {
            octets_max: limits.header_size.in_memory(),
            fields_max: limits.header_fields as usize,
            hops_max: usize::from(limits.hops),
        },
    }
}

fn users(config: &Config) -> Vec<User> {
    let user = |credential: &crate::config::settings::Credential| {
        let tenant = credential.tenant.clone().unwrap_or(Label::NONE);
        Some(User { name: credential.user.clone(), verifier: credential.verifier()?, tenant })
    };
    config.credentials.iter().filter_map(user).collect()
}

fn tenants(config: &Config) -> BTreeMap<Label, TenantSetup> {
    let of = |tenant: &crate::config::settings::Tenant| {
        let pool = tenant.pool.as_ref();
        let place = pool.and_then(|name| config.pools.iter().position(|pool| pool.name == *name));
        let setup = TenantSetup {
            reports: match tenant.bounce {
                Bounce::Sender => Reports::Sender,
                Bounce::Event => Reports::Event,
                Bounce::None => Reports::Nobody,
            },
            pool: place.unwrap_or(0),
            bounce_address: tenant.bounce_address.clone(),
            verp: tenant.verp,
        };
        (tenant.name.clone(), setup)
    };
    config.tenants.iter().map(of).collect()
}

fn sources(config: &Config) -> Vec<SourceSetup> {
    let of = |source: &crate::config::settings::Source| SourceSetup {
        name: source.name.to_string(),
        address: source.bind(),
        family: source.family(),
        ehlo: source.ehlo.as_ref().unwrap_or(&config.relay.hostname).clone(),
        seen_as: source.seen_as,
    };
    config.sources.iter().map(of).collect()
}

fn pools(config: &Config) -> Vec<PoolSetup> {
    let place = |name: &str| config.sources.iter().position(|source| *source.name == *name);
    let of = |pool: &crate::config::settings::Pool| PoolSetup {
        name: pool.name.to_string(),
        sources: pool.sources.iter().filter_map(|m| Some((place(&m.name)?, m.weight))).collect(),
    };
    config.pools.iter().map(of).collect()
}

fn learning(config: &Config) -> Learning {
    use crate::config::settings::Learning as Says;
    match config.lane.learning {
        Says::On => Learning::On,
        Says::Elsewhere => Learning::Elsewhere,
        Says::Off => Learning::Off,
    }
}

fn by_provider<T>(config: &Config, of: impl Fn(&LaneRules) -> Option<T>) -> BTreeMap<String, T> {
    let each = |section: &LaneRules| match &section.name {
        LaneName::Provider(id) => Some((id.to_string(), of(section)?)),
        _ => None,
    };
    config.lanes.iter().filter_map(each).collect()
}

fn provider_tls(config: &Config) -> BTreeMap<String, TlsChange> {
    by_provider(config, |provider| {
        let (policy, minimum) = (provider.tls, provider.tls_min);
        let change = TlsChange { policy, minimum, authorities: None };
        (change != TlsChange::default()).then_some(change)
    })
}

fn domain_tls(config: &Config) -> BTreeMap<Domain, TlsChange> {
    let of = |domain: &crate::config::settings::DomainPolicy| {
        let change = TlsChange {
            policy: domain.tls,
            minimum: domain.tls_min,
            authorities: domain.ca_file.clone(),
        };
        (domain.name.clone(), change)
    };
    config.domains.iter().map(of).collect()
}

fn routes(config: &Config) -> StaticRoutes {
    let routes = config.routes.iter().map(crate::config::settings::Route::to_static).collect();
    StaticRoutes::new(routes).expect("the check of the file refuses two routes of one pattern")
}

fn timeouts(timeout: &Timeout) -> Timeouts {
    Timeouts {
        greeting: timeout.greeting,
        command: timeout.command,
        mail: timeout.mail,
        rcpt: timeout.rcpt,
        data: timeout.data,
        block: timeout.block,
        dot: timeout.dot,
        quit: timeout.quit,
    }
}

#[cfg(test)]
mod tests;
