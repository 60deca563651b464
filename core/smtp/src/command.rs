//! Commands: one line a client says (RFC 5321 §4.1).

use postlane_mail::{BodyType, Mailbox, MailboxError, Notify, ReturnContent, ReversePath};

use crate::xtext::is_xtext;

/// A command, read from its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `HELO` with the name the client gives itself.
    Helo(Box<str>),
    /// `EHLO` with the name the client gives itself.
    Ehlo(Box<str>),
    /// `MAIL FROM:` with what it declares.
    Mail(ReversePath, MailParameters),
    /// `RCPT TO:`.
    Rcpt(RcptParameters),
    /// `DATA`.
    Data,
    /// `BDAT` (RFC 3030 §2): so many octets follow, and whether they are the last.
    Bdat {
        /// Octets of the chunk.
        octets: u64,
        /// Whether the message ends with it.
        last: bool,
    },
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `QUIT`.
    Quit,
    /// `VRFY`.
    Vrfy,
    /// `HELP`.
    Help,
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `AUTH` (RFC 4954) with its mechanism in upper case and the initial response.
    Auth {
        /// The mechanism, in upper case.
        mechanism: Box<str>,
        /// The initial response in base 64; `=` for an empty one.
        initial: Option<Box<str>>,
    },
    /// A command that exists and is not offered here.
    NotOffered,
}

/// What MAIL declares (RFC 1870, 6152, 3461, 6531, 4954).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailParameters {
    /// `SIZE`: octets of the message.
    pub size: Option<u64>,
    /// `BODY`.
    pub body: BodyType,
    /// `SMTPUTF8`.
    pub smtputf8: bool,
    /// `RET`.
    pub ret: Option<ReturnContent>,
    /// `ENVID`, xtext as given.
    pub envid: Option<Box<str>>,
}

/// What RCPT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptParameters {
    /// Whom it is for; none for `<postmaster>` without a domain (RFC 5321 §4.1.1.3).
    pub mailbox: Option<Mailbox>,
    /// `NOTIFY`.
    pub notify: Notify,
    /// `ORCPT`, as given.
    pub orcpt: Option<Box<str>>,
}

impl RcptParameters {
    /// Whether there is nothing but the address.
    pub(crate) fn is_plain(&self) -> bool {
        self.notify == Notify::Default && self.orcpt.is_none()
    }
}

/// Why a line is no command we can do. The words are what the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// No such command.
    #[error("Command not recognized")]
    Unknown,
    /// The command is known, and its arguments make no sense.
    #[error("{0}")]
    Arguments(&'static str),
    /// A parameter of MAIL or RCPT that was not offered.
    #[error("{0}")]
    Parameter(&'static str),
    /// The address cannot be read.
    #[error("{0}")]
    Address(#[from] MailboxError),
    /// BDAT without a number: nobody knows where commands begin again behind it.
    #[error("Use BDAT octets [LAST]")]
    Chunk,
    /// BODY=BINARYMIME was not offered.
    #[error("BODY=BINARYMIME is not offered here; use 8BITMIME")]
    BinaryNotOffered,
}

/// Octets of the longest verb we know: `STARTTLS`.
const VERB_OCTETS_MAX: usize = 8;

impl Command {
    /// Reads a line without its CRLF.
    pub fn parse(line: &str) -> Result<Self, CommandError> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_matches(' ');
        let bare = |command| {
            let more = CommandError::Arguments("This command takes no arguments");
            if rest.is_empty() { Ok(command) } else { Err(more) }
        };
        let mut upper = [0; VERB_OCTETS_MAX];
        let upper = upper.get_mut(..verb.len()).ok_or(CommandError::Unknown)?;
        upper.copy_from_slice(verb.as_bytes());
        upper.make_ascii_uppercase();
        match &*upper {
            b"HELO" => greeting(rest).map(Self::Helo),
            b"EHLO" => greeting(rest).map(Self::Ehlo),
            b"MAIL" => mail(rest),
            b"RCPT" => rcpt(rest).map(Self::Rcpt),
            b"DATA" => bare(Self::Data),
            b"BDAT" => chunk(rest),
            b"RSET" => bare(Self::Rset),
            b"NOOP" => Ok(Self::Noop),
            b"QUIT" => bare(Self::Quit),
            b"VRFY" => Ok(Self::Vrfy),
            b"HELP" => Ok(Self::Help),
            b"STARTTLS" => bare(Self::StartTls),
            b"AUTH" => auth(rest),
            b"EXPN" | b"ETRN" | b"TURN" | b"ATRN" | b"SEND" | b"SOML" | b"SAML" | b"LHLO"
            | b"BURL" => Ok(Self::NotOffered),
            _ => Err(CommandError::Unknown),
        }
    }
}

fn greeting(rest: &str) -> Result<Box<str>, CommandError> {
    // RFC 5321 §4.1.4: a server must not refuse a name for not being the client's; it must
    // only be something that can be written into a Received field.
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | ';' | '<' | '>' | '"' | '\\');
    if rest.is_empty() || rest.len() > 255 || !rest.chars().all(plain) {
        return Err(CommandError::Arguments("HELO and EHLO need a host name"));
    }
    Ok(rest.into())
}

