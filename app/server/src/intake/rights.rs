//! Who may send mail to whom through this relay, and which mail is for ourselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use postlane_mail::{Envelope, Label, Mailbox, QueueId, Recipient, ReversePath};
use postlane_message::{Returned, Verp};
use postlane_smtp::server::{Refusal, RelayRights, Rights, Standing};
use postlane_suppression::{Asked, Effect};

use crate::ground::clock::Clock;
use crate::ground::secret::HouseSecret;
use crate::identity::tester::Tester;
use crate::outcome::suppression::Suppressions;
use crate::setup::Setup;
use crate::telling::counters::Counters;

/// Our rights and our own addresses. A bounce address with a reverse-path for each recipient
/// takes only what comes back by one that we made.
pub(crate) struct HouseRights {
    relay: RelayRights,
    ways_back: BTreeMap<Label, WayBack>,
}

/// Where bounces of a tenant's mail come back.
enum WayBack {
    /// To one address.
    One(Mailbox),
    /// To one for each recipient.
    Each(Box<Verp>),
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
        let mut rights = Self { relay: setup.own.clone(), ways_back: BTreeMap::new() };
        for (name, tenant) in &setup.tenants {
            let Some(address) = &tenant.bounce_address else { continue };
            let way = match tenant.verp.then(|| Verp::new(address, &secret.0)) {
                Some(Ok(verp)) => WayBack::Each(Box::new(verp)),
                // The check of the configuration has said why an address cannot have it.
                _ => {
                    rights.relay.bounces.push(address.clone());
                    WayBack::One(address.clone())
                }
            };
            rights.ways_back.insert(name.clone(), way);
        }
        rights
    }

    /// The reverse-path to send with, where it is not the sender's own. What must not be
    /// answered has none of ours either (RFC 5321 §4.5.5).
    pub(crate) fn reverse_path(
        &self,
        envelope: &Envelope,
        id: QueueId,
        recipients: &[u16],
    ) -> Option<ReversePath> {
        envelope.reverse_path.mailbox()?;
        Some(ReversePath::Mailbox(match (self.ways_back.get(&envelope.tenant)?, recipients) {
            (WayBack::One(address), _) => address.clone(),
            (WayBack::Each(verp), [recipient]) => {
                let to = envelope.recipients.get(usize::from(*recipient))?;
                verp.encode(Returned { id, recipient: *recipient }, &to.mailbox)
            }
            // The setting is new: what was put together before it goes as it was meant to.
            (WayBack::Each(_), _) => return None,
        }))
    }

    /// Whose mail to that address a reverse-path was made for, if it was.
    pub(crate) fn sent_to(&self, path: &Mailbox, address: &Mailbox) -> Option<&Label> {
        self.ways_back.iter().find_map(|(tenant, way)| match way {
            WayBack::Each(verp) if verp.is_for(path, address) => Some(tenant),
            _ => None,
        })
    }

    /// What a recipient is to us, if it is ours.
    pub(crate) fn own(&self, mailbox: &Mailbox) -> Option<Own> {
        if self.relay.is_role(mailbox) {
            return Some(Own::Role);
        }
        let returned = self.ways_back.values().find_map(|way| match way {
            WayBack::One(_) => None,
            WayBack::Each(verp) => verp.decode(mailbox),
        });
        if returned.is_some() {
            return Some(Own::Bounce(returned));
        }
        self.relay.is_bounce(mailbox).then_some(Own::Bounce(None))
    }
}

/// The rights at one listener: ours, and the suppression list's. Mail to our own desks and bounce
/// addresses is never stopped by it, and a domain on hold is no reason to refuse mail: it waits.
#[derive(Debug)]
pub(crate) struct DoorRights {
    pub(crate) house: Arc<HouseRights>,
    pub(crate) suppressions: Suppressions,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Clock,
    /// Who takes mail to test addresses, where that comes in here.
    pub(crate) tester: Option<Arc<Tester>>,
    /// Whose mail comes in here, unless a user has a tenant.
    pub(crate) tenant: Label,
}

impl Rights for DoorRights {
    fn recipient(
        &self,
        standing: &Standing,
        from: &ReversePath,
        to: &Recipient,
    ) -> Result<(), Refusal> {
        let test = self.tester.as_ref().and_then(|tester| tester.admits(&to.mailbox));
        if let Some(admitted) = test {
            return admitted;
        }
        self.house.recipient(standing, from, to)?;
        if self.suppressions.is_empty() || self.house.own(&to.mailbox).is_some() {
            return Ok(());
        }
        let of_user = standing.identity().map(|identity| &identity.tenant);
        let tenant = of_user.filter(|tenant| !tenant.is_none()).unwrap_or(&self.tenant);
        let asked = Asked { tenant, from, to: &to.mailbox };
        let stopped = self.suppressions.ask(self.clock.now(), &asked);
        match stopped.filter(|stopped| stopped.effect() == Effect::Refused) {
            Some(stopped) => {
                self.counters.suppressed.inc();
                Err(stopped.refusal())
            }
            None => Ok(()),
        }
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
    use postlane_mail::{BodyType, Stream};

    use super::*;
    use crate::config::{Config, Overrides};

    fn rights(verp: bool) -> (HouseRights, HouseSecret) {
        let text = format!(
            "[relay]\nhostname = \"relay.example\"\n[[tenant]]\nname = \"acme\"\n\
             bounce_address = \"bounce@back.example\"\nverp = {verp}\n"
        );
        let setup = Setup::of(&Config::parse(&text, None, &Overrides::default()).unwrap());
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
        let sender = ReversePath::Mailbox(Mailbox::parse("shop@acme.example").unwrap());
        let mut envelope = Envelope {
            reverse_path: sender,
            recipients: vec![Recipient::new(Mailbox::parse("jo@example.net").unwrap()); 4],
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            stream: Stream::Engaged,
            tenant: Label::parse("acme").unwrap(),
            campaign: Label::NONE,
            engaged: None,
        };
        let path = rights.reverse_path(&envelope, id, &[3]).unwrap();
        let path = path.mailbox().unwrap().clone();
        assert_eq!(Verp::new(&bounce, &secret.0).unwrap().decode(&path), Some(returned));
        let sent_to = |address| rights.sent_to(&path, &Mailbox::parse(address).unwrap());
        assert_eq!(sent_to("jo@example.net"), Some(&envelope.tenant));
        assert_eq!(sent_to("al@example.net"), None);
        envelope.reverse_path = ReversePath::Null;
        assert_eq!(rights.reverse_path(&envelope, id, &[3]), None);
        assert_eq!(rights.own(&path), Some(Own::Bounce(Some(returned))));
        assert_eq!(own(&rights, "bounce@back.example"), None);
        assert_eq!(own(&rights, "bounce-028t5cy4tqkff-3-9f2c41d07a@back.example"), None);
    }
}
