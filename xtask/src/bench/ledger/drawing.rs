//! A month of a sender's mail, drawn.

use postlane_ledger::{Entry, Kind, Sample};
use postlane_mail::{Chance, Code, Instant, QueueId, Span, Stage, Status, Stream};

/// How many days are drawn.
pub(super) const DAYS: u64 = 30;
/// When they end: 2026-11-01.
pub(super) const END: Instant = Instant::from_unix_s(1_793_491_200);

/// Providers, and how much of the mail is theirs, in thousandths.
const PROVIDERS: [(&str, &str, u64); 12] = [
    ("gmail", "gmail.com", 300),
    ("united-internet", "web.de", 170),
    ("microsoft", "outlook.com", 140),
    ("t-online", "t-online.de", 70),
    ("yahoo", "yahoo.com", 60),
    ("apple", "icloud.com", 50),
    ("freenet", "freenet.de", 25),
    ("aol", "aol.com", 20),
    ("orange", "orange.fr", 20),
    ("libero", "libero.it", 15),
    ("mailbox-org", "mailbox.org", 10),
    ("", "", 120),
];
const TENANTS: [&str; 6] = ["shop", "news", "bank", "forum", "travel", "club"];
const REPLIES: [(u16, &str, &str, &str); 6] = [
    (421, "4.7.0 Too many messages, reduce the sending rate", "rate", "rate-421"),
    (450, "4.2.1 Mailbox temporarily deferred, try again", "greylist", "greylist-450"),
    (452, "4.2.2 Mailbox full", "mailbox-full", "full-452"),
    (550, "5.1.1 No such user here", "no-such-user", "unknown-550"),
    (
        554,
        "5.7.1 Refused for policy reasons, see https://postmaster.example/x",
        "policy",
        "policy-554",
    ),
    (250, "2.0.0 OK queued as", "accepted", "ok-250"),
];

/// An address that gets mail all month.
pub(super) fn somebody() -> String {
    "user-17@web.de".to_owned()
}

/// Entries that look drawn and are the same every time.
pub(super) struct Drawing {
    chance: Chance,
    messages: u64,
}

impl Drawing {
    pub(super) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), messages: 0 }
    }

    /// The beginning of an hour.
    pub(super) fn start(&self, hour: u64) -> Instant {
        Instant(END.0 - Span::from_h(24 * DAYS).0 + Span::from_h(hour).0)
    }

    /// The entries of one hour, of about `events` in all of them.
    pub(super) fn hour(&mut self, hour: u64, events: u64) -> Vec<Entry> {
        // At night half as much, in the morning half as much again.
        let tenths = match hour % 24 {
            0..6 => 5,
            8..14 => 15,
            6..8 | 14..20 => 12,
            _ => 9,
        };
        let sum = 6 * 5 + 6 * 15 + 8 * 12 + 4 * 9;
        let n = events * tenths / (DAYS * sum);
        let start = self.start(hour);
        let mut moments: Vec<u64> = (0..n).map(|_| self.below(3_600_000_000)).collect();
        moments.sort_unstable();
        moments.into_iter().map(|us| self.entry(Instant(start.0 + us))).collect()
    }

    fn entry(&mut self, at: Instant) -> Entry {
        let (kind, reply) = match self.below(1_000) {
            0..400 => (Kind::Accepted, None),
            400..860 => (Kind::Delivered, Some(REPLIES[5])),
            860..975 => (Kind::Deferred, Some(REPLIES[self.below(3) as usize])),
            975..995 => (Kind::Bounced, Some(REPLIES[3 + self.below(2) as usize])),
            995..998 => (Kind::ConnectFailed, None),
            998 => (Kind::Lane, None),
            _ if self.below(40) == 0 => (Kind::Complaint, None),
            _ => (Kind::SessionLost, None),
        };
        let mut entry = Entry::new(kind, at);
        let (provider, domain) = self.provider();
        entry.provider = provider.into();
        if kind != Kind::Accepted {
            let source = self.skewed(4);
            entry.source = ["a", "b", "c", "d"][source as usize].into();
            entry.source_ip = Some([192, 0, 2, source as u8 + 1].into());
            entry.ehlo = format!("out{source}.example.com").into();
            entry.mx_host = match provider {
                "" => format!("mx.{domain}"),
                _ => format!("mx{}.{domain}", self.below(4)),
            }
            .into();
            entry.mx_ip = Some([198, 51, 100, self.below(20) as u8].into());
            entry.tls = "TLSv1.3".into();
            entry.connect_ms = Some(10 + self.below(80) as u32);
        }
        if !matches!(kind, Kind::Lane | Kind::ConnectFailed | Kind::SessionLost) {
            self.message(&mut entry, domain);
        }
        if let Some((code, text, label, rule)) = reply {
            self.attempt(&mut entry, code, text);
            (entry.label, entry.rule) = (label.into(), rule.into());
        }
        entry
    }

    fn message(&mut self, entry: &mut Entry, domain: String) {
        self.messages += 1;
        let tenant = TENANTS[self.skewed(6) as usize];
        let day = (entry.at.0 - self.start(0).0) / 86_400_000_000;
        entry.tenant = tenant.into();
        entry.campaign = format!("{tenant}-{}", day / 3).into();
        entry.stream = Some(Stream::ALL[self.skewed(3) as usize]);
        entry.id = Some(QueueId::from_bits((entry.at.0 << 8) | 3));
        entry.recipient_index = Some(0);
        entry.message_id = format!("<{}@example.com>", self.messages).into();
        entry.sender = format!("bounce+{}@example.com", entry.campaign).into();
        let user = self.skewed(2_000_000);
        entry.recipient = format!("user-{user}@{domain}").into();
        entry.domain = domain.into();
        entry.octets = Some(2_000 + self.below(60_000));
    }

    fn attempt(&mut self, entry: &mut Entry, code: u16, text: &str) {
        let retry =
            if entry.kind == Kind::Delivered { self.below(12) == 0 } else { self.below(3) > 0 };
        entry.attempt = Some(if retry { 2 + self.below(9) as u32 } else { 1 });
        entry.stage = Some(if code == 550 { Stage::Rcpt } else { Stage::Dot });
        entry.code = Code::new(code);
        entry.status = text.split(' ').next().and_then(Status::parse);
        // Receivers like to put an id of their own behind it.
        entry.reply = format!("{text} {:x}", self.chance.draw() >> 24).into();
        entry.took_ms = Some(60 + self.below(900) as u32);
        entry.delay_ms =
            Some(if retry { 300_000 + self.below(80_000_000) } else { self.below(4_000) });
        if code != 250 && self.below(50) == 0 {
            entry.sample = Some(Box::new(Sample {
                transcript: format!("C: RCPT TO:<{}>\nS: {code} {text}", entry.recipient).into(),
                headers: format!("Message-ID: {}\nSubject: hello\n", entry.message_id).into(),
            }));
        }
    }

    fn provider(&mut self) -> (&'static str, String) {
        let mut drawn = self.below(1_000);
        for (provider, domain, share) in PROVIDERS {
            if drawn < share && !provider.is_empty() {
                return (provider, domain.to_owned());
            }
            drawn = drawn.saturating_sub(share);
        }
        ("", format!("domain-{}.example", self.skewed(10_000)))
    }

    /// Below `n`, small numbers much more often.
    fn skewed(&mut self, n: u64) -> u64 {
        let part = self.below(1_000_000) as f64 / 1e6;
        ((part * part * part * n as f64) as u64).min(n - 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.chance.draw() % n
    }
}