fn mail(rest: &str) -> Result<Command, CommandError> {
    let (path, parameters) = path(rest, "FROM:", "Use MAIL FROM:<address>")?;
    let reverse_path = ReversePath::parse(without_source_route(path))?;
    let mut seen = MailParameters::default();
    let mut names = Names(0);
    for parameter in parameters {
        let (name, value) = names.parameter(parameter)?;
        match (name, value) {
            ("SIZE", Some(size)) => {
                let size = size.parse().ok().filter(|_| size.len() <= 20);
                let wrong = CommandError::Arguments("SIZE is a number of octets");
                seen.size = Some(size.ok_or(wrong)?);
            }
            ("BODY", Some(body)) => seen.body = body_type(body)?,
            ("SMTPUTF8", None) => seen.smtputf8 = true,
            ("RET", Some(ret)) if ret.eq_ignore_ascii_case("FULL") => {
                seen.ret = Some(ReturnContent::Full)
            }
            ("RET", Some(ret)) if ret.eq_ignore_ascii_case("HDRS") => {
                seen.ret = Some(ReturnContent::Headers);
            }
            ("RET", _) => return Err(CommandError::Arguments("RET is FULL or HDRS")),
            ("ENVID", Some(id)) if is_xtext(id) && !id.is_empty() && id.len() <= 100 => {
                seen.envid = Some(id.into());
            }
            ("ENVID", _) => {
                return Err(CommandError::Arguments("ENVID is xtext of 100 octets at most"));
            }
            // RFC 4954 §5: taken and not believed.
            ("AUTH", Some(_)) => {}
            _ => return Err(CommandError::Parameter("MAIL has a parameter that is not offered")),
        }
    }
    Ok(Command::Mail(reverse_path, seen))
}

fn body_type(body: &str) -> Result<BodyType, CommandError> {
    match body.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBit),
        "BINARYMIME" => Err(CommandError::BinaryNotOffered),
        _ => Err(CommandError::Arguments("BODY is 7BIT or 8BITMIME")),
    }
}

fn rcpt(rest: &str) -> Result<RcptParameters, CommandError> {
    let (path, parameters) = path(rest, "TO:", "Use RCPT TO:<address>")?;
    let path = without_source_route(path);
    let mut notify = Notify::Default;
    let mut orcpt = None;
    let mut names = Names(0);
    for parameter in parameters {
        match names.parameter(parameter)? {
            ("NOTIFY", Some(value)) => notify = notify_of(value)?,
            ("ORCPT", Some(value)) => orcpt = Some(original_of(value)?),
            _ => return Err(CommandError::Parameter("RCPT has a parameter that is not offered")),
        }
    }
    let postmaster = path.eq_ignore_ascii_case("postmaster");
    let mailbox = if postmaster { None } else { Some(Mailbox::parse(path)?) };
    Ok(RcptParameters { mailbox, notify, orcpt })
}

/// RFC 3461 §4.1.
fn notify_of(value: &str) -> Result<Notify, CommandError> {
    const WRONG: CommandError =
        CommandError::Arguments("NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY");
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return Err(WRONG),
        };
        if std::mem::replace(flag, true) {
            return Err(WRONG);
        }
    }
    Ok(Notify::On { success, failure, delay })
}

/// RFC 3461 §4.2: `addr-type;xtext`. RFC 6533 adds `utf-8;` with UTF-8 in it.
fn original_of(value: &str) -> Result<Box<str>, CommandError> {
    let (kind, address) = value.split_once(';').unwrap_or_default();
    let atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let utf8 = kind.eq_ignore_ascii_case("utf-8");
    let text = is_xtext(address) || (utf8 && address.chars().all(|c| !c.is_control() && c != ' '));
    if !atom || !text || address.is_empty() || value.len() > 500 {
        return Err(CommandError::Arguments("ORCPT is an address type, a semicolon and xtext"));
    }
    Ok(value.into())
}

fn chunk(rest: &str) -> Result<Command, CommandError> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let size =
        words.next().filter(|word| word.len() <= 19 && word.bytes().all(|b| b.is_ascii_digit()));
    let octets = size.and_then(|word| word.parse().ok());
    let last = match words.next() {
        None => Some(false),
        Some(word) => word.eq_ignore_ascii_case("LAST").then_some(true),
    };
    match (octets, last, words.next()) {
        (Some(octets), Some(last), None) => Ok(Command::Bdat { octets, last }),
        _ => Err(CommandError::Chunk),
    }
}

fn auth(rest: &str) -> Result<Command, CommandError> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let Some(mechanism) = words.next() else {
        return Err(CommandError::Arguments("AUTH needs a mechanism"));
    };
    let mechanism = mechanism.to_ascii_uppercase().into();
    let initial = words.next().map(Box::from);
    if words.next().is_some() {
        return Err(CommandError::Arguments("AUTH takes a mechanism and one initial response"));
    }
    Ok(Command::Auth { mechanism, initial })
}

