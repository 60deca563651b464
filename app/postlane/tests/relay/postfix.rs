//! A real Postfix, with a queue, a configuration and an address of its own, that ends with the
//! test.

use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::relay::PATIENCE;

/// Postfix's parent of all daemons, where Debian puts it.
const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// It ends by itself after this many seconds, should the test that started it be killed.
const LIFE_S: &str = "600";

/// What is alike in all of them: their log goes to the test, and nothing of the machine's own
/// configuration is looked at.
const MAIN: &str = "\
    compatibility_level = 3.6\n\
    maillog_file = /dev/stdout\n\
    myhostname = peer.test\n\
    inet_interfaces = 127.0.0.1\n\
    inet_protocols = ipv4\n\
    mynetworks = 127.0.0.0/8\n\
    mydestination =\n\
    alias_maps =\n\
    notify_classes =\n\
    smtpd_relay_restrictions = permit_mynetworks, reject\n";

/// Debian's services less those for local users, none in a chroot.
const SERVICES: &str = "\
    postlog unix-dgram n - n - 1 postlogd\n\
    pickup unix n - n 60 1 pickup\n\
    cleanup unix n - n - 0 cleanup\n\
    qmgr unix n - n 300 1 qmgr\n\
    tlsmgr unix - - n 1000? 1 tlsmgr\n\
    rewrite unix - - n - - trivial-rewrite\n\
    bounce unix - - n - 0 bounce\n\
    defer unix - - n - 0 bounce\n\
    trace unix - - n - 0 bounce\n\
    flush unix n - n 1000? 0 flush\n\
    smtp unix - - n - - smtp\n\
    relay unix - - n - - smtp\n\
    error unix - - n - - error\n\
    retry unix - - n - - error\n\
    virtual unix - n n - - virtual\n\
    proxymap unix - - n - - proxymap\n\
    scache unix - - n - 1 scache\n\
    showq unix n - n - - showq\n\
    anvil unix - - n - 1 anvil\n";

/// A Postfix that runs.
pub(crate) struct Postfix {
    master: Child,
    log: Arc<Log>,
    folder: TempDir,
    /// Where it takes mail. No other program has this address, so the port stays free while it is
    /// down.
    pub(crate) smtp: SocketAddr,
}

