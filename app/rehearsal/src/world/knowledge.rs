//! What Postlane knows of providers and of what they say, and what it made of a run's replies.

use postlane_mail::{Domain, Reply, Stage};
use postlane_replies::{Diagnosis, Heard, ProviderId, Providers, RuleBook, Scratch};

/// The table of providers and the book of rules, as the server reads replies by them. Made once
/// for many runs.
#[derive(Debug)]
pub struct Knowledge {
    providers: Providers,
    book: RuleBook,
}

impl Knowledge {
    /// What comes with the program.
    pub fn built_in() -> Self {
        let providers = Providers::built_in();
        let book = RuleBook::built_in(&providers);
        Self { providers, book }
    }

    /// An operator's own table and rules.
    pub fn new(providers: Providers, book: RuleBook) -> Self {
        Self { providers, book }
    }

    /// Whose limits count at a host of that name. What is no name of a host is a provider of its
    /// own that no rule knows.
    pub fn provider_of(&self, site: &str) -> ProviderId {
        match Domain::parse(site) {
            Ok(host) => self.providers.find(std::slice::from_ref(&host), &host),
            Err(_) => self.providers.find(&[], &unknown_site()),
        }
    }

    /// What a section of a configuration about that host's provider is called, between the quotes of
    /// `[lane."NAME"]`.
    pub fn section_of(&self, site: &str) -> String {
        let provider = self.provider_of(site);
        let is_known = self.providers.named(provider.as_str()).is_some();
        if is_known {
            provider.as_str().to_owned()
        } else {
            format!("provider:{}", provider.as_str())
        }
    }

    /// Whether people call the provider so: by its id, a brand, another name or a domain of its.
    pub(super) fn is_called(&self, name: &str, provider: &ProviderId) -> bool {
        name == provider.as_str() || self.providers.resolve(name).as_ref() == Some(provider)
    }
}

/// Stands for a site that has no name a host could have.
fn unknown_site() -> Domain {
    Domain::parse("receiver.invalid").expect("a name reserved by RFC 2606 is a name")
}

/// What a run's replies mean. A receiver says the same few sentences over and over: each is read
/// by the rules once.
#[derive(Debug)]
pub(super) struct Meanings<'k> {
    book: &'k RuleBook,
    scratch: Scratch,
    provider: Box<str>,
    host: Box<str>,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    stage: Stage,
    reply: Reply,
    means: Diagnosis,
}

impl<'k> Meanings<'k> {
    /// The meanings of what the host of that name says.
    pub(super) fn new(knowledge: &'k Knowledge, host: &str) -> Self {
        Self {
            book: &knowledge.book,
            scratch: Scratch::default(),
            provider: knowledge.provider_of(host).as_str().into(),
            host: host.into(),
            known: Vec::new(),
        }
    }

    /// What was said means.
    pub(super) fn of(&mut self, stage: Stage, reply: &Reply) -> Diagnosis {
        self.known(stage, reply).means.clone()
    }

    fn known(&mut self, stage: Stage, reply: &Reply) -> &Known {
        let said = |known: &Known| known.stage == stage && known.reply == *reply;
        let place = self.known.iter().position(said).unwrap_or_else(|| {
            self.read(stage, reply);
            self.known.len() - 1
        });
        &self.known[place]
    }

    fn read(&mut self, stage: Stage, reply: &Reply) {
        let means = if reply.code().is_success() {
            Diagnosis::accepted(stage, reply)
        } else {
            let (provider, mx) = (Some(&*self.provider), Some(&*self.host));
            self.book.diagnose(&mut self.scratch, Heard { reply, stage: Some(stage), provider, mx })
        };
        self.known.push(Known { stage, reply: reply.clone(), means });
    }
}

#[cfg(test)]
mod tests {
    use postlane_mail::Code;
    use postlane_replies::Signal;

    use super::*;

    #[test]
    fn a_sentence_means_what_the_rules_say_however_often_it_is_said() {
        let knowledge = Knowledge::built_in();
        assert_eq!(knowledge.provider_of("mx.web.de").as_str(), "united-internet");
        let mut meanings = Meanings::new(&knowledge, "mx.web.de");
        let text = "Too many messages have been received in a short period of time.";
        let reply = Reply::new(Code::new(421).unwrap(), text);
        let first = meanings.of(Stage::Connect, &reply);
        assert_eq!(first.signal, Signal::Rate);
        assert_eq!(meanings.of(Stage::Connect, &reply), first);
        assert_eq!(meanings.known.len(), 1);
        meanings.of(Stage::Dot, &reply);
        assert_eq!(meanings.known.len(), 2);
    }

    #[test]
    fn a_site_without_a_hosts_name_is_a_provider_of_its_own() {
        let knowledge = Knowledge::built_in();
        assert_eq!(knowledge.provider_of("not a host").as_str(), "receiver.invalid");
    }
}
