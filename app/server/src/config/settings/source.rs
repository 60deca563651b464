//! `[[source]]`: the addresses we send from.

use std::net::IpAddr;

use postlane_mail::{Domain, Family};

use crate::config::declaration::{optional, required, settings};
use crate::config::section::{Reading, Section};

settings! {
    /// The addresses we send from: one entry for each.
    pub struct Source in "source" {
        /// Its name, in pools, logs and lists.
        name: Box<str> = required().restart();
        /// The address. `0.0.0.0` and `::` let the system choose one of that family.
        address: IpAddr = required().restart();
        /// The name to give in EHLO. If left out, `relay.hostname`. Receivers expect that it leads
        /// to the address, and back.
        ehlo: Option<Domain> = optional();
        /// The address that others see, where it is changed on the way (NAT). What receivers would
        /// find of it is looked at before mail leaves.
        seen_as: Option<IpAddr> = optional();
    }
}

impl Section for Source {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("name", self.name.to_string()))
    }

    fn unwritten(_: &Reading) -> String {
        let source =
            |name, address| format!("[[source]]\nname = \"{name}\"\naddress = \"{address}\"\n");
        source("default-v4", "0.0.0.0") + &source("default-v6", "::")
    }
}

impl Source {
    /// Its family.
    pub fn family(&self) -> Family {
        Family::of(self.address)
    }

    /// The address to bind to; none lets the system choose.
    pub fn bind(&self) -> Option<IpAddr> {
        (!self.address.is_unspecified()).then_some(self.address)
    }
}
