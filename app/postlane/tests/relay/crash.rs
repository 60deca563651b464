//! The relay is killed at any moment; nothing that it has said 250 to is lost.
//!
//! `POSTLANE_CRASHES` says how often (3 without it), `POSTLANE_SEED` at which moments:
//! `POSTLANE_CRASHES=20 cargo test -p postlane --test relay -- --nocapture comes_twice`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use postlane_mail::Chance;
use postlane_spool::{Commits, Disk, Inserted, Seq, Settings, StoreError};

use crate::host::{Host, Pages};
use crate::relay::{Home, PATIENCE, Relay};

/// Clients that hand over messages all the while.
const CLIENTS: u64 = 8;
/// Recipients of a message that has several.
const RECIPIENTS: u64 = 5;
/// Whom clients were told 250 for and who have nothing yet: beyond it clients wait.
const WAITING_MAX: usize = 3_000;
/// A 250 of the host that the relay has not written down is younger than this. The spool's own
/// bound is 20 ms; the rest is for a machine that builds.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

#[test]
fn what_was_taken_is_there_after_a_crash() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let home = relay.crash();
    let relay = home.start(&["--route", "*=127.0.0.1:9"]);
    assert!(!relay.log().contains("event=alarm"), "{}", relay.log());
    // The queue comes back behind the first mail that is taken again.
    relay.list_until(|waits| waits.len() == 1 && waits[0]["id"] == id.as_str());
}

/// A second delivery is owed to a crash only when the host had the message and the spool did
/// not know: the host's 250 was on its way (the last transaction of a session, one for each), or
/// the outcome was not written yet. Both are read at each crash, from the host's books and from
/// a copy of the spool as the dead relay left it, and are exactly what comes twice.
#[test]
fn nothing_is_lost_and_only_what_was_in_doubt_comes_twice() {
    let (crashes, seed) = (number("POSTLANE_CRASHES", 3), number("POSTLANE_SEED", 1));
    let host = Host::start();
    let gate = Gate::default();
    let (gate, host_ref) = (&gate, &host);
    let doubts = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || hand_over_all_the_while(client, gate, host_ref)))
            .collect();
        // Whatever fails here, the clients must come to an end.
        let closing = Closing(gate);
        let doubts = crash_and_crash(crashes, seed, gate, host_ref);
        drop(closing);
        clients.into_iter().for_each(|client| client.join().unwrap());
        doubts
    });
    host.write(|pages| judge(pages, &doubts));
}

/// Kills the relay that often under load, and lets the last one deliver what is left. Gives how
/// often each recipient was in doubt.
fn crash_and_crash(crashes: u64, seed: u64, gate: &Gate, host: &Host) -> BTreeMap<String, usize> {
    let mut chance = Chance::new(seed);
    let mut doubts = BTreeMap::new();
    let home = Home::new();
    let config = home.path().join("postlane.toml");
    // Little segments, so that they are closed, removed and copied from all the while.
    fs::write(&config, "[spool]\nsegment_size = \"1MiB\"\n").unwrap();
    let arguments =
        ["--config", config.to_str().unwrap(), "--route", &format!("*={}", host.address)];
    let mut born = Instant::now();
    let mut relay = home.start(&arguments);
    gate.open(relay.smtp);
    for crash in 1..=crashes {
        let moment = host.write(|pages| pages.events) + chance.draw() % 600;
        retry(&relay);
        host.wait("mail to go through", |pages| pages.events >= moment);
        let killed = Instant::now();
        let home = relay.crash();
        gate.shut();
        doubt(&format!("crash {crash}"), born..killed, &home, host, &mut doubts);
        if crash % 3 == 2 {
            born = Instant::now();
            die_at_start(&home, &arguments);
            let life = born..Instant::now();
            doubt(&format!("start after crash {crash}"), life, &home, host, &mut doubts);
        }
        born = Instant::now();
        relay = home.start(&arguments);
        gate.open(relay.smtp);
    }
    let end = host.write(|pages| pages.events) + 300;
    host.wait("mail to go through", |pages| pages.events >= end);
    gate.close();
    // Whoever was put off comes last: he is tried again when an operator says so.
    let deadline = Instant::now() + PATIENCE;
    let is_put_off = |recipient: &String| recipient.starts_with("later-");
    host.wait("everybody to get what was promised", |pages| pages.missing().all(is_put_off));
    while host.write(|pages| pages.missing().next().is_some()) {
        assert!(Instant::now() < deadline, "put off: {:?}", relay.ask_json(&["queue", "list"]));
        retry(&relay);
    }
    assert!(!relay.log().contains("panicked"), "{}", relay.log());
    for alarm in relay.log().lines().filter(|line| line.contains("event=alarm")) {
        assert!(alarm.contains("torn write") || alarm.contains("it was begun"), "{alarm}");
    }
    doubts
}

fn retry(relay: &Relay) {
    let done = relay.ask(&["queue", "retry", "--all"]);
    assert!(done.status.code().is_some_and(|code| code <= 1), "{done:?}");
}

