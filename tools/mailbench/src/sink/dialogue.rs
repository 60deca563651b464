//! What the sink says: the SMTP dialogue of one session, fed with octets.

use super::books::Taken;
use super::house::House;
use super::rule::{Asked, Open, Rule, Stage};

/// The part of a message kept to find its mark.
const HEAD_MAX: usize = 8192;

/// What became of the octets shown to [`Dialogue::step`].
pub(super) enum Step {
    /// So many were taken; show the rest.
    Took(usize),
    /// So many were taken; the rest is not enough to go on.
    Starved(usize),
    /// The session is over once the replies are written.
    Close(usize),
}

impl Step {
    /// Octets taken.
    pub(super) fn octets(&self) -> usize {
        match self {
            Self::Took(n) | Self::Starved(n) | Self::Close(n) => *n,
        }
    }
}

/// What the next octets are.
enum Expecting {
    Commands,
    Data,
    Chunk { left: u64, last: bool },
}

/// Whether the session goes on after a reply.
#[derive(Clone, Copy)]
enum Flow {
    Go,
    Close,
}

/// One session.
pub(super) struct Dialogue {
    house: House,
    client: String,
    local: String,
    open: Open,
    expecting: Expecting,
    has_mail: bool,
    /// Domains of the recipients taken.
    domains: Vec<String>,
    head: Vec<u8>,
    octets: u64,
    /// Replies not written yet.
    pub(super) replies: Vec<u8>,
}

impl Dialogue {
    pub(super) fn new(house: House, client: String, local: String, open: Open) -> Self {
        Self {
            house,
            client,
            local,
            open,
            expecting: Expecting::Commands,
            has_mail: false,
            domains: Vec::new(),
            head: Vec::with_capacity(HEAD_MAX),
            octets: 0,
            replies: Vec::with_capacity(1024),
        }
    }

    /// The banner.
    pub(super) async fn connected(&mut self) -> Step {
        match self.by_rule(Stage::Connect, "").await {
            Some(Flow::Close) => Step::Close(0),
            Some(Flow::Go) => Step::Took(0),
            None => {
                self.say("220 sink.mailbench.test ESMTP");
                Step::Took(0)
            }
        }
    }

    /// Takes one command, or what there is of a message, from the front of `input`.
    pub(super) async fn step(&mut self, input: &[u8]) -> Step {
        match self.expecting {
            Expecting::Commands => {
                let Some(end) = memchr::memchr(b'\n', input) else { return Step::Starved(0) };
                let line = String::from_utf8_lossy(&input[..end]);
                match self.command(line.trim_end()).await {
                    Flow::Go => Step::Took(end + 1),
                    Flow::Close => Step::Close(end + 1),
                }
            }
            Expecting::Data => self.data(input).await,
            Expecting::Chunk { left, last } => self.chunk(input, left, last).await,
        }
    }

    async fn data(&mut self, input: &[u8]) -> Step {
        // The dot may be the very first line.
        let end = if self.octets == 0 && input.starts_with(b".\r\n") {
            Some((0, 3))
        } else {
            memchr::memmem::find(input, b"\r\n.\r\n").map(|at| (at + 2, at + 5))
        };
        let Some((body, used)) = end else {
            // The last four octets may be the beginning of the end.
            let taken = input.len().saturating_sub(4);
            self.collect(&input[..taken]);
            return Step::Starved(taken);
        };
        self.collect(&input[..body]);
        self.message(used).await
    }

    async fn chunk(&mut self, input: &[u8], left: u64, last: bool) -> Step {
        let taken = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.collect(&input[..taken]);
        let left = left - taken as u64;
        if left > 0 {
            self.expecting = Expecting::Chunk { left, last };
            return Step::Starved(taken);
        }
        if last {
            return self.message(taken).await;
        }
        self.expecting = Expecting::Commands;
        self.say("250 2.0.0 Ok: chunk");
        Step::Took(taken)
    }

