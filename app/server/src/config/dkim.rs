//! What can only be judged of every `[[dkim]]` when all of them are known.

use postlane_checks::dkim::KeyKind;
use postlane_mail::{Instant, Span};
use postlane_message::LogDate;

use super::configuration::Config;
use super::finding::{Told, Weight};
use super::section::{Declared as _, Reading};
use super::settings::Dkim;

/// What a message may wait elsewhere when it has left us. Chosen, not measured.
pub(crate) const ELSEWHERE: Span = Span::from_h(48);

/// Above this a signature that counts so long is of use to those who send mail again alone.
/// Chosen, not measured.
const LONG: Span = Span::from_h(720);

/// An entry, and what sort of key it has.
struct Key<'c> {
    entry: &'c Dkim,
    kind: Option<KeyKind>,
}

impl<'c> Key<'c> {
    fn of(entry: &'c Dkim) -> Self {
        Self { entry, kind: entry.signer().ok().map(|signer| signer.kind()) }
    }

    /// Whether both sign the same mail.
    fn signs_with(&self, other: &Key<'_>) -> bool {
        (&self.entry.domain, &self.entry.tenant) == (&other.entry.domain, &other.entry.tenant)
    }
}

/// Finds signatures that end before their mail does, days on which nobody signs, and domains
/// that many receivers would find unsigned.
pub(super) fn check(reading: &mut Reading, config: &Config) {
    // An entry that could not be read was found wrong already.
    if reading.names(Dkim::NAME, "domain").len() != config.dkim.len() {
        return;
    }
    let expire = &config.expire;
    let longest = expire.transactional.max(expire.engaged).max(expire.cold);
    let keys: Vec<Key<'_>> = config.dkim.iter().map(Key::of).collect();
    for (at, key) in keys.iter().enumerate() {
        let entry = key.entry;
        let mut told = Vec::new();
        told.extend(entry.expires.and_then(|expires| ends_early(expires, longest)));
        told.extend(entry.expires.filter(|expires| *expires > LONG).map(|_| {
            Told {
                weight: Weight::Warning,
                key: "expires",
                cause:
                    "a signature that counts for more than 30 days invites others to send the mail \
                    again"
                        .to_owned(),
                cure: "leave it out, or write less".to_owned(),
            }
        }));
        told.extend(nobody_after(&keys, key));
        told.extend(ed25519_alone(&keys, key));
        for told in told {
            reading.find_in(Dkim::NAME, at, told);
        }
    }
}

fn ends_early(expires: Span, longest: Span) -> Option<Told> {
    let least = Span(longest.0.saturating_add(ELSEWHERE.0));
    (expires < least).then(|| Told {
        weight: Weight::Error,
        key: "expires",
        cause: "mail may wait longer than its signature counts: it would arrive with one that has \
                expired"
            .to_owned(),
        cure: format!(
            "leave it out, or write {}h or more: the longest `expire`, and two days",
            least.as_s().div_ceil(3_600)
        ),
    })
}

/// The key goes out of force, and none of the same domain is in force then.
fn nobody_after(keys: &[Key<'_>], key: &Key<'_>) -> Option<Told> {
    let until = key.entry.until?;
    let alike = || {
        let same = keys.iter().filter(|other| other.kind == key.kind && other.signs_with(key));
        same.map(|other| other.entry)
    };
    let is_there = |other: &Dkim| {
        other.from.is_none_or(|from| from <= until) && other.until.is_none_or(|end| end > until)
    };
    if alike().any(is_there) {
        return None;
    }
    let next: Option<Instant> = alike().filter_map(|other| other.from).find(|from| *from > until);
    let gap = next.map_or_else(String::new, |next| format!(" until {}", day(next)));
    let domain = &key.entry.domain;
    Some(Told {
        weight: Weight::Warning,
        key: "until",
        cause: format!("from {}{gap} no key of this kind signs for {domain}", day(until)),
        cure: "write an entry for the next key that comes into force before".to_owned(),
    })
}

fn day(at: Instant) -> String {
    LogDate::of(at).as_str().chars().take(10).collect()
}

/// Many receivers do not read Ed25519 (RFC 8463 §3).
fn ed25519_alone(keys: &[Key<'_>], key: &Key<'_>) -> Option<Told> {
    let mut same = keys.iter().filter(|other| other.signs_with(key));
    let is_alone =
        key.kind == Some(KeyKind::Ed25519) && !same.any(|other| other.kind == Some(KeyKind::Rsa));
    is_alone.then(|| Told {
        weight: Weight::Warning,
        key: "key_file",
        cause: format!(
            "{} signs with Ed25519 alone, which many receivers do not read",
            key.entry.domain
        ),
        cure: "add an RSA key: `postlane dkim new` makes both".to_owned(),
    })
}