/// A relay that is killed as soon as it has begun a file of its own, amid its recovery.
fn die_at_start(home: &Home, arguments: &[&str]) {
    let spool = home.data().join("spool");
    let files = || -> BTreeSet<_> {
        fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let (before, patience) = (files(), Instant::now() + PATIENCE);
    let mut relay = home
        .command(&["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while files().is_subset(&before) {
        assert!(relay.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(Instant::now() < patience, "it has begun no file");
        thread::yield_now();
    }
    relay.kill().unwrap();
    relay.wait().unwrap();
}

/// What the end of a life has left in doubt, from the host's books and the spool.
fn doubt(
    end: &str,
    life: Range<Instant>,
    home: &Home,
    host: &Host,
    doubts: &mut BTreeMap<String, usize>,
) {
    host.wait("sessions of the dead to end", |pages| pages.sessions == 0);
    let known = host.write(|pages| pages.promised.clone());
    let waiting = waiting(&home.data().join("spool"));
    host.write(|pages| weigh(end, life, pages, &known, &waiting, doubts));
}

fn weigh(
    end: &str,
    life: Range<Instant>,
    pages: &mut Pages,
    known: &BTreeSet<String>,
    waiting: &BTreeSet<String>,
    doubts: &mut BTreeMap<String, usize>,
) {
    let open: BTreeSet<String> = std::mem::take(&mut pages.last).into_values().flatten().collect();
    let (mut in_open, mut unwritten, mut oldest) = (0, 0, Duration::ZERO);
    for recipient in waiting {
        let last = pages.deliveries.get(recipient).and_then(|times| times.last());
        // What was in doubt before, and has not come again yet, is counted.
        let Some(delivery) = last.filter(|delivery| **delivery >= life.start) else { continue };
        *doubts.entry(recipient.clone()).or_default() += 1;
        oldest = oldest.max(life.end.saturating_duration_since(*delivery));
        *(if open.contains(recipient) { &mut in_open } else { &mut unwritten }) += 1;
    }
    let waits = waiting.len();
    eprintln!(
        "{end}: {waits} recipients waited; in doubt {in_open} of transactions open and \
         {unwritten} outcomes not yet written, the oldest {} ms old",
        oldest.as_millis()
    );
    assert!(oldest < WRITTEN_WITHIN, "an outcome was not written for {oldest:?}");
    // Whoever is refused is gone when his sender's report is there, and both in one batch.
    let is_safe = |recipient: &String| {
        pages.deliveries.contains_key(recipient)
            || waiting.contains(recipient)
            || waiting.contains(&refused_of(recipient))
    };
    let lost: Vec<&String> = known.iter().filter(|recipient| !is_safe(recipient)).collect();
    assert!(lost.is_empty(), "{end} lost {lost:?}");
}

/// What came twice against what may have.
fn judge(pages: &Pages, doubts: &BTreeMap<String, usize>) {
    assert!(pages.damaged.is_empty(), "{} came damaged: {}", pages.damaged.len(), pages.damaged[0]);
    let twice = |(recipient, times): (&String, &Vec<Instant>)| {
        (times.len() > 1).then(|| (recipient.clone(), times.len() - 1))
    };
    let twice: BTreeMap<String, usize> = pages.deliveries.iter().filter_map(twice).collect();
    let (all, bound) = (twice.values().sum::<usize>(), doubts.values().sum::<usize>());
    let (promised, got) = (pages.promised.len(), pages.deliveries.len());
    eprintln!("{promised} promised, {got} got mail, {all} duplicates, {bound} in doubt");
    // Not one more, and not one less: what the spool did not know was done again.
    assert_eq!(twice, *doubts);
}

/// Who still waits in the spool that a dead relay has left. A copy is read: opening is repairing,
/// and that is for the relay to do.
fn waiting(spool: &Path) -> BTreeSet<String> {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(spool).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    let opened = Disk::open(copy.path(), Settings::default(), Deaf).unwrap();
    let findings = opened.recovery.report.findings.clone();
    assert!(findings.iter().all(|finding| !finding.wrong.is_loss()), "{findings:?}");
    let waiting = Mutex::new(BTreeSet::new());
    let findings = opened.recovery.drain(|batch| {
        for message in batch {
            let recipient = |(index, _): &(u16, _)| {
                message.envelope.recipients[usize::from(*index)].mailbox.as_str().to_owned()
            };
            waiting.lock().unwrap().extend(message.recipients.iter().map(recipient));
        }
    });
    assert!(findings.is_empty(), "{findings:?}");
    waiting.into_inner().unwrap()
}

/// Nothing is committed to a copy.
struct Deaf;

impl Commits for Deaf {
    fn inserted(&mut self, _: Vec<Inserted>) {}
    fn committed(&mut self, _: Seq) {}
    fn failed(&mut self, error: StoreError) {
        panic!("{error}");
    }
}

/// Where the relay of the moment takes mail.
#[derive(Default)]
struct Gate {
    way: Mutex<Way>,
    changed: Condvar,
}

#[derive(Default, Clone, Copy)]
enum Way {
    #[default]
    Shut,
    Open(SocketAddr),
    Closed,
}

impl Gate {
    fn open(&self, address: SocketAddr) {
        self.set(Way::Open(address));
    }

    fn shut(&self) {
        self.set(Way::Shut);
    }

    /// For good.
    fn close(&self) {
        self.set(Way::Closed);
    }

    fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
        self.changed.notify_all();
    }

    /// Waits until there is a relay; none when there will be no more.
    fn address(&self) -> Option<SocketAddr> {
        let mut way = self.way.lock().unwrap();
        loop {
            match *way {
                Way::Open(address) => return Some(address),
                Way::Closed => return None,
                Way::Shut => way = self.changed.wait(way).unwrap(),
            }
        }
    }
}

struct Closing<'a>(&'a Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn hand_over_all_the_while(client: u64, gate: &Gate, host: &Host) {
    let mut numbers = client * 1_000_000..;
    while let Some(address) = gate.address() {
        // The relay dies in the middle of it.
        let died = hand_over_until_it_dies(address, &mut numbers, gate, host);
        assert!(
            !is_silent(&died),
            "the relay at {address} fell silent, and now is {:?}",
            gate.address()
        );
    }
}

fn hand_over_until_it_dies(
    address: SocketAddr,
    numbers: &mut impl Iterator<Item = u64>,
    gate: &Gate,
    host: &Host,
) -> io::Result<()> {
    let stream = TcpStream::connect(address)?;
    if stream.local_addr()? == address {
        // Nobody listened, and the system gave us that very port to call from.
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE / 60))?;
    let mut wire = BufReader::new(stream);
    // A listener that dies amid the handshake leaves us connected to nobody, and says nothing.
    while is_silent(&wire.fill_buf().map(|_| ())) {
        if gate.address() != Some(address) {
            return Ok(());
        }
    }
    wire.get_ref().set_read_timeout(Some(PATIENCE))?;
    expect(&mut wire, "220")?;
    say_and_expect(&mut wire, "EHLO app.example\r\n", "250")?;
    for number in numbers {
        if gate.address() != Some(address) {
            return Ok(());
        }
        let recipients = recipients(number);
        say_and_expect(&mut wire, &format!("MAIL FROM:<app-{number}@example.com>\r\n"), "250")?;
        for recipient in &recipients {
            say_and_expect(&mut wire, &format!("RCPT TO:<{recipient}>\r\n"), "250")?;
        }
        say_and_expect(&mut wire, "DATA\r\n", "354")?;
        say_and_expect(&mut wire, &message(number), "250")?;
        host.write(|pages| {
            pages.promised.extend(recipients.iter().map(|recipient| promised_to(recipient)));
            pages.events += 1;
        });
        host.wait("the backlog to shrink", |pages| {
            pages.promised.len() < WAITING_MAX || pages.missing().nth(WAITING_MAX).is_none()
        });
    }
    Ok(())
}

fn is_silent(heard: &io::Result<()>) -> bool {
    heard.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

fn say_and_expect(wire: &mut BufReader<TcpStream>, words: &str, code: &str) -> io::Result<()> {
    wire.get_mut().write_all(words.as_bytes())?;
    expect(wire, code)
}

fn expect(wire: &mut BufReader<TcpStream>, code: &str) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if wire.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The line may be cut short by a crash, and is not by anything else.
        assert!(!line.ends_with('\n') || line.starts_with(code), "{code} wanted, {line}");
        if line.ends_with('\n') && line.get(3..4) == Some(" ") {
            return Ok(());
        }
    }
}

