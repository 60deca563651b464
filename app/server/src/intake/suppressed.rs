//! Recipients of a program's message that are on the suppression list: they are told apart, and
//! the others get theirs.

use postlane_mail::Envelope;
use postlane_suppression::{Asked, Effect};

use super::Intake;

impl Intake {
    /// Takes recipients out of an envelope that are refused; each with why, as at RCPT.
    pub(crate) fn take_out_suppressed(&self, envelope: &mut Envelope) -> Vec<(Box<str>, String)> {
        if self.suppressions.is_empty() {
            return Vec::new();
        }
        let (now, rights) = (self.clock.now(), self.rights.borrow().clone());
        let Envelope { recipients, tenant, reverse_path, .. } = envelope;
        let mut refused = Vec::new();
        recipients.retain(|recipient| {
            let to = &recipient.mailbox;
            if rights.own(to).is_some() {
                return true;
            }
            let asked = Asked { tenant, from: reverse_path, to };
            let stopped = self.suppressions.ask(now, &asked);
            let stopped = stopped.filter(|stopped| stopped.effect() == Effect::Refused);
            let Some(stopped) = stopped else { return true };
            self.counters.suppressed.inc();
            refused.push((to.as_str().into(), stopped.refusal().to_string()));
            false
        });
        refused
    }
}