/// The path between angle brackets, and the words behind it.
fn path<'a>(
    rest: &'a str,
    keyword: &str,
    usage: &'static str,
) -> Result<(&'a str, impl Iterator<Item = &'a str>), CommandError> {
    const OPEN: char = '<';
    let wrong = CommandError::Arguments(usage);
    let head = rest.get(..keyword.len()).filter(|head| head.eq_ignore_ascii_case(keyword));
    // RFC 5321 §3.3 allows no space behind the colon, but clients put one there.
    let rest = head.map(|head| rest[head.len()..].trim_start_matches(' ')).ok_or(wrong)?;
    let inner = rest.strip_prefix(OPEN).ok_or(wrong)?;
    let end = closing_bracket(inner).ok_or(wrong)?;
    let behind = &inner[end + 1..];
    if !behind.is_empty() && !behind.starts_with(' ') {
        return Err(wrong);
    }
    Ok((&inner[..end], behind.split(' ').filter(|word| !word.is_empty())))
}

/// Where the path ends: at the first `>` outside a quoted string.
fn closing_bracket(inner: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in inner.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

/// RFC 5321 §4.1.1.3 and appendix F.2: a source route is taken and ignored.
fn without_source_route(path: &str) -> &str {
    if !path.starts_with('@') {
        return path;
    }
    path.split_once(':').map_or(path, |(_, mailbox)| mailbox)
}

/// The parameters that a command has had.
struct Names(u16);

impl Names {
    /// The name, one of those we know or nothing, and the value; a name twice is an error.
    fn parameter<'a>(
        &mut self,
        parameter: &'a str,
    ) -> Result<(&'static str, Option<&'a str>), CommandError> {
        const KNOWN: [&str; 8] =
            ["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH", "NOTIFY", "ORCPT"];
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        let Some(at) = KNOWN.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
            return Ok(("", value));
        };
        if self.0 & 1 << at != 0 {
            return Err(CommandError::Arguments("A parameter is given twice"));
        }
        self.0 |= 1 << at;
        Ok((KNOWN[at], value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_read_with_all_it_declares() {
        let line = "mail FROM:<a@b.example> SIZE=4096 BODY=8BITMIME SMTPUTF8 RET=hdrs ENVID=x+2By";
        let Ok(Command::Mail(path, parameters)) = Command::parse(line) else { panic!("{line}") };
        assert_eq!(path.to_string(), "<a@b.example>");
        assert_eq!(parameters.size, Some(4096));
        assert_eq!(parameters.body, BodyType::EightBit);
        assert!(parameters.smtputf8);
        assert_eq!(parameters.ret, Some(ReturnContent::Headers));
        assert_eq!(parameters.envid.as_deref(), Some("x+2By"));
    }

    #[test]
    fn recipients_are_read_with_what_they_want_to_hear() {
        let line = "RCPT TO:<\"a>b\"@c.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example";
        let Ok(Command::Rcpt(rcpt)) = Command::parse(line) else { panic!("{line}") };
        assert_eq!(rcpt.mailbox.unwrap().local_part(), "\"a>b\"");
        assert_eq!(rcpt.notify, Notify::On { success: true, failure: false, delay: true });
        assert_eq!(rcpt.orcpt.as_deref(), Some("rfc822;a+2Bb@c.example"));
    }

    #[test]
    fn postmaster_needs_no_domain() {
        let Ok(Command::Rcpt(rcpt)) = Command::parse("RCPT TO:<Postmaster>") else { panic!() };
        assert!(rcpt.mailbox.is_none());
    }

    #[test]
    fn a_source_route_is_ignored() {
        let line = "RCPT TO:<@hop.example,@two.example:a@b.example>";
        let Ok(Command::Rcpt(rcpt)) = Command::parse(line) else { panic!() };
        assert_eq!(rcpt.mailbox.unwrap().as_str(), "a@b.example");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "MAIL FROM:a@b.example",
            "MAIL FROM:<a@b.example",
            "MAIL FROM:<a@b.example>SIZE=1",
            "MAIL FROM:<a@b.example> SIZE=x",
            "MAIL FROM:<a@b.example> SIZE=1 SIZE=2",
            "MAIL FROM:<a@b.example> X=1",
            "MAIL FROM:<a@b.example> BODY=BINARYMIME",
            "MAIL FROM:<a@b.example> RET=ALL",
            "MAIL FROM:<a@b.example> ENVID=a+b",
            "RCPT TO:<>",
            "RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY",
            "RCPT TO:<a@b.example> NOTIFY=DELAY,DELAY",
            "RCPT TO:<a@b.example> ORCPT=a@b.example",
            "BDAT",
            "BDAT x",
            "BDAT 1 FIRST",
            "BDAT 1 LAST 2",
            "BDAT 99999999999999999999",
            "DATA now",
            "HELO",
            "EHLO two words",
            "EHLO (x)",
            "AUTH",
            "MAIL",
            "",
            "XYZZY",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
