//! Postfix's log: what its delivery agents, queue manager and error service say of recipients.
//!
//! One line a recipient and try, `QID: to=<…>, relay=…, delay=…, status=… (…)`. A line of the
//! error service with `delivery temporarily suspended` is no try: Postfix has given the
//! destination a rest, and the host heard nothing. Deliveries to programs, mailboxes and LMTP
//! servers concern no provider and are left out.

use memchr::memmem::{self, Finder};
use postlane_mail::{Span, Stage};

use crate::attempt::{Attempt, Outcome, Said, Source, Told, Tried};
use crate::stamp::Clock;
use crate::syslog::{Line, cut};

/// A recipient that has waited so long before the queue manager has been tried before:
/// `minimal_backoff_time` is five minutes (postconf(5)); in seconds.
const WAITED_S: u64 = 300;

/// Reads lines of Postfix's log.
#[derive(Debug)]
pub(crate) struct Postfix {
    status: Finder<'static>,
    relay: Finder<'static>,
    expired: Finder<'static>,
}

impl Postfix {
    pub(crate) fn new() -> Self {
        Self {
            status: Finder::new(b", status="),
            relay: Finder::new(b", relay="),
            expired: Finder::new(b", status=expired"),
        }
    }

    /// What a line tells.
    pub(crate) fn read<'l>(&self, clock: &mut Clock, line: &'l [u8]) -> Told<'l> {
        let Some(line) = Line::read(line) else { return Told::Bad };
        let (instance, service) = match memchr::memrchr(b'/', line.program) {
            Some(at) => (&line.program[..at], &line.program[at + 1..]),
            None => (&line.program[..0], line.program),
        };
        let source = Source { machine: line.machine, instance };
        match service {
            b"smtp" => self.delivery(clock, &line, source),
            b"error" | b"retry" => self.suspended(clock, &line, source),
            b"qmgr" | b"nqmgr" | b"oqmgr" => self.queue(clock, &line, source),
            b"cleanup" => named(&line, source),
            _ => Told::Nothing,
        }
    }

    fn delivery<'l>(&self, clock: &mut Clock, line: &Line<'l>, source: Source<'l>) -> Told<'l> {
        let Some((id, rest)) = queue_id(line.says) else { return Told::Nothing };
        if let Some(rest) = rest.strip_prefix(b"to=<") {
            let Some((at, _)) = clock.read(line.stamped) else { return Told::Bad };
            let Some(delivery) = self.fields(rest) else { return Told::Bad };
            let Some(outcome) = delivery.outcome() else { return Told::Nothing };
            let (said, stage) = said(delivery.why);
            let is_unheard = outcome == Outcome::Deferred && matches!(said, Said::Own(_));
            let outcome = if is_unheard { Outcome::Unreached } else { outcome };
            let arrived = delivery.delay.map(|delay| at - delay);
            return Told::Attempt(Attempt {
                at,
                source,
                id,
                recipient: delivery.recipient,
                host: delivery.host,
                stage,
                outcome,
                said,
                arrived,
                tried_before: delivery.tried_before,
            });
        }
        match rest.strip_prefix(b"host ").and_then(turned_away) {
            Some((host, reply, stage)) => match clock.read(line.stamped) {
                Some((at, _)) => Told::HostRefused { at, source, host, reply, stage },
                None => Told::Bad,
            },
            None => Told::Nothing,
        }
    }

    /// A line of the error or retry service: the destination rests, or its transport is an error.
    fn suspended<'l>(&self, clock: &mut Clock, line: &Line<'l>, source: Source<'l>) -> Told<'l> {
        let Some((id, rest)) = queue_id(line.says) else { return Told::Nothing };
        let Some(rest) = rest.strip_prefix(b"to=<") else { return Told::Nothing };
        let Some((at, _)) = clock.read(line.stamped) else { return Told::Bad };
        let Some(delivery) = self.fields(rest) else { return Told::Bad };
        let outcome = match delivery.outcome() {
            Some(Outcome::Deferred) => Outcome::NotTried,
            Some(Outcome::Bounced) => Outcome::Bounced,
            _ => return Told::Nothing,
        };
        let why = delivery.why;
        let why = why.strip_prefix(b"delivery temporarily suspended: ").unwrap_or(why);
        let (said, stage) = said(why);
        Told::Attempt(Attempt {
            at,
            source,
            id,
            recipient: delivery.recipient,
            host: host_in(why),
            stage,
            outcome,
            said,
            arrived: delivery.delay.map(|delay| at - delay),
            tried_before: delivery.tried_before,
        })
    }

    fn queue<'l>(&self, clock: &mut Clock, line: &Line<'l>, source: Source<'l>) -> Told<'l> {
        let Some((id, rest)) = queue_id(line.says) else { return Told::Nothing };
        if rest == b"removed" {
            return Told::Removed { source, id };
        }
        // Nearly all others end in `(queue active)`.
        if rest.ends_with(b")") || self.expired.find(rest).is_none() {
            let sender = rest.strip_prefix(b"from=<").and_then(|rest| cut(rest, b'>'));
            let Some((sender, _)) = sender else { return Told::Nothing };
            return Told::Named { source, id, sender: Some(sender), message_id: None };
        }
        match clock.read(line.stamped) {
            Some((at, _)) => Told::Expired { at, source, id },
            None => Told::Bad,
        }
    }

    /// The fields behind `to=<`.
    fn fields<'l>(&self, text: &'l [u8]) -> Option<Delivery<'l>> {
        let relay = self.relay.find(text)?;
        let recipient = text.get(..memmem::find(text.get(..relay + 2)?, b">, ")?)?;
        let text = text.get(relay + 8..)?;
        let status = self.status.find(text)?;
        let (head, tail) = (text.get(..status)?, text.get(status + 9..)?);
        let (word, why) = cut(tail, b' ').unwrap_or((tail, b""));
        let why = why.strip_prefix(b"(").unwrap_or(why);
        let why = why.strip_suffix(b")").unwrap_or(why);
        let (relay, rest) = cut(head, b',').unwrap_or((head, b""));
        let host = relay.get(..memchr::memchr(b'[', relay).unwrap_or(relay.len()))?;
        let host = if host == b"none" { b"" } else { host };
        let delay = number_of(rest, b" delay=");
        let before = number_of(rest, b" delays=");
        let tried_before = before
            .map(|waited| if waited.as_s() < WAITED_S { Tried::Never } else { Tried::Before });
        Some(Delivery { recipient, host, delay, tried_before, word, why })
    }
}

