//! The whole configuration: its sections, and how two of them compare.

use super::declaration::{Change, Setting, SettingName};
use super::effective::{Changed, Effective, changes};
use super::finding::Findings;
use super::section::{Declared, Reading};
use super::settings::{
    Blocklist, Credential, Delivery, Dkim, DomainPolicy, Engagement, Expire, Http, Https,
    Incidents, Lane, LaneRules, Ledger, Limits, Listener, Log, MessageEdits, Pool, Preflight,
    Relay, Replies, Report, Retry, Route, Source, Spool, Suppression, Tenant, Tester, Timeout,
    TlsPolicies, Unsubscribe, Watch, Webhooks,
};
use super::tree::{Origin, Spot};

macro_rules! sections {
    (once { $($one:ident: $One:ty),+ $(,)? } many { $($list:ident: $Entry:ty),+ $(,)? }) => {
        /// Everything that an operator has decided, checked.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config {
            $(#[doc = concat!("`[", stringify!($one), "]`.")] pub $one: $One,)+
            $(#[doc = concat!("Each `[[", stringify!($list), "]]`, in the order of the file.")] pub $list: Vec<$Entry>,)+
            effective: Vec<Effective>,
            doubts: Findings,
        }

        /// All sections in the order of the reference: name, what they are about, whether they
        /// may be there several times, their settings.
        pub(super) fn sections() -> Vec<SectionPage> {
            vec![
                $(SectionPage::of::<$One>(false),)+
                $(SectionPage::of::<$Entry>(true),)+
            ]
        }

        impl Config {
            /// This configuration as far as it can hold before a restart of a server that was
            /// started with another one: what needs a restart stays as it is there.
            #[must_use]
            pub fn until_restart(mut self, started: &Self) -> Self {
                $(self.$one.keep_what_needs_a_restart(&started.$one);)+
                $(self.$list = held(self.$list, &started.$list);)+
                self.mend_references(started);
                self
            }

            /// Lists of which something does not hold in another configuration.
            fn lists_not_in(&self, held: &Self) -> Vec<&'static str> {
                let mut sections = Vec::new();
                $(if self.$list != held.$list {
                    sections.push(<$Entry>::NAME);
                })+
                sections
            }
        }

        pub(super) fn read(reading: &mut Reading) -> Option<Config> {
            reading.refuse_unknown(&[$(<$One>::NAME,)+ $(<$Entry>::NAME,)+]);
            reading.part_named::<Lane, LaneRules>();
            $(let $one = reading.one::<$One>();)+
            $(let $list = reading.many::<$Entry>();)+
            Some(Config {
                $($one: $one?,)+
                $($list,)+
                effective: std::mem::take(&mut reading.effective),
                doubts: Findings::default(),
            })
        }
    };
}

sections! {
    once {
        relay: Relay,
        limits: Limits,
        message: MessageEdits,
        spool: Spool,
        lane: Lane,
        delivery: Delivery,
        tls_policy: TlsPolicies,
        https: Https,
        timeout: Timeout,
        retry: Retry,
        expire: Expire,
        engagement: Engagement,
        report: Report,
        replies: Replies,
        suppression: Suppression,
        preflight: Preflight,
        ledger: Ledger,
        http: Http,
        webhooks: Webhooks,
        incidents: Incidents,
        tester: Tester,
        watch: Watch,
        log: Log,
    }
    many {
        listeners: Listener,
        credentials: Credential,
        tenants: Tenant,
        sources: Source,
        pools: Pool,
        lanes: LaneRules,
        domains: DomainPolicy,
        routes: Route,
        dkim: Dkim,
        unsubscribe: Unsubscribe,
        blocklists: Blocklist,
    }
}

/// The entries of a list as far as they can hold before a restart. Where entries have a setting
/// that needs one, those that run stay, in their order, and those written take effect there.
fn held<S: Declared>(new: Vec<S>, started: &[S]) -> Vec<S> {
    if S::declared().iter().all(|setting| setting.change == Change::Live) {
        return new;
    }
    let mut unused = new;
    let mut hold = |started: &S| {
        let agrees = |new: &S| {
            let mut kept = new.clone();
            kept.keep_what_needs_a_restart(started);
            kept == *new
        };
        let at = unused.iter().position(agrees);
        at.map_or_else(|| started.clone(), |at| unused.remove(at))
    };
    started.iter().map(&mut hold).collect()
}