/// What it has written so far, and whether it can write more.
#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Postfix {
    /// One that takes mail for anybody and keeps it. `settings` are lines of `main.cf`.
    pub(crate) fn with_mailboxes(settings: &str) -> Self {
        Self::start(&format!(
            "virtual_mailbox_domains = static:all\n\
             virtual_mailbox_maps = static:mail/\n\
             virtual_uid_maps = static:65534\n\
             virtual_gid_maps = static:65534\n\
             virtual_minimum_uid = 1\n\
             virtual_mailbox_limit = 0\n{settings}"
        ))
    }

    /// One that hands all its mail to `host`. `settings` are lines of `main.cf`.
    pub(crate) fn with_relayhost(host: SocketAddr, settings: &str) -> Self {
        Self::start(&format!("relayhost = [{}]:{}\n{settings}", host.ip(), host.port()))
    }

    /// One with these lines in `main.cf`. `$config_directory` is a folder of its own, which
    /// [`write`](Self::write) puts files into.
    fn start(settings: &str) -> Self {
        assert!(
            geteuid().is_root(),
            "Postfix changes users as it goes, so this test must be run as root, as `cargo xtask test` \
             says and does"
        );
        assert!(Path::new(MASTER).exists(), "Postfix is missing: run `cargo xtask peers`");
        let folder = tempfile::tempdir().unwrap();
        make_queue(folder.path());
        let smtp = free_address();
        let root = folder.path().display();
        let main = format!(
            "{MAIN}queue_directory = {root}/queue\ndata_directory = {root}/state\n\
             virtual_mailbox_base = {root}\n{settings}"
        );
        fs::write(folder.path().join("main.cf"), main).unwrap();
        let_age(folder.path());
        let services = format!("{smtp} inet n - n - - smtpd\n{SERVICES}");
        fs::write(folder.path().join("master.cf"), services).unwrap();
        let (master, log) = run(folder.path());
        let postfix = Self { master, log, folder, smtp };
        postfix.says(&["daemon started"]);
        postfix
    }

    /// Stops it, and gives what can be [started again](Stopped::start).
    pub(crate) fn stop(mut self) -> Stopped {
        self.end();
        // What `Drop` ends then has ended.
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Stopped { folder, smtp: self.smtp }
    }

    fn end(&mut self) {
        // It may have ended already. It takes its daemons along.
        kill_process(Pid::from_child(&self.master), Signal::TERM).ok();
        self.master.wait().ok();
    }

    /// Waits for a line of its log with all these words in it, and gives it.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        self.says_times(1, words)
    }

    /// Waits for so many lines of its log with all these words in them, and gives the last.
    pub(crate) fn says_times(&self, times: usize, words: &[&str]) -> String {
        let until = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        loop {
            let has_words = |line: &&String| words.iter().all(|word| line.contains(word));
            let line = lines.0.iter().filter(has_words).nth(times - 1);
            if let Some(line) = line {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            let is_broken = lines.0.iter().any(|line| line.contains(" fatal: "));
            if lines.1 || is_broken || left.is_zero() {
                let log = lines.0.join("\n");
                drop(lines);
                panic!("no line with {words:?} in\n{log}");
            }
            lines = self.log.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// All it has said so far.
    pub(crate) fn log(&self) -> String {
        self.log.lines.lock().unwrap().0.join("\n")
    }

    /// Waits for mail to this recipient, and gives it as it is in the mailbox: with Postfix's own
    /// header fields in front, and LF where CRLF was.
    pub(crate) fn mail_for(&self, recipient: &str) -> String {
        self.says(&[&format!("to=<{recipient}>"), "status=sent (delivered to maildir)"]);
        let to = format!("Delivered-To: {recipient}\n");
        self.mails().into_iter().find(|mail| mail.contains(&to)).unwrap()
    }

    /// All mail in its mailbox. What is not UTF-8 in it is not told apart.
    pub(crate) fn mails(&self) -> Vec<String> {
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        self.octets().into_iter().map(text).collect()
    }

    /// All mail in its mailbox, as it is.
    pub(crate) fn octets(&self) -> Vec<Vec<u8>> {
        let Ok(files) = fs::read_dir(self.path().join("mail/new")) else { return Vec::new() };
        files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    }

    /// Its configuration folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// After a change of `main.cf`: Postfix need not wait for it to settle.
    pub(crate) fn let_configuration_age(&self) {
        let_age(self.path());
    }

    /// One of its own commands, about this instance.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(format!("/usr/sbin/{program}"));
        command.arg("-c").arg(self.path()).stdin(Stdio::null());
        command
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.end();
    }
}

/// A Postfix that has been stopped.
pub(crate) struct Stopped {
    folder: TempDir,
    smtp: SocketAddr,
}

impl Stopped {
    /// Goes on where it was.
    pub(crate) fn start(self) -> Postfix {
        let (master, log) = run(self.folder.path());
        let postfix = Postfix { master, log, folder: self.folder, smtp: self.smtp };
        postfix.says(&["daemon started"]);
        postfix
    }
}

/// Lays out a queue as Postfix wants to find it.
fn make_queue(folder: &Path) {
    let id = |file: &str, name: &str, field: usize| -> u32 {
        let text = fs::read_to_string(file).unwrap();
        let line = text.lines().find(|line| line.split(':').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {file}"))
            .split(':')
            .nth(field)
            .unwrap()
            .parse()
            .unwrap()
    };
    let (postfix, postdrop) = (id("/etc/passwd", "postfix", 2), id("/etc/group", "postdrop", 2));
    let make = |name: &str, mode: u32, owner: Option<u32>, group: Option<u32>| {
        let made = folder.join(name);
        fs::create_dir(&made).unwrap();
        chown(&made, owner, group).unwrap();
        fs::set_permissions(&made, Permissions::from_mode(mode)).unwrap();
    };
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    make("queue", 0o755, None, None);
    make("queue/pid", 0o755, None, None);
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace",
    ] {
        make(&format!("queue/{name}"), 0o700, Some(postfix), None);
    }
    make("queue/maildrop", 0o1730, Some(postfix), Some(postdrop));
    make("queue/public", 0o2710, Some(postfix), Some(postdrop));
    make("state", 0o700, Some(postfix), None);
    make("mail", 0o755, Some(65534), None);
}

/// A file that is younger than two seconds may not be whole yet: Postfix would wait.
fn let_age(folder: &Path) {
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    let main = File::options().write(true).open(folder.join("main.cf")).unwrap();
    main.set_modified(long_ago).unwrap();
}

/// An address of the loopback network that no other Postfix of this test run has.
fn free_address() -> SocketAddr {
    static LAST: AtomicU8 = AtomicU8::new(1);
    let [high, low, ..] = std::process::id().to_ne_bytes();
    let last = LAST.fetch_add(1, Ordering::Relaxed).max(1);
    let address = Ipv4Addr::new(127, high.max(1), low, last);
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}

/// Runs the program with the configuration in `folder` and follows its log. It begins by closing
/// every file it might have open, which takes seconds where it might have a million.
fn run(folder: &Path) -> (Child, Arc<Log>) {
    let mut master = Command::new("/bin/sh")
        .args(["-c", "ulimit -n 1024 && exec \"$0\" \"$@\"", MASTER, "-s", "-e", LIFE_S, "-c"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = Arc::new(Log::default());
    let (reader, to) = (BufReader::new(master.stdout.take().unwrap()), Arc::clone(&log));
    thread::spawn(move || {
        for line in reader.split(b'\n').map_while(Result::ok) {
            to.lines.lock().unwrap().0.push(String::from_utf8_lossy(&line).into_owned());
            to.more.notify_all();
        }
        to.lines.lock().unwrap().1 = true;
        to.more.notify_all();
    });
    (master, log)
}
