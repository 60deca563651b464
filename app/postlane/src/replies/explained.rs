//! What a reply means, whom it concerns, what is done about it and what one can do: as a
//! postmaster tells it, in the words of the rule that knew.

use clap::ValueEnum;
use postlane_mail::{Reply, Span};
use postlane_replies::{
    Advice, Diagnosis, Fields, Hint, Label, Persistence, PostmasterPage, Rule, Scope, Scratch,
    status_of,
};
use serde::Serialize;
use serde_json::Value;

use super::asked::{Known, Speaker};

/// To whom it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Audience {
    /// Who runs the sending server
    Operator,
    /// Who sends mail, and does not run the server
    Sender,
}

/// All that can be told of one reply. The names are those of the JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Explained {
    /// The reply on one line.
    pub(crate) reply: String,
    /// The code; `None` where the text had none, and it was judged as temporary, or as permanent
    /// if its enhanced status says so.
    pub(crate) code: Option<u16>,
    pub(crate) status: Option<String>,
    pub(crate) stage: Option<&'static str>,
    /// The provider's id.
    pub(crate) provider: Option<String>,
    /// Its name as people write it.
    pub(crate) provider_name: Option<String>,
    pub(crate) mx: Option<String>,
    pub(crate) label: &'static str,
    pub(crate) family: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) persistence: &'static str,
    pub(crate) signal: &'static str,
    pub(crate) action: &'static str,
    pub(crate) wait_s: Option<u64>,
    /// Whether the wait was said in figures (`in 5 minutes`), and not in words (`a few hours`)
    /// or by the rule.
    pub(crate) wait_exact: bool,
    pub(crate) window_s: Option<u64>,
    pub(crate) quota: Option<QuotaSaid>,
    /// The rule that decided.
    pub(crate) rule: Option<String>,
    /// The words by which it was guessed, the strongest first, where no rule was sure of it.
    pub(crate) because: Vec<String>,
    /// What stands in the reply beside its prose: addresses, links, codes, lists.
    pub(crate) fields: Value,
    /// How sure the rule is of itself.
    pub(crate) rank: Option<&'static str>,
    /// Where the rule was read.
    pub(crate) source: Option<String>,
    /// When.
    pub(crate) seen: Option<String>,
    pub(crate) confidence: f32,
    /// To whom the steps are told.
    #[serde(rename = "for")]
    pub(crate) audience: &'static str,
    /// What it means, in a sentence.
    pub(crate) means: String,
    /// Who must wait.
    pub(crate) concerns: &'static str,
    /// What Postlane does.
    pub(crate) does: &'static str,
    /// What one can do, one after the other.
    pub(crate) steps: Vec<String>,
    /// Where the provider explains itself.
    pub(crate) postmaster: Vec<Page>,
    /// What replies like this have in common; told where no rule has words for it.
    pub(crate) cluster: Option<String>,
}

/// Where a provider explains itself.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Page {
    pub(crate) url: String,
    /// Where the URL was read.
    pub(crate) source: String,
}

/// How many the other side lets through.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct QuotaSaid {
    pub(crate) count: u32,
    pub(crate) of: &'static str,
}

impl From<&PostmasterPage> for Page {
    fn from(page: &PostmasterPage) -> Self {
        Self { url: page.url.to_string(), source: page.source.to_string() }
    }
}

