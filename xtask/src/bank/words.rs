//! What providers say: the examples of our own rules, by what they are about.

use std::collections::BTreeMap;

use postlane_mail::Domain;
use postlane_replies::{Label, Providers, Rule, RuleBook, read_reply};

use super::draw::Draw;

/// A refusal for a time, and a host of who says it, if one is known.
pub(super) struct Said {
    pub(super) reply: String,
    pub(super) host: Option<String>,
}

/// Refusals for a time, by label.
pub(super) struct Words(BTreeMap<Label, Vec<Said>>);

impl Words {
    pub(super) fn of_our_rules() -> Self {
        let providers = Providers::built_in();
        let book = RuleBook::built_in(&providers);
        let mut all: BTreeMap<Label, Vec<Said>> = BTreeMap::new();
        for rule in book.rules() {
            let host = host_of(&providers, &book, rule);
            for example in rule.examples() {
                let reply = &*example.reply;
                let is_plain = reply.len() < 400 && !reply.contains(['\n', '\r', '\t']);
                let is_for_a_time =
                    read_reply(reply).is_some_and(|reply| reply.code().is_transient());
                if is_plain && is_for_a_time {
                    let said = Said { reply: reply.to_owned(), host: host.clone() };
                    all.entry(rule.label()).or_default().push(said);
                }
            }
        }
        Self(all)
    }

    /// One of what is said about this.
    pub(super) fn about(&self, draw: &mut Draw, label: Label) -> &Said {
        let said = self.0.get(&label).or_else(|| self.0.values().next());
        draw.pick(said.expect("our rules have examples of refusals for a time"))
    }
}

/// An MX host of the provider a rule is bound to.
fn host_of(providers: &Providers, book: &RuleBook, rule: &Rule) -> Option<String> {
    let id = book.providers_of(rule).next()?;
    let provider = providers.known().iter().find(|provider| provider.id == *id)?;
    let suffix = provider.mx_suffixes.first()?.trim_start_matches('.');
    let host = format!("mx1.{suffix}");
    Domain::parse(&host).ok().map(|_| host)
}
