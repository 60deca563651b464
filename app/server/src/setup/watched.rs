//! Who is watched over time, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use postlane_checks::Name;
use postlane_checks::blocklist::{Keys, Lists, Subject};
use postlane_checks::watch::{Limits, Rhythm, is_of_the_internet};
use postlane_mail::{Domain, Label, Span};
use postlane_net::dns::NameServers;

use crate::config::Config;
use crate::config::settings::AskLists;

/// Who is watched over time, and how.
#[derive(Debug, Clone)]
pub struct WatchSetup {
    /// Whether block lists are asked.
    pub asking: Asking,
    /// The lists, by their ids.
    pub lists: Vec<Box<str>>,
    /// Keys of our own for lists.
    pub keys: Keys,
    /// How often lists are asked.
    pub rhythm: Rhythm,
    /// Questions to lists, at most.
    pub limits: Limits,
    /// Whether the records of domains are looked at.
    pub records: bool,
    /// How often.
    pub records_every: Span,
    /// Who is watched.
    pub subjects: BTreeMap<Subject, WatchedSubject>,
}

/// Whether block lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// They are.
    On,
    /// They are not: nobody wants it.
    Off,
    /// They are not: this resolver is one that many share, and most lists refuse it.
    PublicResolver(IpAddr),
}

/// Why somebody is watched, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchedSubject {
    /// Tenants whose it is; none for the operator's.
    pub owners: BTreeSet<Label>,
    /// Why: `source a`, `dkim`, `ehlo of a`, `bounces of acme`, `watch`.
    pub because: BTreeSet<String>,
    /// Mail is written from it, or comes back to it: it is looked at as a domain that sends.
    pub sends: bool,
    /// The selectors of keys that sign for it.
    pub selectors: BTreeSet<Box<str>>,
    /// The addresses that say this name with EHLO.
    pub addresses: BTreeSet<IpAddr>,
}

/// A listing is confirmed by a second answer after this. Chosen, not measured: lists answer with
/// TTLs of one to some minutes.
const LISTING_AFTER: Span = Span::from_min(2);

/// Resolvers that anybody may use, and many do. From their operators' pages, as widely known; more
/// may be missing.
const PUBLIC_RESOLVERS: [&str; 22] = [
    "1.1.1.1",
    "1.0.0.1",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "9.9.9.9",
    "149.112.112.112",
    "2620:fe::fe",
    "2620:fe::9",
    "208.67.222.222",
    "208.67.220.220",
    "2620:119:35::35",
    "2620:119:53::53",
    "94.140.14.14",
    "94.140.15.15",
    "76.76.2.0",
    "185.228.168.9",
    "4.2.2.1",
    "4.2.2.2",
];

impl WatchSetup {
    pub(super) fn of(config: &Config) -> Self {
        let watch = &config.watch;
        let (mut lists, mut keys) = (Vec::new(), Keys::default());
        for list in Lists::built_in().all().filter(|list| !list.is_of_good_senders()) {
            let own = config.blocklists.iter().find(|own| *own.list == *list.id);
            if own.is_none_or(|own| own.ask) {
                lists.push(list.id.as_str().into());
            }
            if let Some(key) = own.and_then(|own| own.key_file.as_ref()) {
                // The check of the configuration has refused what is no key.
                let _ = keys.add(Lists::built_in(), &list.id, key.secret());
            }
        }
        let every = watch.every;
        Self {
            asking: asking(config),
            lists,
            keys,
            rhythm: Rhythm {
                critical: watch.critical_every,
                others: every,
                listing: LISTING_AFTER,
                delisting: watch.delisting_after,
                refused: every,
            },
            limits: Limits { minute: watch.questions_per_minute, day: watch.questions_per_day },
            records: watch.records,
            records_every: watch.records_every,
            subjects: subjects(config),
        }
    }

    /// Whose a subject is, where it is one tenant's alone.
    pub fn tenant_of(&self, subject: &Subject) -> Label {
        let owners = self.subjects.get(subject).map(|of| &of.owners);
        let alone = owners.filter(|owners| owners.len() == 1).and_then(BTreeSet::first);
        alone.cloned().unwrap_or_default()
    }

    /// Whether whoever may see this tenant's alone sees a subject; [`Label::NONE`] sees all.
    pub fn is_seen(&self, subject: &Subject, tenant: &Label) -> bool {
        tenant.is_none() || self.subjects.get(subject).is_some_and(|of| of.owners.contains(tenant))
    }
}

fn asking(config: &Config) -> Asking {
    match config.watch.blocklists {
        AskLists::Off => return Asking::Off,
        AskLists::On => return Asking::On,
        AskLists::Auto => {}
    }
    let given: Vec<IpAddr> = config.delivery.resolvers.iter().map(|server| server.ip()).collect();
    let servers = match given.is_empty() {
        true => NameServers::system().addresses().iter().map(|server| server.ip()).collect(),
        false => given,
    };
    let is_public =
        |server: &&IpAddr| PUBLIC_RESOLVERS.iter().any(|known| *known == server.to_string());
    servers.iter().find(is_public).map_or(Asking::On, |server| Asking::PublicResolver(*server))
}

/// Everybody who sends by us, as far as the internet knows them.
fn subjects(config: &Config) -> BTreeMap<Subject, WatchedSubject> {
    let mut all = Subjects::default();
    for source in &config.sources {
        if let Some(address) = source.bind() {
            all.add(Subject::Address(address), None, format!("source {}", source.name));
        }
        let ehlo = source.ehlo.as_ref().unwrap_or(&config.relay.hostname);
        if let Some(known) = all.add_domain(ehlo, None, format!("ehlo of {}", source.name)) {
            known.addresses.extend(source.bind());
        }
    }
    for key in &config.dkim {
        let known = all.add_domain(&key.domain, key.tenant.as_ref(), "dkim".to_owned());
        if let Some(known) = known {
            known.sends = true;
            known.selectors.insert(key.selector.as_str().into());
        }
    }
    for tenant in &config.tenants {
        let domain = tenant.bounce_address.as_ref().and_then(|address| match address.host() {
            postlane_mail::Host::Domain(domain) => Some(domain),
            postlane_mail::Host::Literal(_) => None,
        });
        if let Some(domain) = domain {
            let because = format!("bounces of {}", tenant.name);
            let known = all.add_domain(domain, Some(&tenant.name), because);
            known.into_iter().for_each(|known| known.sends = true);
        }
    }
    for domain in &config.watch.domains {
        let known = all.add_domain(domain, None, "watch".to_owned());
        known.into_iter().for_each(|known| known.sends = true);
    }
    for address in &config.watch.addresses {
        all.add(Subject::Address(*address), None, "watch".to_owned());
    }
    all.0
}

#[derive(Default)]
struct Subjects(BTreeMap<Subject, WatchedSubject>);

impl Subjects {
    fn add(
        &mut self,
        subject: Subject,
        owner: Option<&Label>,
        because: String,
    ) -> Option<&mut WatchedSubject> {
        if !is_of_the_internet(&subject) {
            return None;
        }
        let known = self.0.entry(subject).or_default();
        known.owners.extend(owner.cloned());
        known.because.insert(because);
        Some(known)
    }

    fn add_domain(
        &mut self,
        domain: &Domain,
        owner: Option<&Label>,
        because: String,
    ) -> Option<&mut WatchedSubject> {
        self.add(Subject::Domain(Name::from(domain)), owner, because)
    }
}