impl Known {
    /// All that can be told of a reply.
    pub(crate) fn explain(
        &self,
        scratch: &mut Scratch,
        reply: &Reply,
        speaker: &Speaker,
        audience: Audience,
    ) -> Explained {
        let diagnosis = self.book.diagnose(scratch, speaker.heard(reply));
        let rule = diagnosis.rule.as_ref().and_then(|name| self.rule(name.as_str()));
        let hint = Hint::find(reply.text());
        let provider = diagnosis.provider.clone().or_else(|| self.lane(speaker));
        let known = provider.as_ref().and_then(|id| self.providers.named(id.as_str()));
        let said = hint.wait.map(|wait| wait.span);
        Explained {
            reply: reply.to_string(),
            code: Some(reply.code().number()),
            status: status_of(reply).map(|status| status.to_string()),
            stage: speaker.stage.map(postlane_mail::Stage::as_str),
            provider: provider.as_ref().map(ToString::to_string),
            provider_name: known.map(|known| known.name.to_string()),
            mx: speaker.mx.clone(),
            label: diagnosis.label.name(),
            family: diagnosis.label.family().name(),
            scope: diagnosis.scope.name(),
            persistence: diagnosis.persistence.name(),
            signal: diagnosis.signal.name(),
            action: diagnosis.action.name(),
            wait_s: wait(&diagnosis, said).map(Span::as_s),
            wait_exact: hint.wait.is_some_and(|wait| wait.exact),
            window_s: hint.window.map(Span::as_s),
            quota: hint.quota.map(|quota| QuotaSaid { count: quota.count, of: quota.of.name() }),
            rule: diagnosis.rule.as_ref().map(ToString::to_string),
            because: self.because(reply, &diagnosis),
            fields: serde_json::to_value(Fields::find(reply.text())).unwrap_or_default(),
            rank: rule.map(|rule| rule.rank().name()),
            source: rule.map(|rule| rule.origin().source.to_string()),
            seen: rule.map(|rule| rule.origin().seen.to_string()),
            confidence: diagnosis.confidence.share(),
            audience: audience.name(),
            means: self.means(&diagnosis, rule),
            concerns: concerns(diagnosis.scope, diagnosis.label),
            does: diagnosis.action.says(),
            steps: self.steps(&diagnosis, rule, audience),
            postmaster: known
                .map_or_else(Vec::new, |known| known.postmaster.iter().map(Page::from).collect()),
            cluster: diagnosis.is_unclassified().then(|| postlane_replies::cluster_of(reply)),
        }
    }

    /// The words by which a reply was guessed; none where it was not.
    fn because(&self, reply: &Reply, diagnosis: &Diagnosis) -> Vec<String> {
        let guessed = self.book.classifier().filter(|_| diagnosis.is_guessed);
        guessed.map_or_else(Vec::new, |classifier| classifier.because(reply, diagnosis.label))
    }

    /// The rule with this name.
    pub(crate) fn rule(&self, name: &str) -> Option<&Rule> {
        self.book.rules().iter().find(|rule| rule.name().as_str() == name)
    }

    /// What a diagnosis means, in the rule's words, the provider's or the label's.
    pub(crate) fn means(&self, diagnosis: &Diagnosis, rule: Option<&Rule>) -> String {
        let advices = self.advices(diagnosis, rule);
        let said = advices.into_iter().flatten().map(|advice| &*advice.means);
        said.filter(|means| !means.is_empty()).map(str::to_owned).next().unwrap_or_default()
    }

    fn steps(&self, of: &Diagnosis, rule: Option<&Rule>, audience: Audience) -> Vec<String> {
        let steps = |advice: &Advice| match audience {
            Audience::Operator => advice.operator.iter().map(ToString::to_string).collect(),
            Audience::Sender => advice.sender.iter().map(ToString::to_string).collect(),
        };
        let advices = self.advices(of, rule).into_iter().flatten();
        advices.map(steps).find(|steps: &Vec<String>| !steps.is_empty()).unwrap_or_default()
    }

    /// What people are told, the closest to the reply first.
    fn advices<'k>(&'k self, of: &Diagnosis, rule: Option<&'k Rule>) -> [Option<&'k Advice>; 3] {
        let provider = of.provider.as_ref().map(postlane_replies::ProviderId::as_str);
        [
            rule.map(Rule::advice),
            provider.and_then(|provider| self.book.advice_of(provider, of.label)),
            Some(self.meanings.of(of.label)),
        ]
    }
}

impl Explained {
    /// The same of a text that had no code.
    pub(crate) fn without_code(self, text: &str) -> Self {
        let reply = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { reply, code: None, ..self }
    }
}

impl Audience {
    fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Sender => "sender",
        }
    }
}

/// How long to wait: what the reply says, else the rule; nothing where waiting does not help.
fn wait(diagnosis: &Diagnosis, said: Option<Span>) -> Option<Span> {
    let waits = !matches!(diagnosis.persistence, Persistence::Success | Persistence::Permanent);
    said.or(diagnosis.usual_wait).filter(|_| waits)
}

/// Whom it concerns, for people.
fn concerns(scope: Scope, label: Label) -> &'static str {
    if label == Label::Accepted {
        return "nobody: it was done";
    }
    match scope {
        Scope::Recipient => "this recipient, and nobody else",
        Scope::Message => "this message, whoever gets it",
        Scope::Session => "this connection; another may do",
        Scope::Host => "this host; another of the provider may do",
        Scope::Source => "the address you send from, for all mail to this provider",
        Scope::SendingDomain => "the domain you send for, from any of your addresses",
        Scope::Route => "the way to the recipient's domain, and all mail that goes it",
        Scope::Lane => "the lane: all mail from this address of yours to this provider",
    }
}
