//! `[[tenant]]`: what is different for somebody's mail.

use postlane_mail::{Label, Mailbox};

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::spelled;

settings! {
    /// What is different for somebody's mail: one entry for each tenant.
    pub struct Tenant in "tenant" {
        /// The tenant's name, as in `X-Postlane-Tenant`.
        name: Label = required();
        /// Who hears that a recipient could not be reached.
        bounce: Bounce = default(Bounce::Sender);
        /// The reverse-path to send with, so that remote bounces come back to us, at a domain whose
        /// mail leads here. If left out, the sender's own is kept.
        bounce_address: Option<Mailbox> = optional();
        /// Whether each recipient gets a reverse-path of its own below `tenant.bounce_address`,
        /// which tells by itself whose mail came back.
        verp: bool = default(false);
        /// The pool that its mail goes by. If left out, the first one.
        pool: Option<Box<str>> = optional();
    }
}

/// Who hears that a recipient could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounce {
    /// The sender, by a report.
    Sender,
    /// Whoever reads the log and the events.
    Event,
    /// Nobody.
    None,
}

spelled!(Bounce {
    "sender" => Bounce::Sender, "the sender, by a report";
    "event" => Bounce::Event, "whoever reads the log and the events";
    "none" => Bounce::None, "nobody";
});

impl Section for Tenant {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("name", self.name.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(pool) = &self.pool
            && !(fields.names("pool", "name").is_empty() && &**pool == "default")
        {
            fields.refer("pool", pool, "pool");
        }
        match &self.bounce_address {
            None if self.verp && !fields.has("bounce_address") => {
                let cause = "`tenant.verp` is set, and there is no address to put it behind";
                fields.complain("verp", cause, "write `tenant.bounce_address`");
            }
            Some(address) if self.verp => {
                // Which secret does not matter to whether the address can be used.
                if let Err(error) = postlane_message::Verp::new(address, &[0; 32]) {
                    fields.complain("bounce_address", error.to_string(), "take another address");
                }
            }
            _ => {}
        }
    }
}
