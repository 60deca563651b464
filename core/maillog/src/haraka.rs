//! Haraka's log in its default format, level `info` or more: `time [LEVEL] [uuid] [outbound] …`.
//!
//! What became of a message names its file and not its recipients; these, or their domain, were
//! named before by lines with the same uuid: the outbound uuid is that of the incoming
//! transaction with a number behind. What was named lately is remembered in a table of fixed
//! size. A file's name tells when its message came and how often it was tried.

use postlane_mail::{Instant, Stage};

use crate::attempt::Outcome;
use crate::hash::hash;
use crate::record::{Record, Recorded, before, tried};
use crate::stamp::Clock;

/// Transactions whose recipient is remembered.
const PLACES: usize = 1 << 16;
/// The longest recipient or domain that is remembered, in octets (RFC 5321 §4.5.3.1).
const NAME_MAX: usize = 320;

/// Reads lines of Haraka's log.
#[derive(Debug)]
pub(crate) struct Haraka {
    /// Fingerprints of uuids and the recipient, or `@` and its domain.
    named: Vec<(u64, Box<str>)>,
}

impl Haraka {
    pub(crate) fn new() -> Self {
        let mut named = Vec::new();
        named.resize_with(PLACES, Default::default);
        Self { named }
    }

    /// What a line tells.
    pub(crate) fn read(&mut self, clock: &mut Clock, line: &[u8]) -> Recorded {
        let text = String::from_utf8_lossy(line);
        let Some((at, end)) = clock.read(line) else { return Recorded::Bad };
        let Some(line) = text.get(end..).and_then(Line::read) else { return Recorded::Bad };
        if line.plugin != "outbound" {
            if let Some(to) = line.says.strip_prefix("recipient <") {
                self.name(line.uuid, to.split('>').next().unwrap_or_default());
            }
            return Recorded::Nothing;
        }
        self.outbound(at, &line)
    }

    fn outbound(&mut self, at: Instant, line: &Line<'_>) -> Recorded {
        let says = line.says.trim_start();
        if says.starts_with("hook=get_mx ") {
            if let Some(domain) = value(says, " params=") {
                self.name_domain(line.uuid, domain);
            }
            return Recorded::Nothing;
        }
        let recipient = says.strip_prefix("recipient <").and_then(|rest| rest.split_once("> "));
        if let Some((to, what)) = recipient {
            self.name(line.uuid, to);
            let rejected = what.strip_prefix("rejected: ").map(|said| (said, Outcome::Bounced));
            return match rejected {
                Some((said, outcome)) => self.record(at, line, outcome, said, Some(Stage::Rcpt)),
                // `Temp failing` follows, for all recipients of the domain.
                None => Recorded::Nothing,
            };
        }
        if says.starts_with("delivered file=") {
            return self.delivered(at, line, says);
        }
        if let Some(rest) = says.strip_prefix("Temp failing ") {
            let (file, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let said = rest.split_once(": ").map_or("", |(_, said)| said);
            let said = said.strip_prefix("Upstream error: ").unwrap_or(said);
            let mut recorded = self.record(at, line, Outcome::Deferred, said, None);
            if let Recorded::Try(record) = &mut recorded {
                name_by_file(record, file);
            }
            return recorded;
        }
        if let Some(said) = says.strip_prefix("bouncing mail: ") {
            let said = said.strip_prefix("Some recipients failed: ").unwrap_or(said);
            let outcome = match said.strip_prefix("Too many failures (") {
                Some(_) => Outcome::Expired,
                None => Outcome::Bounced,
            };
            return self.record(at, line, outcome, said, None);
        }
        Recorded::Nothing
    }

    fn delivered(&mut self, at: Instant, line: &Line<'_>, says: &str) -> Recorded {
        let mut recorded = self.record(at, line, Outcome::Accepted, "", Some(Stage::Dot));
        if let Recorded::Try(record) = &mut recorded {
            let delay = value(says, " delay=").and_then(|text| text.parse::<f64>().ok());
            let delay_ms = delay.map(|seconds| (seconds.max(0.0) * 1e3) as u64);
            record.arrived = delay_ms.map(|ms| before(at, ms));
            let fails = value(says, " fails=").and_then(|text| text.parse().ok());
            record.tried_before = fails.map(tried);
            if let Some(host) = value(says, " host=").filter(|host| is_name(host)) {
                record.host = host.to_owned();
            }
            if let Some(domain) =
                value(says, " domain=").filter(|_| !record.recipient.contains('@'))
            {
                record.recipient = format!("@{domain}");
            }
            if let Some(taken) = value(says, " rcpts=").and_then(|counts| counts.split('/').next())
                && taken == "0"
            {
                return Recorded::Nothing;
            }
        }
        recorded
    }

    fn record(
        &self,
        at: Instant,
        line: &Line<'_>,
        outcome: Outcome,
        said: &str,
        stage: Option<Stage>,
    ) -> Recorded {
        let Some(name) = self.named(line.uuid) else { return Recorded::Nothing };
        let mut record = Record::new(at, outcome);
        record.id = line.uuid.to_owned();
        record.recipient = name.to_owned();
        record.said = said.to_owned();
        record.stage = stage;
        Recorded::Try(Box::new(record))
    }

    /// The recipient of a uuid, or of the one it came from.
    fn named(&self, uuid: &str) -> Option<&str> {
        let parent = uuid.rsplit_once('.').map(|(parent, _)| parent);
        [Some(uuid), parent].into_iter().flatten().find_map(|uuid| {
            let key = hash(7, uuid.as_bytes());
            let (known, name) = self.named.get(key as usize % PLACES)?;
            (*known == key && !name.is_empty()).then_some(&**name)
        })
    }

    fn name(&mut self, uuid: &str, recipient: &str) {
        if recipient.len() > NAME_MAX || recipient.is_empty() {
            return;
        }
        let key = hash(7, uuid.as_bytes());
        if let Some(place) = self.named.get_mut(key as usize % PLACES) {
            *place = (key, recipient.into());
        }
    }

    /// The domain is all that is known, unless a recipient of it was named before.
    fn name_domain(&mut self, uuid: &str, domain: &str) {
        let known = self.named(uuid);
        let is_of_it =
            known.and_then(|name| name.rsplit_once('@')).is_some_and(|(_, of)| of == domain);
        if !is_of_it {
            self.name(uuid, &format!("@{domain}"));
        }
    }
}

/// `[INFO] [uuid] [outbound] …`.
struct Line<'l> {
    uuid: &'l str,
    plugin: &'l str,
    says: &'l str,
}

