//! A relay that runs, and ends with the test.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

/// How long a peer may be silent before a test has failed. Machines that build may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A relay that runs.
pub(crate) struct Relay {
    child: Child,
    home: Home,
    /// Where it takes mail: the first listener.
    pub(crate) smtp: SocketAddr,
    /// Where it serves the API.
    pub(crate) http: SocketAddr,
}

/// The folder of a relay: `data` with the spool, `log` with what it wrote to standard error.
/// It goes with the last relay in it.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The program, to talk to the relay that runs here or would run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postlane"));
        command.arg("--data").arg(self.data()).args(arguments);
        command
    }

    /// Writes a file here; gives its name.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a relay here, on free ports.
    pub(crate) fn start(self, arguments: &[&str]) -> Relay {
        self.serve(&[&["--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"], arguments].concat())
    }

    /// Starts a relay here whose listeners are those of its configuration, the API on a free port.
    pub(crate) fn start_as(self, arguments: &[&str]) -> Relay {
        self.serve(&[&["--http", "127.0.0.1:0"], arguments].concat())
    }

    /// Starts a relay here with what is in `postlane.toml`, the API on a free port.
    pub(crate) fn start_by_file(self, text: &str) -> Relay {
        let file = self.write("postlane.toml", text);
        self.serve(&["--config", &file, "--http", "127.0.0.1:0"])
    }

    fn serve(self, arguments: &[&str]) -> Relay {
        let log = File::options().create(true).append(true).open(self.path().join("log")).unwrap();
        self.serve_telling(log, arguments)
    }

    /// Starts a relay here that tells its log there.
    pub(crate) fn serve_telling(self, log: impl Into<Stdio>, arguments: &[&str]) -> Relay {
        let mut child = self
            .command(&["serve"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let said = |key: &str| {
            let value = ready.split_whitespace().find_map(|word| word.strip_prefix(key));
            let address = value.and_then(|value| value.split(',').next()?.parse().ok());
            address.unwrap_or_else(|| {
                let log = fs::read_to_string(self.path().join("log")).unwrap_or_default();
                panic!("the relay said {ready:?}, and {log}")
            })
        };
        let (smtp, http) = (said("smtp="), said("http="));
        Relay { child, home: self, smtp, http }
    }
}

impl Relay {
    /// A relay in a new folder, on free ports.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Home::new().start(arguments)
    }

    /// What it has written to its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    /// Waits until the log has that many lines with all these words in them; gives the first.
    pub(crate) fn logs(&self, many: usize, words: &[&str]) -> String {
        let patience = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let found: Vec<&str> =
                whole.filter(|line| words.iter().all(|word| line.contains(word))).collect();
            if let Some(first) = found.first().filter(|_| found.len() >= many) {
                return (*first).to_owned();
            }
            let seen = found.len();
            assert!(Instant::now() < patience, "{seen} of {many} lines with {words:?} in {log}");
            std::thread::yield_now();
        }
    }

    /// Waits until the log has a line with all these words in it.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        self.logs(1, words)
    }

    /// Waits for the first outcome that the log has of a message.
    pub(crate) fn outcome(&self, id: &str) -> String {
        self.logged(&[&format!(" id={id} "), " delay_ms="])
    }

    /// The folder that it runs in.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.home.data().join("token")).unwrap().trim().to_owned()
    }

    /// Runs a command of ours that talks to it.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        self.home.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// What a command prints as JSON, one value to a line.
    pub(crate) fn ask_json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let output = self.ask(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks what waits until it is as `wanted`.
    pub(crate) fn list_until(
        &self,
        wanted: impl Fn(&[serde_json::Value]) -> bool,
    ) -> Vec<serde_json::Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let waits = self.ask_json(&["queue", "list"]);
            if wanted(&waits) {
                return waits;
            }
            assert!(Instant::now() < until, "{waits:?}\n{}", self.log());
        }
    }

    /// Waits until history has so many attempts.
    pub(crate) fn remembers(&self, attempts: usize) {
        let until = Instant::now() + PATIENCE;
        let count = || {
            let entries = self.ask_json(&["log"]);
            entries.iter().filter(|entry| entry["attempt"].is_u64()).count()
        };
        while count() < attempts {
            assert!(Instant::now() < until, "{}", self.log());
        }
    }

    /// A session with it.
    pub(crate) fn dial(&self) -> Dialogue {
        Dialogue::open(self.smtp)
    }

    /// Asks it to read its configuration again, as a service manager does, and waits until it
    /// says how that went; gives what it says.
    pub(crate) fn hang_up(&self) -> String {
        let before = self.log().len();
        self.signal(Signal::HUP);
        let done =
            |said: &str| said.contains(" event=reloaded") || said.contains(" event=reload-refused");
        self.log_until(|log| done(&log[before..])).split_off(before)
    }

    /// Its log, as soon as that is in it.
    pub(crate) fn log_until(&self, is_in_it: impl Fn(&str) -> bool) -> String {
        let patience = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if log.ends_with('\n') && is_in_it(&log) {
                return log;
            }
            assert!(Instant::now() < patience, "{log}");
            std::thread::yield_now();
        }
    }

    /// Tells it to end, and does not wait for it.
    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) fn stop(mut self) -> (ExitStatus, Home) {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        (status, self.into_home())
    }

    /// Ends it as a power cut would, as far as a program can tell.
    pub(crate) fn crash(mut self) -> Home {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.into_home()
    }

    fn into_home(mut self) -> Home {
        std::mem::replace(&mut self.home, Home::new())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A session by hand.
pub(crate) struct Dialogue {
    reader: BufReader<Box<dyn Wire>>,
}

/// What a session is held over.
pub(crate) trait Wire: Read + Write {}

impl<W: Read + Write> Wire for W {}

impl Dialogue {
    /// Connects and hears the greeting.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let mut dialogue = Self::over(connect(address));
        let greeting = dialogue.hear();
        assert!(greeting.starts_with("220"), "{greeting}");
        dialogue
    }

    /// Over that wire; the greeting is still to be heard, if there is one.
    pub(crate) fn over(wire: impl Wire + 'static) -> Self {
        Self { reader: BufReader::new(Box::new(wire)) }
    }

    /// Says a line and hears the reply, all its lines.
    pub(crate) fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.hear()
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.reader.get_mut().write_all(octets).unwrap();
    }

    /// Hears a reply, all its lines; empty when the relay has hung up.
    pub(crate) fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let from = reply.len();
            if self.reader.read_line(&mut reply).unwrap() == 0 || &reply[from..][3..4] != "-" {
                return reply;
            }
        }
    }

    /// Hands a message over; gives the queue id.
    pub(crate) fn hand_over(&mut self, from: &str, to: &[&str], message: &str) -> String {
        let mail = self.say(&format!("MAIL FROM:<{from}>"));
        assert!(mail.starts_with("250"), "{mail}");
        for recipient in to {
            let rcpt = self.say(&format!("RCPT TO:<{recipient}>"));
            assert!(rcpt.starts_with("250"), "{rcpt}");
        }
        let end = if message.ends_with("\r\n") { "" } else { "\r\n" };
        self.hand_in(format!("{message}{end}").as_bytes())
    }

    /// Hands in what belongs to the envelope that was said, in whole lines; gives the queue id.
    pub(crate) fn hand_in(&mut self, message: &[u8]) -> String {
        let data = self.say("DATA");
        assert!(data.starts_with("354"), "{data}");
        self.send(message);
        let taken = self.say(".");
        let id = taken.strip_prefix("250 2.0.0 Ok: queued as ");
        id.unwrap_or_else(|| panic!("{taken}")).trim().to_owned()
    }
}

/// A connection that does not wait for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}
