//! Taking a message for a test: who may, and that it is durable before it is answered.

use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Code, Instant, Mailbox, Recipient, Status, client_of};
use postlane_smtp::server::{Refusal, Said, Speaker as By, Standing, Submission};
use postlane_tester::{Arrival, Line, Speaker, Tls};

use super::Tester;
use super::book::MessageStanding;
use super::token::TestId;
use crate::setup::TesterSetup;

/// Clients that are remembered. Chosen, not measured: beyond it those whose time has passed are
/// forgotten, and after that everybody.
const CLIENTS_MAX: usize = 10_000;

impl Tester {
    /// Whether mail to an address is taken here; none if it is not of the test domain.
    pub(crate) fn admits(&self, mailbox: &Mailbox) -> Option<Result<(), Refusal>> {
        self.tokens.is_of_domain(mailbox).then(|| self.find(mailbox).map(drop))
    }

    fn find(&self, mailbox: &Mailbox) -> Result<TestId, Refusal> {
        let gone = |text: &str| refusal(550, Status::new(5, 1, 1), text);
        let Some((id, until)) = self.tokens.read(mailbox) else {
            return Err(gone("This is no test address of ours; make one with postlane tester new"));
        };
        let expired = "This test address has expired; make a new one";
        if until <= self.clock.now() {
            return Err(gone(expired));
        }
        let most = self.live.borrow().tester.messages as usize;
        let book = self.book.lock();
        let test = book.find(id).ok_or_else(|| gone(expired))?;
        if test.messages.len() >= most {
            let text = "This test address has taken as many messages as it may; make a new one";
            return Err(refusal(550, Status::new(5, 7, 1), text));
        }
        Ok(id)
    }

    /// Takes the recipients of tests out of a submission, and sets the message aside for each, if there
    /// are any: nobody looks at it before it is published.
    pub(crate) async fn set_aside(
        self: &Arc<Self>,
        submission: &mut Submission,
    ) -> Result<Option<Aside>, Refusal> {
        let is_ours = |recipient: &Recipient| self.tokens.is_of_domain(&recipient.mailbox);
        let recipients = std::mem::take(&mut submission.envelope.recipients);
        let (ours, others): (Vec<_>, Vec<_>) = recipients.into_iter().partition(is_ours);
        submission.envelope.recipients = others;
        if ours.is_empty() {
            return Ok(None);
        }
        let setup = self.live.borrow().tester.clone();
        self.welcome(&setup, submission.ip)?;
        let mut aside = Aside { tester: self.clone(), client: submission.ip, staged: Vec::new() };
        for recipient in ours {
            let id = self.find(&recipient.mailbox)?;
            self.stage(&setup, id, &recipient, submission, &mut aside).await?;
        }
        Ok(Some(aside))
    }

    /// Whether a client comes at the rate that it may.
    fn welcome(&self, setup: &TesterSetup, client: IpAddr) -> Result<(), Refusal> {
        let (now, client) = (self.clock.now(), client_of(client));
        let gap = setup.per_client.gap();
        let burst = gap.times(u64::from(setup.per_client.messages().saturating_sub(1)));
        let mut clients = self.clients.lock();
        if clients.len() >= CLIENTS_MAX {
            clients.retain(|_, next| *next > now);
            if clients.len() >= CLIENTS_MAX {
                clients.clear();
            }
        }
        let next = clients.entry(client).or_insert(now);
        if *next > now + burst {
            let text = "Too many tests from your address for now, come back later";
            return Err(refusal(450, Status::new(4, 7, 1), text));
        }
        *next = (*next).max(now) + gap;
        Ok(())
    }

    async fn stage(
        self: &Arc<Self>,
        setup: &TesterSetup,
        id: TestId,
        recipient: &Recipient,
        submission: &Submission,
        aside: &mut Aside,
    ) -> Result<(), Refusal> {
        if submission.message.len() > setup.message_octets {
            let text = "The message is too large for a test (tester.message_size)";
            return Err(refusal(552, Status::new(5, 3, 4), text));
        }
        let number = {
            let mut book = self.book.lock();
            if book.octets() + submission.message.len() as u64 > setup.octets_max {
                return Err(full());
            }
            book.next_message(id, setup.messages)
        };
        let Some(number) = number else {
            let text = "This test address has taken as many messages as it may; make a new one";
            return Err(refusal(550, Status::new(5, 7, 1), text));
        };
        aside.staged.push(Staged { id, number, octets: 0 });
        let now = self.clock.now();
        let arrival = arrival((id, number), now, recipient, submission);
        let (tester, message) = (self.clone(), submission.message.clone());
        let staged =
            tokio::task::spawn_blocking(move || tester.shelf.stage(id, &arrival, &message));
        let staged = staged.await.unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
        let octets = staged.map_err(|error| {
            self.say_lost(now, &format!("{id}/{number}"), submission.ip, &error);
            full()
        })?;
        if let Some(staged) = aside.staged.last_mut() {
            staged.octets = octets;
        }
        Ok(())
    }

