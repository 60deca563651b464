//! Who is on the list: a mailbox or a whole domain, for everybody's mail or a tenant's.

use std::fmt;

use postlane_mail::{Host, Label as Tenant, Mailbox, MailboxError};

/// Who is meant, and in whose mail.
///
/// Its key is `domain@local/tenant`: all of a domain stand together, an address's entries for
/// several tenants too, and a domain as a whole, whose local part is empty, stands first.
///
/// Domains are compared as the DNS does, as A-labels without case. Local parts are kept as they
/// were written and compared without case and needless quotes: RFC 5321 §2.4 lets a host tell
/// `Jo` from `jo`, and none does that anybody writes to. Tags behind `+` count: `jo+x` may be
/// gone while `jo` is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    key: Box<str>,
}

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// One mailbox.
    Recipient,
    /// All mailboxes of a domain.
    Domain,
}

/// A text is neither an address nor a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write `jo@example.net` for a mailbox, or `example.net` for a whole domain")]
pub struct SubjectError(MailboxError);

impl Subject {
    /// A mailbox, in a tenant's mail; with [`Tenant::NONE`] in everybody's.
    pub fn recipient(mailbox: &Mailbox, tenant: &Tenant) -> Self {
        let mut key = String::new();
        write_recipient(mailbox, &mut key);
        key.push('/');
        key.push_str(tenant.as_str());
        Self { key: key.into() }
    }

    /// All mailboxes of a domain or of an address literal, but not of its subdomains.
    pub fn domain(host: &Host, tenant: &Tenant) -> Self {
        Self { key: format!("{host}@/{tenant}").into() }
    }

    /// Reads `jo@example.net`, `example.net` or `@example.net`.
    pub fn parse(text: &str, tenant: &Tenant) -> Result<Self, SubjectError> {
        let text = text.trim();
        if let Some(host) = text.strip_prefix('@').or_else(|| (!text.contains('@')).then_some(text))
        {
            return Ok(Self::domain(&Host::parse(host).map_err(SubjectError)?, tenant));
        }
        Ok(Self::recipient(&Mailbox::parse(text).map_err(SubjectError)?, tenant))
    }

    /// The subject with that key, as it was kept; nothing if it is no key.
    pub fn from_key(key: &str) -> Option<Self> {
        let (host, rest) = key.split_once('@')?;
        let (_, tenant) = rest.rsplit_once('/')?;
        let is_one = !host.is_empty() && Tenant::parse(tenant).is_ok();
        is_one.then(|| Self { key: key.into() })
    }

    /// What it is kept under.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A mailbox or a domain.
    pub fn whom(&self) -> Whom {
        if self.parts().1.is_empty() { Whom::Domain } else { Whom::Recipient }
    }

    /// The domain or address literal.
    pub fn host(&self) -> &str {
        self.parts().0
    }

    /// In whose mail; empty for everybody's.
    pub fn tenant(&self) -> &str {
        self.parts().2
    }

    /// What all entries begin with that are about the same mailbox, or the same domain as a
    /// whole, whatever the tenant.
    pub fn whatever_tenant(&self) -> &str {
        let end = self.key.rfind('/').map_or(self.key.len(), |at| at + 1);
        self.key.get(..end).unwrap_or_default()
    }

    fn parts(&self) -> (&str, &str, &str) {
        // Only what has both separators becomes a subject; a domain has neither, and a tenant
        // no slash.
        let (host, rest) = self.key.split_once('@').unwrap_or((&self.key, ""));
        let (local, tenant) = rest.rsplit_once('/').unwrap_or((rest, ""));
        (host, local, tenant)
    }
}

impl fmt::Display for Subject {
    /// `jo@example.net`, or `example.net` for a whole domain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (host, "", _) => f.write_str(host),
            (host, local, _) => write!(f, "{local}@{host}"),
        }
    }
}

impl Whom {
    /// The name, as in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Domain => "domain",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Recipient, Self::Domain].into_iter().find(|whom| whom.name() == name)
    }
}

