//! `[report]`: what senders hear.

use postlane_mail::{ReturnContent, Span};

use crate::config::declaration::{default, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{Size, Switch, spelled};

settings! {
    /// What senders hear of mail that is late or could not be delivered (RFC 3464). Reports come
    /// from `MAILER-DAEMON` at `relay.hostname`, with the null reverse-path.
    pub struct Report in "report" {
        /// A sender hears once that a message is late, after this. `off` tells nobody.
        delay_notice: Switch<Span> = default(Switch::Off)
            .between(Switch::On(Span::from_min(1)), Switch::On(Span::from_h(720)));
        /// How much of a message a report returns, where its sender has not said (`RET`).
        returns: ReturnContent = default(ReturnContent::Headers)
            .from("RFC 3461 §4.3 leaves it to the relay");
        /// Octets of a message that is returned whole; of a larger one the header section is.
        return_size: Size = default(Size::kib(64)).between(Size(0), Size::mib(10));
    }
}

spelled!(ReturnContent {
    "full" => ReturnContent::Full, "the whole message";
    "headers" => ReturnContent::Headers, "the header section";
});

impl Section for Report {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.returns == ReturnContent::Full && self.return_size == Size(0) {
            let cause = "messages are returned whole, and none is small enough";
            fields.warn("return_size", cause, "raise it, or set `report.returns` to \"headers\"");
        }
    }
}
