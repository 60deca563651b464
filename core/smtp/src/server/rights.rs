//! Who may send mail to whom: never an open relay.

use std::fmt;

use postlane_mail::{Code, Domain, Mailbox, Recipient, ReversePath, Status};

use super::standing::Standing;
use super::submission::Refusal;

/// Decides whose mail is taken and for whom. It is asked while the client waits, for each MAIL
/// and RCPT: it looks nothing up.
pub trait Rights: fmt::Debug + Send + Sync {
    /// Whether a client may send mail in this name.
    fn sender(&self, standing: &Standing, from: &ReversePath) -> Result<(), Refusal> {
        let _ = (standing, from);
        Ok(())
    }

    /// Whether a client may send mail in this name to this recipient. The postmaster without a
    /// domain is not asked for: mail to them is always taken (RFC 5321 §4.5.1).
    fn recipient(
        &self,
        standing: &Standing,
        from: &ReversePath,
        to: &Recipient,
    ) -> Result<(), Refusal>;
}

/// The rights of a relay: neighbours and users reach anybody, strangers reach postmaster
/// (RFC 5321 §4.5.1), abuse (RFC 2142 §4) and the bounce addresses at our own names. The null
/// reverse-path confers nothing: anybody can write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayRights {
    /// Our host names and domains.
    pub domains: Vec<Domain>,
    /// Where bounces come back: `bounce@relay.example` stands for itself and for everything
    /// with `-` or `+` behind the local part, as in `bounce-028t5cy4tqkff-3-9f2c41d07a@…`. Who
    /// can tell a reverse-path of ours from one made up does so and has rights of their own.
    pub bounces: Vec<Mailbox>,
}

impl RelayRights {
    /// Whether it is the postmaster or the abuse desk of one of our names.
    pub fn is_role(&self, mailbox: &Mailbox) -> bool {
        let local = mailbox.local_part();
        let role = ["postmaster", "abuse"].iter().any(|role| local.eq_ignore_ascii_case(role));
        role && mailbox.domain().is_some_and(|domain| self.domains.contains(domain))
    }

    /// Whether it is one of our bounce addresses.
    pub fn is_bounce(&self, mailbox: &Mailbox) -> bool {
        self.bounces.iter().any(|bounce| {
            let base = bounce.local_part();
            let split = mailbox.local_part().split_at_checked(base.len());
            mailbox.host() == bounce.host()
                && split.is_some_and(|(head, behind)| {
                    let ours = head.eq_ignore_ascii_case(base);
                    ours && (behind.is_empty() || behind.starts_with(['-', '+']))
                })
        })
    }
}

impl Rights for RelayRights {
    fn recipient(
        &self,
        standing: &Standing,
        _: &ReversePath,
        to: &Recipient,
    ) -> Result<(), Refusal> {
        if standing.may_relay() || self.is_role(&to.mailbox) || self.is_bounce(&to.mailbox) {
            return Ok(());
        }
        Err(Refusal::relaying_denied())
    }
}

impl Refusal {
    /// What whoever may not relay is told.
    pub fn relaying_denied() -> Self {
        let code = Code::new(550).expect("550 is a code");
        let text = "Relaying denied: authenticate, or send from a network that may relay";
        Self { code, status: Status::new(5, 7, 1), text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Label;

    use super::*;
    use crate::server::standing::Identity;

    fn rights() -> RelayRights {
        let domains = vec![Domain::parse("relay.example").unwrap()];
        let bounces = vec![Mailbox::parse("bounce@back.example").unwrap()];
        RelayRights { domains, bounces }
    }

    fn may(standing: &Standing, to: &str) -> bool {
        let to = Recipient::new(Mailbox::parse(to).unwrap());
        match rights().recipient(standing, &ReversePath::Null, &to) {
            Ok(()) => true,
            Err(refusal) => {
                assert_eq!(refusal.code.number(), 550);
                assert_eq!(refusal.status, Status::new(5, 7, 1));
                false
            }
        }
    }

    #[test]
    fn a_stranger_reaches_only_our_roles_and_bounce_addresses() {
        for address in [
            "postmaster@relay.example",
            "Abuse@Relay.Example",
            "bounce@back.example",
            "BOUNCE-028t5cy4tqkff-3-9f2c41d07a@Back.example",
            "bounce+x=1@back.example",
        ] {
            assert!(may(&Standing::Stranger, address), "{address}");
        }
        for address in [
            "a@b.example",
            "user@relay.example",
            "postmaster@other.example",
            "postmaster@sub.relay.example",
            "postmaster@[192.0.2.1]",
            "postmaster@back.example",
            "bounce@relay.example",
            "bouncer@back.example",
            "bounc@back.example",
            "a%b.example@relay.example",
            "\"a@b.example\"@relay.example",
            "\"postmaster@b.example\"@relay.example",
        ] {
            assert!(!may(&Standing::Stranger, address), "{address}");
        }
    }

    #[test]
    fn neighbours_and_users_reach_anybody() {
        assert!(may(&Standing::Neighbour, "a@b.example"));
        let identity = Identity { user: "jo".into(), tenant: Label::NONE };
        assert!(may(&Standing::Known(identity), "a@b.example"));
    }
}
