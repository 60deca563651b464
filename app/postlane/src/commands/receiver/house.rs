//! What all sessions of a model receiver share: the model, and who is who.

use std::collections::BTreeMap;
use std::net::IpAddr;

use postlane_receivers::{Addressee, Receiver, Scenario, Source};

use super::limits::Limits;

/// How many recipients are told apart; all others are one. Chosen, not measured: they take
/// a hundred octets each.
const RECIPIENTS_MAX: usize = 1_000_000;

/// A model receiver that speaks SMTP.
pub(super) struct House {
    pub(super) receiver: Receiver,
    /// Its name in banners.
    pub(super) site: String,
    pub(super) limits: Limits,
    /// The scenario's names of sources.
    pub(super) ips: Vec<String>,
    sources: BTreeMap<IpAddr, Source>,
    recipients: BTreeMap<Box<str>, u32>,
}

impl House {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
        Self {
            receiver: Receiver::new(scenario, seed),
            site: scenario.receiver.site.clone(),
            limits: Limits::of(scenario),
            ips: scenario.sender.ips.clone(),
            sources: BTreeMap::new(),
            recipients: BTreeMap::new(),
        }
    }

    /// Which of the scenario's sources an address is: the one with that name, else the next in
    /// the order in which addresses first come; when all are taken, the last.
    pub(super) fn source(&mut self, address: IpAddr) -> Source {
        if let Some(known) = self.sources.get(&address) {
            return *known;
        }
        let last = self.ips.len().saturating_sub(1);
        let named = self.ips.iter().position(|ip| ip.parse() == Ok(address));
        let place = named.unwrap_or_else(|| self.sources.len().min(last));
        let source = Source(u16::try_from(place).unwrap_or(u16::MAX));
        self.sources.insert(address, source);
        source
    }

    /// Whom mail to this address is for. Nobody has an address that begins with `unknown`.
    pub(super) fn addressee(&mut self, address: &str) -> Addressee {
        let address = address.to_ascii_lowercase();
        let known = !address.starts_with("unknown");
        let next = self.recipients.len();
        let number = match self.recipients.get(address.as_str()) {
            Some(number) => *number,
            None if next < RECIPIENTS_MAX => {
                let number = u32::try_from(next).unwrap_or(u32::MAX);
                self.recipients.insert(address.into(), number);
                number
            }
            None => u32::MAX,
        };
        Addressee { number, known }
    }

    pub(super) fn name_of(&self, source: Source) -> &str {
        self.ips.get(usize::from(source.0)).map_or("", String::as_str)
    }
}