    /// The message is complete: judge, count, answer.
    async fn message(&mut self, used: usize) -> Step {
        self.expecting = Expecting::Commands;
        let domain = self.domains.first().cloned().unwrap_or_default();
        if let Some(flow) = self.by_rule(Stage::Eom, &domain).await {
            self.house.books.domain(&domain, |count| count.refused += 1);
            self.reset();
            return match flow {
                Flow::Go => Step::Took(used),
                Flow::Close => Step::Close(used),
            };
        }
        self.house.books.taken(&Taken {
            listener: self.house.listener,
            head: &self.head,
            octets: self.octets,
            domains: &self.domains,
        });
        self.reset();
        self.say("250 2.0.0 Ok: queued");
        Step::Took(used)
    }

    async fn command(&mut self, line: &str) -> Flow {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "HELO" => {
                if let Some(flow) = self.by_rule(Stage::Helo, "").await {
                    return flow;
                }
                self.reset();
                if verb == "EHLO" {
                    self.replies.extend_from_slice(self.house.ehlo.as_bytes());
                } else {
                    self.say("250 sink.mailbench.test");
                }
            }
            "MAIL" => {
                if let Some(flow) = self.by_rule(Stage::Mail, "").await {
                    return flow;
                }
                self.reset();
                self.has_mail = true;
                self.say("250 2.1.0 Ok");
            }
            "RCPT" => return self.recipient(line).await,
            "DATA" => {
                let Some(domain) = self.domains.first().cloned() else {
                    self.say("503 5.5.1 no valid recipients");
                    return Flow::Go;
                };
                if let Some(flow) = self.by_rule(Stage::Data, &domain).await {
                    return flow;
                }
                self.say("354 go ahead");
                self.expecting = Expecting::Data;
            }
            "BDAT" => return self.chunk_begins(line),
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 Ok");
            }
            "NOOP" => self.say("250 2.0.0 Ok"),
            "QUIT" => {
                self.say("221 2.0.0 Bye");
                return Flow::Close;
            }
            _ => self.say("502 5.5.2 unknown command"),
        }
        Flow::Go
    }

    async fn recipient(&mut self, line: &str) -> Flow {
        let domain = domain_of(path_of(line));
        self.house.books.domain(&domain, |count| count.tried += 1);
        if let Some(flow) = self.by_rule(Stage::Rcpt, &domain).await {
            self.house.books.domain(&domain, |count| count.refused += 1);
            return flow;
        }
        if self.has_mail {
            self.house.books.domain(&domain, |count| count.taken += 1);
            self.domains.push(domain);
            self.say("250 2.1.5 Ok");
        } else {
            self.say("503 5.5.1 need MAIL");
        }
        Flow::Go
    }

    fn chunk_begins(&mut self, line: &str) -> Flow {
        let mut words = line.split_ascii_whitespace().skip(1);
        let Some(left) = words.next().and_then(|size| size.parse().ok()) else {
            self.say("501 5.5.4 bad chunk size");
            return Flow::Close;
        };
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        self.house.books.chunk();
        self.expecting = Expecting::Chunk { left, last };
        Flow::Go
    }

    /// Asks the rules: the flow when one has answered in place of the usual reply.
    async fn by_rule(&mut self, stage: Stage, domain: &str) -> Option<Flow> {
        if self.house.rules.is_empty() {
            return None;
        }
        let asked = Asked { stage, ip: &self.client, listen: &self.local, domain, open: self.open };
        let answer = Rule::first(&self.house.rules, self.house.books.begun, &asked)?;
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        self.say(&answer.reply?);
        Some(if answer.close { Flow::Close } else { Flow::Go })
    }

    fn say(&mut self, line: &str) {
        self.house.books.said(self.house.listener, line);
        self.replies.extend_from_slice(line.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }

    fn collect(&mut self, part: &[u8]) {
        self.octets += part.len() as u64;
        let room = HEAD_MAX.saturating_sub(self.head.len());
        self.head.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn reset(&mut self) {
        self.has_mail = false;
        self.domains.clear();
        self.head.clear();
        self.octets = 0;
    }
}

fn domain_of(recipient: &str) -> String {
    recipient.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()).unwrap_or_default()
}

/// The address between `<` and `>` of a MAIL or RCPT command.
fn path_of(line: &str) -> &str {
    match (line.find('<'), line.find('>')) {
        (Some(open), Some(close)) if close > open => &line[open + 1..close],
        _ => "",
    }
}

#[cfg(test)]
mod tests;
