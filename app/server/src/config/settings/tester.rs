//! `[tester]`: mail to test addresses is looked at, and never sent anywhere.

use postlane_mail::{Domain, Rate, Span};

use crate::config::declaration::{default, optional, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::Size;

settings! {
    /// The email tester: `postlane tester new` makes an address that takes mail for a while, and
    /// whoever has its secret link reads what receivers would make of it. It takes mail at
    /// listeners with `listener.tests`, to which the domain's MX record must lead.
    pub struct Tester in "tester" {
        /// The domain of test addresses, which has no other mail. If left out, there are no tests.
        domain: Option<Domain> = optional().restart();
        /// What links begin with, where a proxy with TLS stands in front of us:
        /// `https://mail.example.com`. If left out, it is `http://` and `http.address`.
        link: Option<Box<str>> = optional();
        /// Octets of one message; holds for everything that comes by a listener with
        /// `listener.tests`.
        message_size: Size = default(Size::mib(10)).between(Size::kib(64), Size::mib(64));
        /// Messages to one test address.
        messages: u32 = default(10).between(1, 100).of("messages");
        /// Messages that one client may send to test addresses. A client is an IPv4 address or an
        /// IPv6 /64.
        per_client: Rate = default(Rate::new(30, Span::from_h(1)).expect("neither is nothing"));
        /// How long an address takes mail where nothing else is said.
        expires: Span = default(Span::from_h(1)).between(Span::from_min(5), Span::from_h(720));
        /// How long reports are kept after that.
        keep_for: Span = default(Span::from_h(168)).between(Span::from_h(1), Span::from_h(2_160));
        /// Tests that are kept.
        tests: u32 = default(1_000).between(1, 100_000).of("tests");
        /// Octets on the disk, messages and reports together.
        size: Size = default(Size::gib(1)).between(Size::mib(16), Size::gib(1_024));
    }
}

impl Section for Tester {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        let is_web = |link: &str| link.starts_with("https://") || link.starts_with("http://");
        if self.link.as_deref().is_some_and(|link| !is_web(link)) {
            let cause = "it does not begin with https:// or http://";
            fields.complain("link", cause, "write where the API is reached: \"https://…\"");
        }
    }
}