/// A line of the cleanup service, which reads the header.
fn named<'l>(line: &Line<'l>, source: Source<'l>) -> Told<'l> {
    match queue_id(line.says) {
        Some((id, rest)) => match rest.strip_prefix(b"message-id=") {
            Some(message_id) => {
                Told::Named { source, id, sender: None, message_id: Some(message_id) }
            }
            None => Told::Nothing,
        },
        None => Told::Nothing,
    }
}

/// The fields of a delivery's line.
struct Delivery<'l> {
    recipient: &'l [u8],
    host: &'l [u8],
    delay: Option<Span>,
    tried_before: Option<Tried>,
    word: &'l [u8],
    why: &'l [u8],
}

impl Delivery<'_> {
    /// What came of it; `None` for address probes.
    fn outcome(&self) -> Option<Outcome> {
        match self.word {
            b"sent" => Some(Outcome::Accepted),
            b"deferred" | b"SOFTBOUNCE" => Some(Outcome::Deferred),
            b"bounced" => Some(Outcome::Bounced),
            b"expired" => Some(Outcome::Expired),
            _ => None,
        }
    }
}

/// The queue id at the beginning, short (hexadecimal) or long, and what is behind it.
fn queue_id(says: &[u8]) -> Option<(&[u8], &[u8])> {
    /// The longest, in octets; long ids have 11 to 16.
    const ID_MAX: usize = 24;
    let end = says.iter().take(ID_MAX).position(|octet| !octet.is_ascii_alphanumeric())?;
    let rest = says.get(end..)?.strip_prefix(b": ")?;
    (end >= 5).then_some((says.get(..end)?, rest))
}