    fn say_lost(&self, now: Instant, test: &str, client: IpAddr, why: &std::io::Error) {
        let (client, text) = (client.to_string(), why.to_string());
        let fields = [("test", test), ("client", &*client), ("text", &*text)];
        self.journal.event(now, "test-lost", &fields);
    }
}

/// A message that was set aside for tests. It goes again unless it is published: a client that is put
/// off brings it again.
#[derive(Debug)]
pub(crate) struct Aside {
    tester: Arc<Tester>,
    client: IpAddr,
    staged: Vec<Staged>,
}

/// A message of one test, on the disk.
#[derive(Debug)]
struct Staged {
    id: TestId,
    number: u32,
    octets: u64,
}

impl Aside {
    /// Keeps the message for its tests, and has it looked at.
    pub(crate) async fn publish(self) -> Result<(), Refusal> {
        // It goes on where the client does not wait for it.
        let published = tokio::task::spawn_blocking(move || self.publish_now());
        published.await.unwrap_or(false).then_some(()).ok_or_else(full)
    }

    /// Whether all of it is durable.
    fn publish_now(mut self) -> bool {
        let (tester, client) = (self.tester.clone(), self.client);
        let mut all = true;
        for Staged { id, number, octets } in std::mem::take(&mut self.staged) {
            let (now, test) = (tester.clock.now(), format!("{id}/{number}"));
            if let Err(error) = tester.shelf.publish(id, number) {
                tester.say_lost(now, &test, client, &error);
                tester.book.lock().set(id, number, MessageStanding::Failed, 0);
                all = false;
                continue;
            }
            tester.book.lock().set(id, number, MessageStanding::Kept, octets);
            let client = client.to_string();
            tester.journal.event(now, "test-taken", &[("test", &*test), ("client", &*client)]);
            // Whoever looks ends with us.
            let _ = tester.coming.send((id, number));
        }
        all
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // The last first: their numbers are free again.
        for Staged { id, number, .. } in std::mem::take(&mut self.staged).into_iter().rev() {
            self.tester.shelf.take_back(id, number);
            self.tester.book.lock().take_back(id, number);
        }
    }
}

fn full() -> Refusal {
    refusal(452, Status::new(4, 3, 1), "No room for tests now, try again later")
}

fn refusal(code: u16, status: Status, text: &str) -> Refusal {
    let code = Code::new(code).expect("it lies between 200 and 599");
    Refusal { code, status, text: text.into() }
}

fn arrival(
    (id, number): (TestId, u32),
    now: Instant,
    recipient: &Recipient,
    submission: &Submission,
) -> Arrival {
    let transcript = submission.transcript.clone().unwrap_or_default();
    let began = transcript.lines.first().map_or(now, |said| said.at);
    let offered = |said: &Said| {
        let offer = said.text.get(4..).is_some_and(|text| text.eq_ignore_ascii_case("STARTTLS"));
        said.by == By::Server && said.text.starts_with("250") && offer
    };
    Arrival {
        test: id.to_string(),
        number,
        at_us: now.0,
        client: submission.ip,
        helo: submission.helo.to_string(),
        protocol: submission.protocol.to_owned(),
        tls: submission
            .tls
            .as_ref()
            .map(|tls| Tls { version: tls.version.to_owned(), cipher: tls.cipher.to_string() }),
        tls_offered: submission.tls.is_some() || transcript.lines.iter().any(offered),
        user: match &submission.standing {
            Standing::Known(identity) => Some(identity.user.to_string()),
            Standing::Stranger | Standing::Neighbour => None,
        },
        mail_from: submission
            .envelope
            .reverse_path
            .mailbox()
            .map(|mailbox| mailbox.as_str().to_owned())
            .unwrap_or_default(),
        rcpt_to: recipient.mailbox.as_str().to_owned(),
        smtputf8: submission.envelope.smtputf8,
        octets: submission.message.len() as u64,
        transcript: transcript
            .lines
            .iter()
            .map(|said| Line {
                ms: said.at.since(began).as_ms(),
                by: match said.by {
                    By::Client => Speaker::Client,
                    By::Server => Speaker::Server,
                    By::Nobody => Speaker::Note,
                },
                text: said.text.to_string(),
            })
            .collect(),
        lines_lost: transcript.lost,
    }
}