/// A section as the reference has it.
pub(super) struct SectionPage {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) repeats: bool,
    pub(super) settings: Vec<Setting>,
}

impl SectionPage {
    fn of<S: Declared>(repeats: bool) -> Self {
        Self { name: S::NAME, title: S::TITLE, repeats, settings: S::declared() }
    }
}

impl Config {
    /// Pools and tenants that name a source or a pool which is there only after a restart go
    /// by what they had.
    fn mend_references(&mut self, started: &Self) {
        for pool in &mut self.pools {
            let known = |name: &str| self.sources.iter().any(|source| *source.name == *name);
            let was = started.pools.iter().find(|old| old.name == pool.name);
            if let Some(was) = was.filter(|_| pool.sources.iter().any(|m| !known(&m.name))) {
                pool.sources.clone_from(&was.sources);
            }
        }
        for tenant in &mut self.tenants {
            let known = |name: &str| self.pools.iter().any(|pool| *pool.name == *name);
            if tenant.pool.as_ref().is_some_and(|name| !known(name)) {
                let was = started.tenants.iter().find(|old| old.name == tenant.name);
                tenant.pool = was.and_then(|was| was.pool.clone());
            }
        }
    }

    /// The same with what may not be meant in it.
    pub(super) fn with_doubts(self, doubts: Findings) -> Self {
        Self { doubts, ..self }
    }

    /// What may not be meant, though it can be.
    pub fn warnings(&self) -> &Findings {
        &self.doubts
    }

    /// Every setting with its value and where that comes from.
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// What is not the same in a newer configuration, each name once.
    pub fn changes(old: &Self, new: &Self) -> Vec<Changed> {
        changes(&old.effective, &new.effective)
    }

    /// What of a newer configuration holds only after a restart of a server that was started
    /// with `old`: what says so of itself, and what hangs on that, as the sources of a pool do.
    pub fn changes_needing_restart(old: &Self, new: &Self) -> Vec<SettingName> {
        let held = new.clone().until_restart(old);
        let waiting = new.lists_not_in(&held);
        let waits = |change: &Changed| match change.name {
            // The rest of a tenant holds, whatever pool it goes by.
            SettingName { section: "tenant", key } => key == "pool" && waiting.contains(&"tenant"),
            name => change.needs_restart || waiting.contains(&name.section),
        };
        let changes = Self::changes(old, new).into_iter();
        changes.filter(waits).map(|change| change.name).collect()
    }

    /// The configuration as it holds, one setting to a line, with where each comes from.
    pub fn show(&self) -> String {
        let lines = self.effective.iter().map(|setting| {
            let origin = match &setting.origin {
                Origin::Default => "default".to_owned(),
                Origin::File(Spot { line, .. }) => format!("{}:{line}", self.doubts.file_name()),
                Origin::Flag(flag) => (*flag).to_owned(),
            };
            format!("{} = {}  # {origin}\n", setting.place(), setting.value)
        });
        lines.collect()
    }

    /// The configuration as it holds, a JSON object for each setting: `setting`, `number`,
    /// `value`, `origin` (`default`, `file` or `flag`), `line`, `flag`.
    pub fn to_json(&self) -> Vec<serde_json::Value> {
        let each = self.effective.iter().map(|setting| {
            let (origin, line, flag) = match &setting.origin {
                Origin::Default => ("default", None, None),
                Origin::File(spot) => ("file", Some(spot.line), None),
                Origin::Flag(flag) => ("flag", None, Some(*flag)),
            };
            serde_json::json!({
                "setting": setting.name.to_string(),
                "place": setting.place(),
                "number": setting.number,
                "value": setting.value,
                "origin": origin,
                "line": line,
                "flag": flag,
            })
        });
        each.collect()
    }
}