/// A number of seconds with a fraction behind a name.
fn number_of(text: &[u8], name: &[u8]) -> Option<Span> {
    let from = memmem::find(text, name)? + name.len();
    let (mut micros, mut scale) = (0_u64, 0_u64);
    for octet in text.get(from..)?.iter().take(20) {
        match octet {
            b'0'..=b'9' if scale == 0 => {
                micros =
                    micros.saturating_mul(10).saturating_add(u64::from(octet - b'0') * 1_000_000);
            }
            b'0'..=b'9' => {
                micros = micros.saturating_add(u64::from(octet - b'0') * scale);
                scale /= 10;
                if scale == 0 {
                    break;
                }
            }
            b'.' => scale = 100_000,
            _ => break,
        }
    }
    Some(Span(micros))
}

/// What is in the brackets of a status: a host's reply, or Postfix's own words.
fn said(why: &[u8]) -> (Said<'_>, Option<Stage>) {
    if is_code(why) {
        return (Said::Reply(why), None);
    }
    if let Some((_, reply, stage)) = why.strip_prefix(b"host ").and_then(turned_away) {
        return (Said::Reply(reply), stage);
    }
    (Said::Own(why), while_sending(why))
}

/// Whether a reply begins here.
fn is_code(text: &[u8]) -> bool {
    matches!(text, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..])
}

/// The host, its reply and what it answered: `mx[…] said: … (in reply to RCPT TO command)`,
/// `mx[…] refused to talk to me: …`.
fn turned_away(text: &[u8]) -> Option<(&[u8], &[u8], Option<Stage>)> {
    let host = text.get(..memchr::memchr2(b'[', b' ', text)?)?;
    let (_, behind) = cut(text, b' ')?;
    if let Some(reply) = behind.strip_prefix(b"refused to talk to me: ") {
        return Some((host, reply, Some(Stage::Connect)));
    }
    let said = behind.strip_prefix(b"said: ")?;
    match memmem::rfind(said, b" (in reply to ") {
        Some(at) => Some((host, said.get(..at)?, answered(said.get(at + 14..)?))),
        None => Some((host, said, None)),
    }
}

/// The stage that Postfix names: `RCPT TO command`, `end of DATA command`.
fn answered(command: &[u8]) -> Option<Stage> {
    const STAGES: [(&[u8], Stage); 10] = [
        (b"RCPT", Stage::Rcpt),
        (b"end of DATA", Stage::Dot),
        (b"MAIL", Stage::Mail),
        (b"DATA", Stage::Data),
        (b"EHLO", Stage::Ehlo),
        (b"HELO", Stage::Ehlo),
        (b"initial", Stage::Connect),
        (b"STARTTLS", Stage::StartTls),
        (b"AUTH", Stage::Auth),
        (b"QUIT", Stage::Quit),
    ];
    STAGES.iter().find(|(name, _)| command.starts_with(name)).map(|(_, stage)| *stage)
}

/// `lost connection with mx[…] while sending RCPT TO`, `… while receiving the initial server
/// greeting`.
fn while_sending(why: &[u8]) -> Option<Stage> {
    const STAGES: [(&[u8], Stage); 7] = [
        (b"RCPT TO", Stage::Rcpt),
        (b"end of data", Stage::Dot),
        (b"MAIL FROM", Stage::Mail),
        (b"DATA command", Stage::Data),
        (b"message body", Stage::Dot),
        (b"HELO", Stage::Ehlo),
        (b"the initial server greeting", Stage::Connect),
    ];
    if why.starts_with(b"connect to ") {
        return Some(Stage::Connect);
    }
    let command = why.get(memmem::find(why, b" while ")? + 7..)?;
    let (_, command) = cut(command, b' ')?;
    let is_of = |(name, _): &&(&[u8], Stage)| command.starts_with(name);
    STAGES.iter().find(is_of).map(|(_, stage)| *stage)
}

/// The host in Postfix's words for a destination at rest.
fn host_in(why: &[u8]) -> &[u8] {
    const BEFORE: [&[u8]; 4] =
        [b"host ", b"connect to ", b"lost connection with ", b"conversation with "];
    let rest = BEFORE.iter().find_map(|mark| why.strip_prefix(*mark)).unwrap_or_default();
    rest.get(..memchr::memchr2(b'[', b' ', rest).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
