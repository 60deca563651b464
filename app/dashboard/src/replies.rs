//! What a reply means, for people: the sentence, and what one can do.

use parking_lot::Mutex;
use postlane_api::wire::LastReplyRow;
use postlane_replies::{
    Advice, Heard, Label, Meanings, Providers, Rule, RuleBook, Scratch, read_reply, read_stage,
};

/// Who knows what replies mean, and what providers are called.
pub(crate) struct Replies {
    providers: Providers,
    book: RuleBook,
    meanings: Meanings,
    scratch: Mutex<Scratch>,
}

/// A reply, explained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Explained {
    /// What it means, in a sentence.
    pub(crate) means: String,
    /// The same in one word of ours: `rate_limited`.
    pub(crate) label: String,
    /// What who runs the server can do, in order.
    pub(crate) steps: Vec<String>,
    /// The rule that said so.
    pub(crate) rule: String,
    /// Where the rule was read.
    pub(crate) source: String,
}

/// What was said, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'s> {
    /// The provider's id.
    pub(crate) provider: &'s str,
    /// The host.
    pub(crate) host: &'s str,
    /// What it answered.
    pub(crate) stage: &'s str,
    /// The code.
    pub(crate) code: u16,
    /// The text, lines joined by a line feed.
    pub(crate) text: &'s str,
}

impl<'s> Said<'s> {
    /// What a host of a provider said last.
    pub(crate) fn last(provider: &'s str, last: &'s LastReplyRow) -> Self {
        Self { provider, host: &last.host, stage: &last.stage, code: last.code, text: &last.text }
    }
}

impl Replies {
    /// By the rules that come with the program.
    pub(crate) fn built_in() -> Self {
        let providers = Providers::built_in();
        Self {
            book: RuleBook::built_in(&providers),
            providers,
            meanings: Meanings::built_in(),
            scratch: Mutex::default(),
        }
    }

    /// What a provider is called by people; its id where it is in no table.
    pub(crate) fn name_of(&self, provider: &str) -> String {
        let known = self.providers.named(provider).filter(|known| known.id.as_str() == provider);
        known.map_or_else(|| provider.to_owned(), |known| known.name.to_string())
    }

    /// The sentence of a label that the log has.
    pub(crate) fn means(&self, label: &str) -> String {
        let label = Label::parse(label);
        label.map_or_else(String::new, |label| self.meanings.of(label).means.to_string())
    }

    /// What a reply means, and what one can do.
    pub(crate) fn explain(&self, said: Said<'_>) -> Explained {
        let first = said.text.replace('\n', &format!(" / {} ", said.code));
        let Some(reply) = read_reply(&format!("{} {first}", said.code)) else {
            return Explained::default();
        };
        let heard = Heard {
            reply: &reply,
            stage: read_stage(said.stage),
            provider: Some(said.provider).filter(|provider| !provider.is_empty()),
            mx: Some(said.host).filter(|host| !host.is_empty()),
        };
        let mut scratch = self.scratch.lock();
        let finding = self.book.find(&mut scratch, heard);
        let advices = [
            finding.rule.map(Rule::advice),
            finding.provider.and_then(|of| self.book.advice_of(of.as_str(), finding.label)),
            Some(self.meanings.of(finding.label)),
        ];
        let told = |advice: &&Advice| !advice.means.is_empty();
        let does = |advice: &&Advice| !advice.operator.is_empty();
        let means = advices.into_iter().flatten().find(told);
        let steps = advices.into_iter().flatten().find(does);
        Explained {
            means: means.map(|advice| advice.means.to_string()).unwrap_or_default(),
            label: finding.label.name().to_owned(),
            steps: steps.map_or_else(Vec::new, |advice| {
                advice.operator.iter().map(ToString::to_string).collect()
            }),
            rule: finding.rule_name().to_owned(),
            source: finding.rule.map(|rule| rule.origin().source.to_string()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_explained_in_a_sentence_with_steps_and_its_rule() {
        let replies = Replies::built_in();
        let explained = replies.explain(Said {
            provider: "united-internet",
            host: "mx00.kundenserver.de",
            stage: "connect",
            code: 421,
            text: "web.de Nemesis ESMTP Service not available\nToo many messages",
        });
        assert_eq!(explained.label, "rate_limited", "{explained:?}");
        assert!(!explained.means.is_empty() && !explained.steps.is_empty(), "{explained:?}");
        assert!(!explained.rule.is_empty());
    }

    #[test]
    fn a_provider_is_called_as_people_call_it_and_others_by_their_domain() {
        let replies = Replies::built_in();
        assert_ne!(replies.name_of("google"), "google");
        assert_eq!(replies.name_of("example.net"), "example.net");
        assert_eq!(replies.name_of("route:127.0.0.1:25"), "route:127.0.0.1:25");
    }
}
