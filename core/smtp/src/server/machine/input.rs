//! Octets into lines, and lines into commands.

use memchr::{memchr, memchr_iter};
use postlane_mail::Instant;

use super::{Server, State};
use crate::command::{Command, CommandError};
use crate::server::limits::AHEAD_OCTETS_MAX;
use crate::server::transcript::Speaker;

impl Server {
    /// Uses what was kept for later, as far as it can be used now.
    pub(super) fn go_on(&mut self, now: Instant) {
        let mut input = std::mem::take(&mut self.input);
        let used = self.consume(now, &input);
        if matches!(self.state, State::Closed) {
            return;
        }
        input.drain(..used);
        self.input = input;
    }

    pub(super) fn keep_for_later(&mut self, bytes: &[u8]) {
        if self.input.len() + bytes.len() <= AHEAD_OCTETS_MAX || self.wants_input() {
            self.input.extend_from_slice(bytes);
        } else {
            // Without these octets nobody knows what is a command and what is not.
            self.hang_up("421 4.7.0 Too much said ahead");
        }
    }

    /// Uses as many octets as can be used now, and says how many that were.
    pub(super) fn consume(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            used += match &mut self.state {
                State::Data(_) => self.data_octets(now, rest),
                State::Chunk(_) => self.chunk_octets(now, rest),
                State::Skip { after_cr } => {
                    let after_cr = *after_cr;
                    self.skip(after_cr, rest)
                }
                State::Command | State::Auth { .. } => match self.line(now, rest) {
                    Some(taken) => taken,
                    None => return used,
                },
                // Whatever was said behind STARTTLS came in the clear and is nobody's: it goes
                // when the handshake is done.
                State::Waiting(_) => return used,
                State::Closed => return bytes.len(),
            };
        }
        used
    }

    /// Takes a line, if it is all there; how many octets it had.
    fn line(&mut self, now: Instant, bytes: &[u8]) -> Option<usize> {
        let limits = &self.settings.limits;
        let auth = matches!(self.state, State::Auth { .. })
            || bytes.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH"));
        let octets_max = if auth { limits.auth_octets } else { limits.command_octets };
        let within = &bytes[..bytes.len().min(octets_max)];
        let Some(newline) = memchr(b'\n', within) else {
            if bytes.len() < octets_max {
                return None;
            }
            self.state = State::Skip { after_cr: within.ends_with(b"\r") };
            self.wrong("500 5.5.2 Line too long");
            return Some(octets_max);
        };
        self.idle_until = now + limits.idle;
        match within[..newline].strip_suffix(b"\r") {
            Some(line) if memchr(b'\r', line).is_none() => self.command_line(now, line),
            Some(_) => {
                self.state = State::Command;
                self.wrong(BARE_NEWLINE);
            }
            None => {
                self.state = State::Skip { after_cr: false };
                self.wrong(BARE_NEWLINE);
            }
        }
        Some(newline + 1)
    }

    /// Lets octets go up to the next CRLF; how many. Whoever ends lines with bare LFs hears of
    /// each.
    fn skip(&mut self, after_cr: bool, bytes: &[u8]) -> usize {
        for newline in memchr_iter(b'\n', bytes) {
            let cr = newline.checked_sub(1).map_or(after_cr, |before| bytes[before] == b'\r');
            if cr {
                self.state = State::Command;
                return newline + 1;
            }
            self.wrong(BARE_NEWLINE);
            if matches!(self.state, State::Closed) {
                return bytes.len();
            }
        }
        self.state = State::Skip { after_cr: bytes.ends_with(b"\r") };
        bytes.len()
    }

    fn command_line(&mut self, now: Instant, line: &[u8]) {
        if let State::Auth { .. } = self.state {
            self.note(Speaker::Client, b"[left out]");
            return self.auth_line(line);
        }
        self.note_command(line);
        let Ok(line) = std::str::from_utf8(line) else {
            return self.wrong("500 5.5.2 Commands are ASCII, or UTF-8 where SMTPUTF8 allows it");
        };
        match Command::parse(line) {
            Ok(command) => self.command(now, command),
            Err(CommandError::Unknown) if is_http(line) => self.hang_up(NO_WEB_SERVER),
            Err(CommandError::Unknown) => self.wrong("500 5.5.1 Command not recognized"),
            // What follows is octets of a message, and must not be taken for commands.
            Err(e @ CommandError::Chunk) => {
                let reply = format!("521 5.5.4 {e}");
                self.hang_up(&reply);
            }
            Err(e @ CommandError::Arguments(_)) => self.wrong_fmt(format_args!("501 5.5.4 {e}")),
            Err(e @ CommandError::Address(_)) => {
                let sender = line.starts_with(['M', 'm']);
                self.wrong_address(sender, e);
            }
            Err(e) => self.wrong_fmt(format_args!("555 5.5.4 {e}")),
        }
    }

    /// Writes a command down. What stands behind AUTH and its mechanism may be a password.
    fn note_command(&mut self, line: &[u8]) {
        let Some(recorder) = &mut self.recorder else { return };
        let is = |verb: &[u8]| line.get(..4).is_some_and(|it| it.eq_ignore_ascii_case(verb));
        if is(b"MAIL") && self.transaction.is_none() || is(b"EHLO") || is(b"HELO") {
            recorder.begin();
        }
        if is(b"AUTH") {
            let mut words = line.split(|b| *b == b' ').filter(|word| !word.is_empty());
            let mut told = words.by_ref().take(2).collect::<Vec<_>>().join(&b' ');
            if words.next().is_some() {
                told.extend_from_slice(b" [left out]");
            }
            recorder.say(Speaker::Client, &told);
        } else {
            recorder.say(Speaker::Client, line);
        }
    }

    /// A client that may relay hands on what others wrote: that is not its own error.
    fn wrong_address(&mut self, sender: bool, error: CommandError) {
        let status = if sender { "5.1.7" } else { "5.1.3" };
        self.say_fmt(format_args!("501 {status} {error}"));
        if sender || !self.standing.may_relay() {
            self.count_error();
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        let carries_mail = match command {
            Command::Mail(..) | Command::Rcpt(_) | Command::Data => true,
            Command::Bdat { octets, last } => octets > 0 || last,
            _ => false,
        };
        if !carries_mail && !self.bear_idle_command() {
            return;
        }
        match command {
            Command::Helo(name) => {
                self.helo(name);
                self.opened();
            }
            Command::Ehlo(name) => {
                self.ehlo(name);
                self.opened();
            }
            Command::Mail(path, parameters) => self.mail(now, path, parameters),
            Command::Rcpt(parameters) => self.rcpt(parameters),
            Command::Data => self.data(),
            Command::Bdat { octets, last } => self.bdat(now, octets, last),
            Command::Rset => {
                self.end_transaction();
                self.say("250 2.0.0 Ok");
            }
            Command::Noop => self.say("250 2.0.0 Ok"),
            Command::Quit => self.hang_up("221 2.0.0 Bye"),
            Command::Vrfy => self.say("252 2.5.2 Send mail and see"),
            Command::Help => self.say("214 2.0.0 See RFC 5321"),
            Command::StartTls => self.start_tls(),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_deref()),
            Command::NotOffered => self.wrong("502 5.5.1 Command not offered here"),
        }
    }

    /// Counts something that carries no mail; whether that can be borne. If not, the session is
    /// over.
    pub(super) fn bear_idle_command(&mut self) -> bool {
        self.idle_commands += 1;
        let borne = self.idle_commands <= self.settings.limits.idle_commands;
        if !borne {
            self.hang_up("421 4.7.0 Too many commands without mail");
        }
        borne
    }
}

/// Whether it is the first line of an HTTP request. A page can have a browser post to any port of its
/// own machine, which may relay: what the page wrote behind such a line would be commands.
fn is_http(line: &str) -> bool {
    const METHODS: [&str; 8] =
        ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    let method = line.split(' ').next().unwrap_or_default();
    METHODS.iter().any(|known| method.eq_ignore_ascii_case(known))
}

const NO_WEB_SERVER: &str = "521 5.5.1 This is SMTP, and no web server";
const BARE_NEWLINE: &str = "500 5.5.2 Lines end with CRLF; this one has a bare CR or LF";
