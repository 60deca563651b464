//! `[[unsubscribe]]`: the way out of a list, where a message does not say one.

use postlane_mail::{Label, Stream};
use postlane_message::WayOut;

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::spelled;

settings! {
    /// How to unsubscribe, written into messages that do not say it (`List-Unsubscribe`), before
    /// they are signed: the first entry that a message falls under. Reports get none.
    pub struct Unsubscribe in "unsubscribe" {
        /// The campaign, as in `X-Postlane-Campaign`. If left out, every one.
        campaign: Option<Label> = optional();
        /// Whose mail. If left out, everybody's.
        tenant: Option<Label> = optional();
        /// What kind of mail. If left out, every kind.
        stream: Option<Stream> = optional();
        /// Where it leads, the best first: `https://…` or `mailto:…`, with `{id}`, `{recipient}`,
        /// `{tenant}` and `{campaign}` for what stands in the message's place,
        /// percent-encoded. One with `{recipient}` is left out where several get the message at once.
        ways: Vec<WayOut> = required();
        /// Whether a POST to the first way on the Web is enough, as Gmail and Yahoo want it of bulk
        /// mail: `List-Unsubscribe-Post`.
        one_click: bool = default(true).from("RFC 8058 §3.1");
    }
}

spelled!(Stream {
    "transactional" => Stream::Transactional, "somebody waits for it";
    "engaged" => Stream::Engaged, "to people who read what they get";
    "cold" => Stream::Cold, "to people who have not opened anything for long";
});

impl Section for Unsubscribe {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if let Some(tenant) = &self.tenant {
            fields.refer("tenant", tenant.as_str(), "tenant");
        }
        if self.ways.is_empty() && !fields.is_wrong("ways") {
            fields.complain("ways", "there is no way out", "write one: \"https://…/{id}\"");
        }
        if self.one_click && !self.ways.is_empty() && !self.ways.iter().any(WayOut::is_web) {
            let cause = "no way is on the Web, and one click needs one";
            fields.warn("ways", cause, "add one with https://, or set `one_click` to false");
        }
    }
}
