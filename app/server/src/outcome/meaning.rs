//! What a bounce that came back means, by the rules that replies are read by.

use parking_lot::Mutex;
use postlane_mail::{Code, Domain, Reply, Status};
use postlane_message::{Action, Bounced};
use postlane_replies::{Diagnosis, Heard, Providers, RuleBook, Scratch, read_reply};

/// Gives bounces their meaning; whoever spoke is looked for among the known providers.
#[derive(Debug)]
pub struct Meanings {
    providers: Providers,
    scratch: Mutex<Scratch>,
}

impl Meanings {
    /// By the table of providers that comes with the program.
    pub fn built_in() -> Self {
        Self { providers: Providers::built_in(), scratch: Mutex::default() }
    }

    /// What a bounce means; none of what is no bounce, and where nothing was said at all.
    ///
    /// The provider is the one of the host that spoke, else of the recipient's domain.
    pub fn of(&self, bounced: &Bounced, book: &RuleBook) -> Option<Diagnosis> {
        let reply = reply_of(bounced)?;
        let host = bounced.remote_mta.as_deref();
        let domain = host.and_then(|host| Domain::parse(host).ok());
        let of_host = domain.as_ref().and_then(|domain| self.providers.at(domain));
        let of_domain = || {
            let mailbox = bounced.mailbox()?;
            self.providers.at(mailbox.domain()?)
        };
        let provider = of_host.or_else(of_domain).map(|provider| provider.id.as_str());
        // Which command was answered no bounce tells reliably.
        let mx = host.filter(|_| domain.is_some());
        let heard = Heard { reply: &reply, stage: None, provider, mx };
        Some(book.diagnose(&mut self.scratch.lock(), heard))
    }
}

/// What was said as a reply: as it was quoted, else as the report's words and numbers have it.
pub(crate) fn reply_of(bounced: &Bounced) -> Option<Reply> {
    if !bounced.kind.is_bounce() {
        return None;
    }
    if let Some(reply) = bounced.reply_text().and_then(read_reply) {
        return Some(with_status(reply, bounced.status));
    }
    let class = bounced.status.map(|status| status.class);
    let code = match (bounced.code, bounced.action?) {
        (Some(code), _) => code,
        (None, Action::Delivered | Action::Relayed | Action::Expanded) => Code::new(250)?,
        (None, Action::Delayed) => Code::new(450)?,
        (None, Action::Failed) if class == Some(4) => Code::new(450)?,
        (None, Action::Failed) => Code::new(550)?,
    };
    let words = bounced.diagnostic.as_deref().unwrap_or_default();
    if words.is_empty() && bounced.status.is_none() && !code.is_success() {
        return None;
    }
    Some(with_status(Reply::new(code, words), bounced.status))
}

/// The reply with the report's status in front, where it has none of its own.
fn with_status(reply: Reply, status: Option<Status>) -> Reply {
    let class = |status: &Status| u16::from(status.class) == reply.code().number() / 100;
    let Some(status) = status.filter(class).filter(|_| reply.status().is_none()) else {
        return reply;
    };
    Reply::new(reply.code(), format!("{status} {}", reply.text()).trim_end())
}

#[cfg(test)]
mod tests {
    use postlane_message::read_bounces;

    use super::*;

    fn label(fields: &str) -> Option<&'static str> {
        let message = format!(
            "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; jo@gmail.com\n{fields}\n"
        );
        let meanings = Meanings::built_in();
        let book = RuleBook::built_in(&meanings.providers);
        let bounced = read_bounces(message.as_bytes());
        meanings.of(&bounced[0], &book).map(|meaning| meaning.label.name())
    }

    #[test]
    fn a_bounce_means_what_the_reply_in_it_means() {
        let gone = "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; host gmail-smtp-in.l.google.com \
                    said: 550-5.1.1 The email account that you tried to reach does not exist.";
        assert_eq!(label(gone), Some("no_such_user"));
        assert_eq!(label("Action: failed\nStatus: 5.2.2"), Some("mailbox_full"));
        assert_eq!(label("Action: delivered\nStatus: 2.0.0"), Some("accepted"));
        assert_eq!(label("Action: failed"), None);
    }
}
