//! What servers beside the resolver have said, in the same file.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::{
    Authority, FetchFailure, Fetched, Greeting, Known, Mailbox, Name, Page, Served, Taken, Verb,
};
use postlane_mail::Span;
use serde::{Deserialize, Serialize};

/// A server with what it said.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line {
    Page(PageLine),
    Authority(AuthorityLine),
    Greeting(GreetingLine),
    Mailbox(MailboxLine),
}

/// A page; its octets stand in base 64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageLine {
    page: String,
    octets_max: usize,
    /// It was not fetched: somebody was taken off a list there (RFC 8058).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_click: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    media_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    location: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

/// Why there is no page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Why {
    NoAddress,
    Undetermined,
    Private,
    Connect(String),
    Certificate(String),
    TimedOut,
    TooLarge,
    Malformed(String),
    NotRecorded,
}

/// What a name server itself said.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorityLine {
    zone: String,
    server: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    /// Why there is no serial; empty for a server that does not know the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What an exchanger said of a mailbox.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailboxLine {
    asked: String,
    mailbox: String,
    /// `yes`, `no` or `open`.
    taken: String,
    says: String,
}

/// How an exchanger greeted; certificates stand in base 64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GreetingLine {
    exchanger: String,
    /// `encrypted`, `plain`, `broken` or `failed`.
    greeting: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distrust: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

/// Why what was not recorded is not known.
pub(crate) const WHY: &str = "the recorded answers do not have it";

/// Whom the DNS is not is neither called nor fetched from, for this reason.
pub fn leave_open(known: &mut Known, why: &str) {
    for page in known.take_missing_pages() {
        known.learn_page(page, Fetched::Failed(FetchFailure::NotRecorded));
    }
    for authority in known.take_missing_authorities() {
        known.learn_authority(authority, Served::Failed(why.into()));
    }
    for exchanger in known.take_missing_greetings() {
        known.learn_greeting(exchanger, Greeting::Failed(why.into()));
    }
    for mailbox in known.take_missing_mailboxes() {
        known.learn_mailbox(mailbox, Taken::Open(why.into()));
    }
}

impl Line {
    /// Everything that is known.
    pub(crate) fn all(known: &Known) -> Vec<Self> {
        let pages = known.pages().map(|(page, fetched)| {
            let took_ms = known.page_took(page).map(Span::as_ms);
            Self::Page(PageLine { took_ms, ..PageLine::of(page, fetched) })
        });
        let mailboxes = known
            .mailboxes()
            .map(|(mailbox, taken)| Self::Mailbox(MailboxLine::of(mailbox, taken)));
        let authorities = known
            .authorities()
            .map(|(authority, served)| Self::Authority(AuthorityLine::of(authority, served)));
        let greetings = known
            .greetings()
            .map(|(host, greeting)| Self::Greeting(GreetingLine::of(host, greeting)));
        pages.chain(authorities).chain(greetings).chain(mailboxes).collect()
    }

    /// Whose words it has.
    pub(crate) fn whose(&self) -> &str {
        match self {
            Self::Page(line) => &line.page,
            Self::Authority(line) => &line.zone,
            Self::Greeting(line) => &line.exchanger,
            Self::Mailbox(line) => &line.mailbox,
        }
    }

    /// Takes it as known; none if it cannot be read.
    pub(crate) fn learn(&self, known: &mut Known) -> Option<()> {
        match self {
            Self::Page(line) => {
                let verb = if line.one_click { Verb::OneClick } else { Verb::Get };
                let page = Page { verb, ..Page::of_url(&line.page, line.octets_max)? };
                if let Some(ms) = line.took_ms {
                    known.note_page_took(page.clone(), Span::from_ms(ms));
                }
                known.learn_page(page, line.fetched()?);
            }
            Self::Authority(line) => {
                let authority =
                    Authority { zone: Name::parse(&line.zone).ok()?, server: line.server };
                known.learn_authority(authority, line.served());
            }
            Self::Greeting(line) => {
                known.learn_greeting(Name::parse(&line.exchanger).ok()?, line.greeting()?);
            }
            Self::Mailbox(line) => {
                let mailbox = Mailbox::new(&Name::parse(&line.asked).ok()?, &line.mailbox)?;
                known.learn_mailbox(mailbox, line.taken()?);
            }
        }
        Some(())
    }
}

