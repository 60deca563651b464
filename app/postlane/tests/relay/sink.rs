//! A host that swallows mail, and fails as it is told to: Postfix's `smtp-sink`.

use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::knot::{free_address, program};
use crate::relay::PATIENCE;

/// A sink that runs. It ends with the value.
pub(crate) struct Sink {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it took, a file for each message, and what it said.
    home: TempDir,
}

impl Sink {
    /// A sink on a free port.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_at(free_address().unwrap(), options)
    }

    /// A sink there.
    pub(crate) fn start_at(address: SocketAddr, options: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program("smtp-sink", "postfix"));
        if rustix::process::geteuid().is_root() {
            // It will not run as root.
            fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
            command.args(["-u", "nobody"]);
        }
        let said = File::create(home.path().join("said")).unwrap();
        let child = command
            .args(options)
            .arg("-d")
            .arg(home.path().join("message-"))
            .args([&address.to_string(), "256"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        let mut sink = Self { child, address, home };
        sink.wait_until_it_listens();
        sink
    }

    fn wait_until_it_listens(&mut self) {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Ok(stream) = TcpStream::connect(self.address) {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut heard = String::new();
                // One that is to hang up does.
                BufReader::new(stream).read_line(&mut heard).ok();
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let said = || fs::read_to_string(self.home.path().join("said")).unwrap();
            assert!(ended.is_none() && Instant::now() < patience, "smtp-sink: {}", said());
            thread::yield_now();
        }
    }

    /// What it took: envelope, then message, lines ended by line feeds alone.
    pub(crate) fn messages(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).unwrap().map(|entry| entry.unwrap());
        let kept = entries.filter(|e| e.file_name().to_string_lossy().starts_with("message-"));
        let read = |entry: fs::DirEntry| fs::read(entry.path()).unwrap();
        let messages = kept.map(|entry| String::from_utf8_lossy(&read(entry)).into_owned());
        // A file is begun with MAIL; this line stands in it from DATA on.
        messages.filter(|message| message.contains(" (smtp-sink) with ")).collect()
    }

    /// The one message that it took for this recipient.
    pub(crate) fn message_to(&self, recipient: &str) -> String {
        let to = format!("\nX-Rcpt-Args: <{recipient}>");
        let mut messages = self.messages();
        messages.retain(|message| message.contains(&to));
        assert_eq!(messages.len(), 1, "to {recipient}: {messages:?}");
        messages.remove(0)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