/// `domain@local` of a mailbox, as it is compared.
pub(crate) fn write_recipient(mailbox: &Mailbox, key: &mut String) {
    use std::fmt::Write as _;
    // Writing into a String cannot fail.
    let _ = write!(key, "{}@", mailbox.host());
    let local = mailbox.local_part();
    match plain(local) {
        Some(plain) => lower(&plain, key),
        None => lower(local, key),
    }
}

/// What stands in quotes that need not be there (RFC 5321 §4.1.2: `"jo"@x` is `jo@x`).
fn plain(local: &str) -> Option<String> {
    let inner = local.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        plain.push(c);
    }
    let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let needs_none = plain.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
    needs_none.then_some(plain)
}

fn lower(text: &str, key: &mut String) {
    if text.is_ascii() {
        key.extend(text.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        key.push_str(&text.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str, tenant: &str) -> String {
        Subject::parse(text, &Tenant::parse(tenant).unwrap()).unwrap().key().to_owned()
    }

    #[test]
    fn addresses_are_compared_without_case_and_needless_quotes() {
        assert_eq!(key("Jo@Web.DE", ""), "web.de@jo/");
        assert_eq!(key("\"Jo\"@web.de", ""), key("jo@web.de.", ""));
        assert_eq!(key("jo@bücher.example", ""), "xn--bcher-kva.example@jo/");
        assert_eq!(key("Ünï@example.net", ""), key("ünï@example.net", ""));
        assert_ne!(key("\"j o\"@web.de", ""), key("jo@web.de", ""));
        assert_eq!(key("\"j\\o\"@web.de", ""), key("jo@web.de", ""), "nor needless backslashes");
        assert_ne!(key("\"j\\\\o\"@web.de", ""), key("jo@web.de", ""), "one that is meant");
        assert_ne!(key("jo+x@web.de", ""), key("jo@web.de", ""));
        assert_eq!(key("jo@[IPv6:2001:DB8::1]", ""), "[IPv6:2001:db8::1]@jo/");
    }

    #[test]
    fn a_subject_is_read_back_from_its_key() {
        for text in ["jo@web.de", "web.de", "a/b@web.de", "\"a@b/c\"@web.de", "[192.0.2.1]"] {
            for tenant in ["", "acme"] {
                let tenant = Tenant::parse(tenant).unwrap();
                let subject = Subject::parse(text, &tenant).unwrap();
                assert_eq!(Subject::from_key(subject.key()), Some(subject.clone()));
                assert_eq!(
                    (subject.to_string(), subject.tenant()),
                    (text.to_owned(), tenant.as_str())
                );
                let whom = if text.contains('@') { Whom::Recipient } else { Whom::Domain };
                assert_eq!(subject.whom(), whom, "{text}");
                assert_eq!(Whom::parse(whom.name()), Some(whom));
                let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
                assert_eq!(subject.host(), host);
                let everybodys = Subject::parse(text, &Tenant::NONE).unwrap();
                assert_eq!(subject.whatever_tenant(), everybodys.key());
            }
        }
        assert_eq!(key("@Web.de", ""), key("web.de", ""));
        for wrong in ["", "@", "a b@c.de", "a@", "..", "jo@@web.de"] {
            let error = Subject::parse(wrong, &Tenant::NONE).unwrap_err().to_string();
            assert!(error.contains("jo@example.net"), "{error}");
        }
    }

    #[test]
    fn a_key_without_a_host_or_with_no_tenants_name_is_none() {
        assert_eq!(Whom::parse("mailbox"), None);
        for wrong in ["@jo/", "@/acme", "web.de@jo/no tenant", "web.de@jo", "web.de", "jo/acme"] {
            assert_eq!(Subject::from_key(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_key_is_a_fault(key in "\\PC{0,40}|[a-c.]{0,4}@[a-c/@]{0,4}/[a-z]{0,3}") {
            if let Some(subject) = Subject::from_key(&key) {
                let (whole, all) = (subject.to_string(), subject.whatever_tenant());
                prop_assert!(key.starts_with(all) && !whole.is_empty());
                prop_assert_eq!(format!("{}{}", all, subject.tenant()), key);
            }
        }
    }
}