impl PageLine {
    fn of(page: &Page, fetched: &Fetched) -> Self {
        let mut line = Self {
            page: page.to_string(),
            octets_max: page.octets_max,
            one_click: page.verb == Verb::OneClick,
            status: None,
            media_type: String::new(),
            location: String::new(),
            body: String::new(),
            took_ms: None,
            why: None,
        };
        match fetched {
            Fetched::Page { status, media_type, location, body } => {
                line.status = Some(*status);
                line.media_type = media_type.to_string();
                line.location = location.to_string();
                line.body = STANDARD.encode(body);
            }
            Fetched::Failed(failure) => line.why = Some(Why::of(failure)),
        }
        line
    }

    fn fetched(&self) -> Option<Fetched> {
        Some(match (&self.why, self.status) {
            (Some(why), _) => Fetched::Failed(why.failure()),
            (None, Some(status)) => Fetched::Page {
                status,
                media_type: self.media_type.as_str().into(),
                location: self.location.as_str().into(),
                body: STANDARD.decode(&self.body).ok()?.into(),
            },
            (None, None) => return None,
        })
    }
}

impl Why {
    fn of(failure: &FetchFailure) -> Self {
        match failure {
            FetchFailure::NoAddress => Self::NoAddress,
            FetchFailure::Undetermined => Self::Undetermined,
            FetchFailure::Private => Self::Private,
            FetchFailure::Connect(why) => Self::Connect(why.to_string()),
            FetchFailure::Certificate(why) => Self::Certificate(why.to_string()),
            FetchFailure::TimedOut => Self::TimedOut,
            FetchFailure::TooLarge => Self::TooLarge,
            FetchFailure::Malformed(why) => Self::Malformed(why.to_string()),
            _ => Self::NotRecorded,
        }
    }

    fn failure(&self) -> FetchFailure {
        match self {
            Self::NoAddress => FetchFailure::NoAddress,
            Self::Undetermined => FetchFailure::Undetermined,
            Self::Private => FetchFailure::Private,
            Self::Connect(why) => FetchFailure::Connect(why.as_str().into()),
            Self::Certificate(why) => FetchFailure::Certificate(why.as_str().into()),
            Self::TimedOut => FetchFailure::TimedOut,
            Self::TooLarge => FetchFailure::TooLarge,
            Self::Malformed(why) => FetchFailure::Malformed(why.as_str().into()),
            Self::NotRecorded => FetchFailure::NotRecorded,
        }
    }
}

impl AuthorityLine {
    fn of(authority: &Authority, served: &Served) -> Self {
        let (serial, took_ms, why) = match served {
            Served::Serial { serial, took } => (Some(*serial), Some(took.as_ms()), None),
            Served::Lame => (None, None, None),
            Served::Failed(why) => (None, None, Some(why.to_string())),
        };
        Self { zone: authority.zone.to_string(), server: authority.server, serial, took_ms, why }
    }

    fn served(&self) -> Served {
        match (self.serial, &self.why) {
            (Some(serial), _) => {
                Served::Serial { serial, took: Span::from_ms(self.took_ms.unwrap_or_default()) }
            }
            (None, Some(why)) => Served::Failed(why.as_str().into()),
            (None, None) => Served::Lame,
        }
    }
}

impl MailboxLine {
    fn of(mailbox: &Mailbox, taken: &Taken) -> Self {
        let (word, says) = match taken {
            Taken::Yes(says) => ("yes", says),
            Taken::No(says) => ("no", says),
            Taken::Open(says) => ("open", says),
        };
        Self {
            asked: mailbox.exchanger.to_string(),
            mailbox: mailbox.address.to_string(),
            taken: word.to_owned(),
            says: says.to_string(),
        }
    }

