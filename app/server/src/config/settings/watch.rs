//! `[watch]` and `[[blocklist]]`: what is looked at over time of who sends by us.

use std::net::IpAddr;

use postlane_checks::blocklist::{Keys, Lists};
use postlane_mail::{Domain, Span};

use crate::config::declaration::{default, optional, required, settings};
use crate::config::section::{Fields, Section};
use crate::config::value::{SecretFile, spelled};

settings! {
    /// What is looked at over time: whether our addresses and domains are on block lists, and what
    /// our domains publish. Watched are the addresses and EHLO names of sources, the domains that
    /// sign, the domains of bounce addresses, and what is named here. Addresses that are not
    /// public, and names below no public suffix, are not asked about.
    pub struct Watch in "watch" {
        /// Whether block lists are asked.
        blocklists: AskLists = default(AskLists::Auto);
        /// Whether what our domains publish is looked at.
        records: bool = default(true);
        /// How often; or, where that is later, as soon as the resolver may know something new (the
        /// records' TTL).
        records_every: Span = default(Span::from_h(1))
            .between(Span::from_min(5), Span::from_h(24));
        /// More domains to watch.
        domains: Vec<Domain> = default(Vec::new());
        /// More addresses to watch: that of a NAT, for one.
        addresses: Vec<IpAddr> = default(Vec::new());
        /// How often those lists are asked by which large providers refuse mail.
        critical_every: Span = default(Span::from_min(15))
            .between(Span::from_min(5), Span::from_h(24));
        /// How often all other lists are asked. One that refuses us is asked no sooner, either.
        every: Span = default(Span::from_h(6)).between(Span::from_h(1), Span::from_h(168));
        /// How far apart two answers must be which say that we are off a list.
        delisting_after: Span = default(Span::from_min(30))
            .between(Span::from_s(1), Span::from_h(24));
        /// Questions to all lists in a minute. Further ones wait.
        questions_per_minute: u32 = default(60).between(10, 6_000).of("questions");
        /// Questions to one list in a day (UTC). Free use ends at 100,000 or less with most.
        questions_per_day: u32 = default(5_000).between(100, 1_000_000).of("questions");
    }
}

settings! {
    /// What is different for one block list: one entry for each. `postlane blocklists list` names
    /// them all.
    pub struct Blocklist in "blocklist" {
        /// Its name, as `spamhaus-zen`.
        list: Box<str> = required();
        /// Whether it is asked.
        ask: bool = default(true);
        /// A file whose first line is a key of your own for it. Nobody else may read the file.
        key_file: Option<SecretFile> = optional();
    }
}

/// Whether block lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskLists {
    /// Unless through a public resolver.
    #[default]
    Auto,
    /// They are.
    On,
    /// They are not.
    Off,
}

spelled!(AskLists {
    "auto" => AskLists::Auto, "unless `delivery.resolvers`, or the system's, are public ones: most lists refuse those";
    "on" => AskLists::On, "they are";
    "off" => AskLists::Off, "they are not";
});

impl Section for Watch {}

impl Section for Blocklist {
    fn name(&self) -> Option<(&'static str, String)> {
        Some(("list", self.list.to_string()))
    }

    fn check(&self, fields: &mut Fields<'_, '_>) {
        let lists = Lists::built_in();
        if lists.named(&self.list).is_none() {
            let cause = format!("there is no list \"{}\"", self.list);
            fields.complain("list", cause, "`postlane blocklists list` names those there are");
        } else if let Some(key) = &self.key_file
            && let Err(why) = Keys::default().add(lists, &self.list, key.secret())
        {
            fields.complain("key_file", why.to_string(), "write the key as its owner gave it");
        }
    }
}