impl<'l> Line<'l> {
    fn read(text: &'l str) -> Option<Self> {
        let (_, rest) = text.strip_prefix('[')?.split_once("] [")?;
        let (uuid, rest) = rest.split_once("] [")?;
        let (plugin, says) = rest.split_once("] ")?;
        Some(Self { uuid, plugin, says })
    }
}

/// Whether a line is of Haraka's log.
pub(crate) fn is_line(line: &[u8]) -> bool {
    const LEVELS: [&str; 7] = [
        "[INFO] [",
        "[NOTICE] [",
        "[WARN] [",
        "[ERROR] [",
        "[DEBUG] [",
        "[PROTOCOL] [",
        "[CRIT] [",
    ];
    let Some((_, end)) = Clock::new(1970).read(line) else { return false };
    let rest = line.get(end..).unwrap_or_default();
    LEVELS.iter().any(|level| rest.starts_with(level.as_bytes()))
}

/// The value behind a key; values with blanks are in quotes and not asked for here.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.split_once(key).map(|(_, rest)| rest.split(' ').next().unwrap_or_default())
}

/// A host that is not an address.
fn is_name(host: &str) -> bool {
    host.contains('.') && host.bytes().any(|octet| octet.is_ascii_alphabetic())
}

/// `ARRIVAL_NEXT_TRIES_PID_…`, times in milliseconds.
fn name_by_file(record: &mut Record, file: &str) {
    let mut parts = file.split('_');
    let arrived = parts.next().and_then(|ms| ms.parse::<u64>().ok());
    record.arrived = arrived.map(|ms| Instant(ms.saturating_mul(1_000)));
    record.tried_before = parts.nth(1).and_then(|tries| tries.parse().ok()).map(tried);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Tried;

    fn read(lines: &[&str]) -> Vec<String> {
        let (mut haraka, mut clock) = (Haraka::new(), Clock::new(2026));
        lines
            .iter()
            .filter_map(|line| match haraka.read(&mut clock, line.as_bytes()) {
                Recorded::Try(one) => Some(format!(
                    "{:?} {} {:?} {}",
                    one.outcome, one.recipient, one.tried_before, one.said
                )),
                Recorded::Nothing => None,
                Recorded::Bad => Some("bad".to_owned()),
            })
            .collect()
    }

    #[test]
    fn what_became_of_a_message_is_joined_with_its_recipient() {
        let read = read(&[
            "2026-11-21T18:04:25.489Z [NOTICE] [12274D77.39] [core] recipient <jo@gmx.de> code=OK msg=\"\"",
            "2026-11-21T18:04:25.492Z [INFO] [12274D77.39.1] [outbound]  hook=get_mx plugin=mx params=gmx.de retval=OK",
            "2026-11-21T18:04:25.493Z [INFO] [12274D77.39.1] [outbound] Temp failing 1795284265490_1795284265490_2_26764_2XlldC_77_vm for 15 seconds: Upstream error: 421 too many",
            "2026-11-21T18:05:25.493Z [NOTICE] [12274D77.39.1] [outbound]  delivered file=x domain=gmx.de host=mx00.emig.gmx.net ip=192.0.2.1 port=25 mode=SMTP tls=N auth=N response=\"Ok: queued\" delay=60.5 fails=1 rcpts=1/0/0",
            "2026-11-21T18:05:25.493Z [NOTICE] [-] [outbound]  delivered nothing",
        ]);
        assert_eq!(
            read,
            ["Deferred jo@gmx.de Some(Before) 421 too many", "Accepted jo@gmx.de Some(Before) "]
        );
        assert_eq!(tried(0), Tried::Never);
    }

    #[test]
    fn rubbish_is_bad() {
        assert_eq!(
            read(&["", "x", "2026-11-21T18:04:25.489Z hello", "2026-11-21T18:04:25Z [INFO] ["]),
            ["bad"; 4]
        );
    }
}