    fn taken(&self) -> Option<Taken> {
        let says = self.says.as_str().into();
        match self.taken.as_str() {
            "yes" => Some(Taken::Yes(says)),
            "no" => Some(Taken::No(says)),
            "open" => Some(Taken::Open(says)),
            _ => None,
        }
    }
}

impl GreetingLine {
    fn of(host: &Name, greeting: &Greeting) -> Self {
        let mut line = Self {
            exchanger: host.to_string(),
            greeting: "plain".to_owned(),
            chain: Vec::new(),
            distrust: None,
            version: String::new(),
            why: String::new(),
        };
        match greeting {
            Greeting::Plain => {}
            Greeting::Encrypted { chain, distrust, version } => {
                "encrypted".clone_into(&mut line.greeting);
                line.chain = chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
                line.distrust = distrust.as_deref().map(str::to_owned);
                line.version = version.to_string();
            }
            Greeting::Broken(why) => {
                "broken".clone_into(&mut line.greeting);
                line.why = why.to_string();
            }
            Greeting::Failed(why) => {
                "failed".clone_into(&mut line.greeting);
                line.why = why.to_string();
            }
        }
        line
    }

    fn greeting(&self) -> Option<Greeting> {
        Some(match self.greeting.as_str() {
            "plain" => Greeting::Plain,
            "broken" => Greeting::Broken(self.why.as_str().into()),
            "failed" => Greeting::Failed(self.why.as_str().into()),
            "encrypted" => {
                let chain = self.chain.iter().map(|text| Some(STANDARD.decode(text).ok()?.into()));
                Greeting::Encrypted {
                    chain: chain.collect::<Option<Vec<_>>>()?,
                    distrust: self.distrust.as_deref().map(Into::into),
                    version: self.version.as_str().into(),
                }
            }
            _ => return None,
        })
    }
}

/// One of each, for the test that reads back what was written.
#[cfg(test)]
pub(crate) fn learn_one_of_each(known: &mut Known) {
    let name = |text| Name::parse(text).unwrap();
    let page = |path: &str| Page::of_url(&format!("https://a.example/{path}"), 9).unwrap();
    let body = b"\xffx".as_slice().into();
    known.learn_page(
        page("a"),
        Fetched::Page { status: 200, media_type: "text/plain".into(), location: "".into(), body },
    );
    known.note_page_took(page("a"), Span::from_ms(12));
    let location = "https://b.example/".into();
    known.learn_page(
        Page { verb: Verb::OneClick, ..page("a") },
        Fetched::Page { status: 302, media_type: "".into(), location, body: Box::default() },
    );
    known.learn_page(page("b"), Fetched::Failed(FetchFailure::Certificate("expired".into())));
    known.learn_page(page("c"), Fetched::Failed(FetchFailure::TooLarge));
    let server = |n: u8| Authority { zone: name("a.example"), server: [192, 0, 2, n].into() };
    known.learn_authority(server(1), Served::Serial { serial: 7, took: Span::from_ms(3) });
    known.learn_authority(server(2), Served::Lame);
    known.learn_authority(server(3), Served::Failed("silence".into()));
    let chain = vec![b"\x30\x00".as_slice().into()];
    let encrypted =
        Greeting::Encrypted { chain, distrust: Some("unknown".into()), version: "TLSv1.3".into() };
    known.learn_greeting(name("a.example"), encrypted);
    known.learn_greeting(name("b.example"), Greeting::Plain);
    known.learn_greeting(name("c.example"), Greeting::Broken("x".into()));
    known.learn_greeting(name("d.example"), Greeting::Failed("y".into()));
    let mailbox = |who| Mailbox::new(&name("a.example"), who).unwrap();
    known.learn_mailbox(mailbox("a@a.example"), Taken::Yes("250 Ok".into()));
    known.learn_mailbox(mailbox("b@a.example"), Taken::No("550 no".into()));
    known.learn_mailbox(mailbox("c@a.example"), Taken::Open("450 later".into()));
}
