//! What a smart host says, which sends on from an address of its own.

use postlane_mail::Reply;

use super::{Action, Diagnosis, Extent, Scope, Signal};
use crate::label::Label;

/// Words by which a relay quotes the host behind it: Postfix, Exim, Sendmail, Exchange.
const QUOTING: [&str; 5] = [
    " said: ",
    "remote mail server",
    "remote server returned",
    "while talking to",
    "the following response from",
];

impl Diagnosis {
    /// The same, where a smart host or an ESP said it: the receivers see its address and not ours.
    ///
    /// What it says of its own limits, of our address or of our account concerns the way to it. What
    /// it quotes another host with concerns this message: that host limits the relay, which has
    /// other ways, and other mail for the relay may go.
    #[must_use]
    pub fn by_smart_host(self, reply: &Reply) -> Self {
        let slows = matches!(
            self.signal,
            Signal::Rate
                | Signal::Conn
                | Signal::PerConn
                | Signal::Ambiguous
                | Signal::Outage
                | Signal::Policy
        );
        let is_sessions = matches!(self.extent, Extent::Session | Extent::Host);
        if slows && !is_sessions && quotes_another(reply.text()) {
            return self.heard_as(Signal::Temp, Scope::Message);
        }
        match (self.label, self.scope) {
            // An account's allowance is a limit as any other, and lasts until it is over.
            (Label::QuotaSender, _) if !self.is_guessed => {
                self.heard_as(Signal::Rate, Scope::Route)
            }
            (_, Scope::Source | Scope::Lane) => {
                let signal = self.signal;
                self.heard_as(signal, Scope::Route)
            }
            _ => self,
        }
    }

    fn heard_as(self, signal: Signal, scope: Scope) -> Self {
        let action = Action::of(self.label, signal, scope, self.persistence);
        Self { signal, scope, action, ..self }
    }
}

fn quotes_another(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    QUOTING.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Code, Stage};

    use super::*;

    fn said(label: Label, code: u16, text: &str) -> (Signal, Scope, Action) {
        let reply = Reply::new(Code::new(code).unwrap(), text);
        let diagnosis = Diagnosis::of_label(label, Stage::Rcpt, &reply).by_smart_host(&reply);
        (diagnosis.signal, diagnosis.scope, diagnosis.action)
    }

    #[test]
    fn its_own_limit_slows_the_route() {
        let slowed = (Signal::Rate, Scope::Route, Action::SlowLane);
        assert_eq!(said(Label::RateLimited, 451, "4.7.1 Slow down"), slowed);
        assert_eq!(said(Label::QuotaSender, 550, "5.4.5 Daily sending limit exceeded"), slowed);
    }

    #[test]
    fn what_it_thinks_of_our_address_stops_the_route_and_no_source() {
        let held = (Signal::Policy, Scope::Route, Action::HoldRoute);
        assert_eq!(said(Label::Blocklisted, 554, "5.7.1 Listed"), held);
    }

    #[test]
    fn a_recipients_problem_stays_the_recipients() {
        let waits = (Signal::Mailbox, Scope::Recipient, Action::RetryRecipient);
        assert_eq!(said(Label::MailboxFull, 452, "4.2.2 Mailbox full"), waits);
    }

    #[test]
    fn a_limit_it_quotes_from_behind_it_is_the_messages_affair() {
        let text = "4.0.0 host mx.web.de[192.0.2.1] said: 421 Too many messages";
        let waits = (Signal::Temp, Scope::Message, Action::Retry);
        assert_eq!(said(Label::RateLimited, 450, text), waits);
        // The session is its own, whatever it quotes.
        assert_eq!(said(Label::RateLimited, 421, text).0, Signal::Rate);
    }
}
