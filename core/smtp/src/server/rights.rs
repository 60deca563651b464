//! Who may send mail to whom: never an open relay.

use postlane_mail::{Code, Domain, Mailbox, Recipient, Status};

use super::submission::Identity;

/// What a client has shown of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Stranger,
    /// It comes from a network that may relay.
    Neighbour,
    /// It has authenticated.
    Known(Identity),
}

/// The names that are ours, for which some mail is taken from anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnNames {
    /// Our host names and domains.
    pub domains: Vec<Domain>,
    /// Bounce addresses begin like this at those domains: `bounce+` or the like; none when it
    /// is empty.
    pub bounce_prefix: Box<str>,
}

/// What a refused client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) status: Status,
    pub(super) text: &'static str,
}

impl Standing {
    /// Whether it may send mail to anybody.
    pub fn may_relay(&self) -> bool {
        !matches!(self, Self::Stranger)
    }

    /// Who it is, if it has authenticated.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            _ => None,
        }
    }
}

impl OwnNames {
    /// Whether mail for a recipient is taken from anybody: postmaster (RFC 5321 §4.5.1), abuse
    /// (RFC 2142 §4) and our bounce addresses, at our names. No recipient is the postmaster
    /// without a domain.
    pub fn takes_from_anybody(&self, recipient: Option<&Recipient>) -> bool {
        recipient.is_none_or(|r| self.is_role(&r.mailbox) || self.is_bounce(&r.mailbox))
    }

    /// Whether it is the postmaster or the abuse desk of one of our names.
    pub fn is_role(&self, mailbox: &Mailbox) -> bool {
        let local = mailbox.local_part();
        let role = ["postmaster", "abuse"].iter().any(|role| local.eq_ignore_ascii_case(role));
        role && self.is_own(mailbox)
    }

    /// Whether it is one of our bounce addresses.
    pub fn is_bounce(&self, mailbox: &Mailbox) -> bool {
        let prefix = &*self.bounce_prefix;
        let head = mailbox.local_part().get(..prefix.len());
        !prefix.is_empty()
            && head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            && self.is_own(mailbox)
    }

    fn is_own(&self, mailbox: &Mailbox) -> bool {
        mailbox.domain().is_some_and(|domain| self.domains.contains(domain))
    }
}

/// Whether a recipient is taken of this client.
pub(super) fn check(
    standing: &Standing,
    own: &OwnNames,
    recipient: Option<&Recipient>,
) -> Result<(), Refused> {
    if standing.may_relay() || own.takes_from_anybody(recipient) {
        return Ok(());
    }
    let code = Code::new(550).expect("550 has three digits");
    let text = "Relaying denied: authenticate, or send from a network that may relay";
    Err(Refused { code, status: Status::new(5, 7, 1), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnNames {
        let domains = vec![Domain::parse("relay.example").unwrap()];
        OwnNames { domains, bounce_prefix: "bounce+".into() }
    }

    fn to(text: &str) -> Option<Recipient> {
        Some(Recipient::new(Mailbox::parse(text).unwrap()))
    }

    #[test]
    fn a_stranger_reaches_only_our_roles_and_bounce_addresses() {
        let allowed =
            ["postmaster@relay.example", "Abuse@Relay.Example", "bounce+x=1@relay.example"];
        for address in allowed {
            assert!(check(&Standing::Stranger, &own(), to(address).as_ref()).is_ok(), "{address}");
        }
        assert!(check(&Standing::Stranger, &own(), None).is_ok());
        let refused = [
            "postmaster@other.example",
            "user@relay.example",
            "postmaster@sub.relay.example",
            "a@b.example",
            "postmaster@[192.0.2.1]",
            "a%b.example@relay.example",
        ];
        for address in refused {
            let refusal = check(&Standing::Stranger, &own(), to(address).as_ref()).unwrap_err();
            assert_eq!((refusal.code.number(), refusal.status), (550, Status::new(5, 7, 1)));
        }
    }

    #[test]
    fn neighbours_and_the_known_reach_anybody() {
        assert!(check(&Standing::Neighbour, &own(), to("a@b.example").as_ref()).is_ok());
    }
}
