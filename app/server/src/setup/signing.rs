//! Who signs which mail, and what is written into it before.

use std::sync::Arc;

use postlane_checks::dkim::{KeyKind, Signer};
use postlane_mail::{Domain, Envelope, Instant, Label, Span, Stream};
use postlane_message::Unsubscribe;

use crate::config::Config;
use crate::config::dkim::ELSEWHERE;
use crate::config::settings;

/// What is put above messages before they leave.
#[derive(Debug, Clone, Default)]
pub struct SigningSetup {
    /// Every key, in force or not, in the order of the file.
    pub keys: Vec<SigningKey>,
    lists: Vec<List>,
    /// How long a signature counts, by stream, where a key does not say.
    counts_for: [Span; 3],
}

/// A key, and when it signs what.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The key, with its domain and selector.
    pub signer: Arc<Signer>,
    domain: Domain,
    tenant: Option<Label>,
    subdomains: bool,
    from: Option<Instant>,
    until: Option<Instant>,
    expires: Option<Span>,
}

/// The way out for some mail.
#[derive(Debug, Clone)]
struct List {
    campaign: Option<Label>,
    tenant: Option<Label>,
    stream: Option<Stream>,
    unsubscribe: Unsubscribe,
}

impl SigningSetup {
    pub(super) fn of(config: &Config) -> Self {
        let key = |entry: &settings::Dkim| SigningKey {
            // The check of the configuration has made one already.
            signer: Arc::new(entry.signer().expect("the check of the file has refused this key")),
            domain: entry.domain.clone(),
            tenant: entry.tenant.clone(),
            subdomains: entry.subdomains,
            from: entry.from,
            until: entry.until,
            expires: entry.expires,
        };
        let list = |entry: &settings::Unsubscribe| List {
            campaign: entry.campaign.clone(),
            tenant: entry.tenant.clone(),
            stream: entry.stream,
            unsubscribe: Unsubscribe { ways: entry.ways.clone(), one_click: entry.one_click },
        };
        let expire = &config.expire;
        let waits = [expire.transactional, expire.engaged, expire.cold];
        Self {
            keys: config.dkim.iter().map(key).collect(),
            lists: config.unsubscribe.iter().map(list).collect(),
            counts_for: waits.map(|wait| Span(wait.0.saturating_add(ELSEWHERE.0))),
        }
    }

    /// Whether messages leave as they are.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.lists.is_empty()
    }

    /// The keys that sign a message: RSA before Ed25519, one of each at most. The longest domain
    /// that fits goes before shorter ones, then a tenant's own before everybody's, then what
    /// came into force last.
    pub fn keys_for(&self, tenant: &Label, author: &Domain, now: Instant) -> Vec<&SigningKey> {
        let fits = |key: &&SigningKey| key.signs(tenant, author) && key.is_in_force(now);
        let rank = |key: &SigningKey| (key.domain.as_str().len(), key.tenant.is_some());
        let Some(best) = self.keys.iter().filter(fits).map(rank).max() else { return Vec::new() };
        let of = |kind| {
            let alike = self.keys.iter().filter(fits);
            let alike = alike.filter(|key| rank(key) == best && key.signer.kind() == kind);
            alike.max_by_key(|key| key.from)
        };
        of(KeyKind::Rsa).into_iter().chain(of(KeyKind::Ed25519)).collect()
    }

    /// Whether any key may sign mail of that author, now or later.
    pub fn may_sign(&self, author: &Domain) -> bool {
        self.keys.iter().any(|key| key.is_about(author))
    }

    /// For how long a signature by a key counts.
    pub fn counts_for(&self, key: &SigningKey, stream: Stream) -> Span {
        key.expires.unwrap_or(self.counts_for[stream as usize])
    }

    /// The way out for a message; none for reports, which nobody can unsubscribe from.
    pub fn unsubscribe(&self, envelope: &Envelope) -> Option<&Unsubscribe> {
        envelope.reverse_path.mailbox()?;
        let fits = |list: &&List| {
            list.campaign.as_ref().is_none_or(|of| *of == envelope.campaign)
                && list.tenant.as_ref().is_none_or(|of| *of == envelope.tenant)
                && list.stream.is_none_or(|of| of == envelope.stream)
        };
        self.lists.iter().find(fits).map(|list| &list.unsubscribe)
    }
}

impl SigningKey {
    /// Whose mail alone it signs, where it is somebody's.
    pub fn tenant(&self) -> Option<&Label> {
        self.tenant.as_ref()
    }

    fn signs(&self, tenant: &Label, author: &Domain) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant) && self.is_about(author)
    }

    fn is_about(&self, author: &Domain) -> bool {
        *author == self.domain || (self.subdomains && author.is_within(&self.domain))
    }

    fn is_in_force(&self, now: Instant) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}
