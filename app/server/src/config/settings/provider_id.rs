//! A provider as routes name it: by its id, or by the domain of its hosts.

use postlane_mail::Domain;
use postlane_replies::Providers;

use crate::config::nearest::nearest;

/// What is wrong with a provider's id, and the cure, if it can be nobody's.
pub(super) fn unknown(id: &str) -> Option<(String, String)> {
    let providers = Providers::built_in();
    let known: Vec<&str> = providers.known().iter().map(|known| known.id.as_str()).collect();
    let is_domain = || {
        let domain = Domain::parse(id).ok();
        domain.is_some_and(|domain| domain.as_str() == id && id.contains('.'))
    };
    let other = providers.resolve(id).filter(|provider| provider.as_str() != id);
    if known.contains(&id) || (other.is_none() && is_domain()) {
        return None;
    }
    if let Some(other) = other {
        let cause = format!("\"{}\" is a name of \"{other}\"", id.escape_debug());
        return Some((cause, format!("write \"{other}\"")));
    }
    let cure = match nearest(id, &known) {
        Some(known) => format!("did you mean \"{known}\"?"),
        None => format!("write a domain in lower case, or one of {}", known.join(", ")),
    };
    Some((format!("there is no provider \"{}\"", id.escape_debug()), cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_named_by_its_id_or_by_the_domain_of_its_hosts() {
        assert_eq!(unknown("google"), None);
        assert_eq!(unknown("example.com"), None);
        for name in ["web.de", "gmx", "mail.com"] {
            let (cause, cure) = unknown(name).unwrap();
            assert_eq!(cause, format!("\"{name}\" is a name of \"united-internet\""));
            assert_eq!(cure, "write \"united-internet\"");
        }
        let (cause, cure) = unknown("gogle").unwrap();
        assert_eq!(
            (&*cause, &*cure),
            ("there is no provider \"gogle\"", "did you mean \"google\"?")
        );
        assert!(unknown("Example.com").unwrap().1.contains("in lower case"));
    }
}
