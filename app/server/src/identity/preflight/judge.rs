//! What a provider would say of one message, as far as the DNS has been heard.

use postlane_checks::address::{Sender, address_checks, check_address_for};
use postlane_checks::message::Message;
use postlane_checks::{
    Arrived, Check, Client, Finding, Gate, GateVerdict, Known, Name, Session, check_answers,
    check_message_for, domain_checks, message_checks,
};
use postlane_mail::Instant;

/// A message as it is about to leave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving<'a> {
    pub(super) gate: Gate,
    pub(super) octets: &'a [u8],
    pub(super) now: Instant,
    pub(super) is_utf8: bool,
    pub(super) is_transactional: bool,
    /// None where our address is not known as others see it.
    pub(super) client: Option<Client<'a>>,
}

/// What was found, and what it comes to. None if answers are missing.
///
/// Block lists are asked by whoever watches them, as often as lists allow, and not for each look.
pub(super) fn judge(
    known: &mut Known,
    leaving: Leaving<'_>,
) -> Option<(GateVerdict, Vec<Finding>)> {
    let Leaving { gate, octets, now, is_utf8, is_transactional, client } = leaving;
    let wanted = |check: &Check| check.gates.contains(&gate) && !asks_a_list(check);
    let (message, session) = (Message::new(octets), Session::Unseen);
    let may_fetch = false;
    let arrived = Arrived { message, now, is_utf8, session, client, is_transactional, may_fetch };
    let of_message = check_message_for(known, &arrived, wanted);
    let of_address = match client {
        Some(Client { address, helo, .. }) => {
            let sender = Sender { address, helo: Some(helo), sends_for: None, may_call: false };
            check_address_for(known, sender, wanted)
        }
        None => Some(Vec::new()),
    };
    let (authentication, mut findings) = of_message?;
    let bounces_to = client.and_then(|client| client.mail_from.rsplit_once('@'));
    let bounces_to = bounces_to.and_then(|(_, host)| Name::parse(host).ok());
    let author = authentication.author.as_ref();
    let of_answers = check_answers(known, author, bounces_to.as_ref(), wanted);
    findings.extend(of_address?);
    findings.extend(of_answers?);
    let checks: Vec<&Check> =
        message_checks().chain(address_checks()).chain(domain_checks()).collect();
    Some((GateVerdict::of(gate, &checks, &findings), findings))
}

/// Checks of block lists, and the one that asks them whether an address changes hands.
fn asks_a_list(check: &Check) -> bool {
    check.id.starts_with("BL-") || check.id == "DNS-10"
}

#[cfg(test)]
mod tests {
    use postlane_checks::{Answer, Failure, Standing};

    use super::*;

    const MAIL: &str = "From: Shop <a@shop.example>\r\nTo: jo@gmx.net\r\nSubject: Your order\r\n\
        Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n";

    fn verdict(answer: &Answer) -> (Standing, Vec<&'static str>, Vec<String>) {
        let leaving = Leaving {
            gate: Gate::UnitedInternet,
            octets: MAIL.as_bytes(),
            now: Instant::from_unix_s(1_795_262_400),
            is_utf8: false,
            is_transactional: true,
            client: Some(Client {
                address: "192.0.2.25".parse().unwrap(),
                helo: "mail.shop.example",
                mail_from: "a@shop.example",
            }),
        };
        let mut known = Known::new();
        let mut asked = Vec::new();
        loop {
            if let Some((verdict, _)) = judge(&mut known, leaving) {
                return (verdict.standing, verdict.blocking, asked);
            }
            for question in known.take_missing() {
                asked.push(question.name.to_string());
                known.learn(question, answer.clone());
            }
        }
    }

    #[test]
    fn mail_without_a_signature_is_blocked_where_one_is_asked_for_and_no_list_is_asked() {
        let (standing, blocking, asked) = verdict(&Answer::NoName);
        assert_eq!(standing, Standing::Blocked);
        assert!(blocking.contains(&"IDN-05"), "{blocking:?}");
        // Nobody can answer a domain that does not exist.
        assert!(blocking.contains(&"IDN-01") && blocking.contains(&"IDN-02"), "{blocking:?}");
        let is_ours = |name: &&String| name.ends_with("example") || name.ends_with(".arpa");
        let elsewhere = asked.iter().find(|name| !is_ours(name));
        assert_eq!(elsewhere, None, "{asked:?}");
    }

    #[test]
    fn what_a_silent_dns_cannot_change_is_known_without_it() {
        let (standing, blocking, _) = verdict(&Answer::Failed(Failure::TimedOut));
        assert_eq!(standing, Standing::Blocked);
        assert!(blocking.contains(&"IDN-05"), "{blocking:?}");
    }
}