/// Every third message has several recipients; of these one may be refused for good, one for now.
fn recipients(number: u64) -> Vec<String> {
    let many = if number.is_multiple_of(3) { RECIPIENTS } else { 1 };
    let kind = |nth: u64| match (number % 12, nth) {
        (0, 1) => "gone",
        (3, 2) | (5, 0) => "later",
        _ => "jo",
    };
    (0..many).map(|nth| format!("{}-{number}-{nth}@host.example", kind(nth))).collect()
}

/// Who gets something in the end: the recipient, or the sender a report.
fn promised_to(recipient: &str) -> String {
    match recipient.strip_prefix("gone-").and_then(|rest| rest.split('-').next()) {
        Some(number) => format!("app-{number}@example.com"),
        None => recipient.to_owned(),
    }
}

/// Whose refusal a sender hears of.
fn refused_of(sender: &str) -> String {
    let number = sender.split(['-', '@']).nth(1).unwrap_or_default();
    format!("gone-{number}-1@host.example")
}

/// Most are small; some are large enough to be cut in the middle.
fn message(number: u64) -> String {
    let lines = if number % 40 == 7 { 5_000 } else { 30 };
    let line = format!("line of message {number}, and words that fill it to its end\r\n");
    format!(
        "Message-ID: <{number}@app.example>\r\nSubject: message {number}\r\n\r\n{}the end of \
         {number}\r\n.\r\n",
        line.repeat(lines)
    )
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}
