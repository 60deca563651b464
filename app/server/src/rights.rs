//! Who may send mail to whom through this relay, and which mail is for ourselves.

use postlane_mail::{Mailbox, Recipient, ReversePath};
use postlane_message::{Returned, Verp};
use postlane_smtp::server::{Refusal, RelayRights, Rights, Standing};

use crate::secret::HouseSecret;
use crate::setup::Setup;

/// Our rights and our own addresses. A bounce address with a reverse-path for each recipient
/// takes only what comes back by one that we made.
#[derive(Default)]
pub(crate) struct HouseRights {
    relay: RelayRights,
    verps: Vec<Verp>,
}

/// A recipient of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// The postmaster or the abuse desk.
    Role,
    /// A bounce address; for whose mail, if the address tells.
    Bounce(Option<Returned>),
}

impl HouseRights {
    pub(crate) fn new(setup: &Setup, secret: &HouseSecret) -> Self {
        let mut rights = Self { relay: setup.own.clone(), verps: Vec::new() };
        for tenant in setup.tenants.values() {
            let Some(address) = &tenant.bounce_address else { continue };
            match tenant.verp.then(|| Verp::new(address, &secret.0)) {
                Some(Ok(verp)) => rights.verps.push(verp),
                // The check of the configuration has said why an address cannot have it.
                _ => rights.relay.bounces.push(address.clone()),
            }
        }
        rights
    }

    /// What a recipient is to us, if it is ours.
    pub(crate) fn own(&self, mailbox: &Mailbox) -> Option<Own> {
        if self.relay.is_role(mailbox) {
            return Some(Own::Role);
        }
        let returned = self.verps.iter().find_map(|verp| verp.decode(mailbox));
        if returned.is_some() {
            return Some(Own::Bounce(returned));
        }
        self.relay.is_bounce(mailbox).then_some(Own::Bounce(None))
    }
}

impl std::fmt::Debug for HouseRights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.relay.fmt(f)
    }
}

impl Rights for HouseRights {
    fn recipient(
        &self,
        standing: &Standing,
        _: &ReversePath,
        to: &Recipient,
    ) -> Result<(), Refusal> {
        if standing.may_relay() || self.own(&to.mailbox).is_some() {
            return Ok(());
        }
        Err(Refusal::relaying_denied())
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Domain, Label, QueueId};

    use super::*;
    use crate::setup::TenantSetup;

    fn rights(verp: bool) -> (HouseRights, HouseSecret) {
        let mut setup = Setup::new("data".into(), Domain::parse("relay.example").unwrap());
        let bounce_address = Some(Mailbox::parse("bounce@back.example").unwrap());
        let tenant = TenantSetup { bounce_address, verp, ..TenantSetup::default() };
        setup.tenants.insert(Label::parse("acme").unwrap(), tenant);
        let secret = HouseSecret([7; 32]);
        (HouseRights::new(&setup, &secret), secret)
    }

    fn own(rights: &HouseRights, mailbox: &str) -> Option<Own> {
        rights.own(&Mailbox::parse(mailbox).unwrap())
    }

    #[test]
    fn strangers_reach_the_desks_and_the_bounce_addresses() {
        let (rights, _) = rights(false);
        assert_eq!(own(&rights, "postmaster@relay.example"), Some(Own::Role));
        assert_eq!(own(&rights, "bounce@back.example"), Some(Own::Bounce(None)));
        assert_eq!(own(&rights, "jo@relay.example"), None);
        let to = Recipient::new(Mailbox::parse("jo@elsewhere.example").unwrap());
        assert!(rights.recipient(&Standing::Stranger, &ReversePath::Null, &to).is_err());
        assert!(rights.recipient(&Standing::Neighbour, &ReversePath::Null, &to).is_ok());
    }

    #[test]
    fn only_reverse_paths_that_we_made_come_back() {
        let (rights, secret) = rights(true);
        let id: QueueId = QueueId::from_bits(4711);
        let bounce = Mailbox::parse("bounce@back.example").unwrap();
        let returned = Returned { id, recipient: 3 };
        let path = Verp::new(&bounce, &secret.0).unwrap().encode(returned);
        assert_eq!(rights.own(&path), Some(Own::Bounce(Some(returned))));
        assert_eq!(own(&rights, "bounce@back.example"), None);
        assert_eq!(own(&rights, "bounce-028t5cy4tqkff-3-9f2c41d07a@back.example"), None);
    }
}
