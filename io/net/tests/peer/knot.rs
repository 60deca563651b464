//! A real authoritative name server on the loopback: Knot DNS, from Debian's package `knot`.
//!
//! App-level tests take this file in with `#[path]`; it needs `tempfile` and nothing else.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A running server. It ends with the value.
pub(crate) struct Knot {
    child: Child,
    address: SocketAddr,
    /// Its folder, with `knot.conf` in it.
    pub(crate) home: TempDir,
}

/// A zone of a server.
pub(crate) struct Zone<'a> {
    /// Its name, without a trailing dot.
    pub(crate) name: &'a str,
    /// What stands in its file under a SOA with 900 s for what is not there, an NS, and a TTL
    /// of 300 s. With nothing there is no file, and all questions are answered with SERVFAIL.
    pub(crate) records: Option<&'a str>,
    /// Whether the server signs it.
    pub(crate) signed: bool,
}

/// Ports are free when we look and may be taken when the server does.
const STARTS_MAX: usize = 10;

impl Knot {
    /// Starts a server and waits until it answers for all zones.
    pub(crate) fn start(zones: &[Zone<'_>]) -> Self {
        let mut said = String::new();
        for _ in 0..STARTS_MAX {
            match Self::try_start(zones).expect("files and processes can be made") {
                Ok(knot) => return knot,
                Err(text) => said = text,
            }
        }
        panic!("knotd did not start {STARTS_MAX} times: {said}");
    }

    /// Where it listens, over UDP and TCP.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A server that answers, or what it said instead.
    fn try_start(zones: &[Zone<'_>]) -> io::Result<Result<Self, String>> {
        let address = free_address()?;
        let home = tempfile::tempdir()?;
        write_files(home.path(), address, zones)?;
        let said = File::create(home.path().join("said"))?;
        let child = Command::new(program("knotd", "knot"))
            .arg("-c")
            .arg(home.path().join("knot.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()?;
        let mut knot = Self { child, address, home };
        for zone in zones.iter().filter(|zone| zone.records.is_some()) {
            if !is_answered(&mut knot.child, address, zone.name)? {
                return Ok(Err(fs::read_to_string(knot.home.path().join("said"))?));
            }
        }
        Ok(Ok(knot))
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A program of a Debian package; what an ordinary user's path leaves out is looked into, too.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let folders = of_path.into_iter().chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: run `apt-get install {package}`"))
}

/// An address on the loopback that nobody listens at, over UDP or TCP.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    for _ in 0..STARTS_MAX {
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        let address = tcp.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::Error::other("no port is free for UDP and TCP"))
}

/// Whether a server answers for a zone before it ends or ten seconds are over.
pub(crate) fn is_answered(server: &mut Child, address: SocketAddr, zone: &str) -> io::Result<bool> {
    // Not connected, so that a port nobody listens at yet costs a timeout and not an error.
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in zone.split('.') {
        question.push(u8::try_from(label.len()).expect("a label has 63 octets at most"));
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 6, 0, 1]);
    for _ in 0..500 {
        if server.try_wait()?.is_some() {
            return Ok(false);
        }
        socket.send_to(&question, address)?;
        let mut answer = [0; 1500];
        let Ok((_, from)) = socket.recv_from(&mut answer) else { continue };
        let (code, answers) = (answer[3] & 15, u16::from_be_bytes([answer[6], answer[7]]));
        if from == address && answer[..2] == question[..2] && code == 0 && answers > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_files(home: &Path, address: SocketAddr, zones: &[Zone<'_>]) -> io::Result<()> {
    let (ip, port, home_text) = (address.ip(), address.port(), home.display());
    let mut configuration = format!(
        r#"
server:
    rundir: "{home_text}"
    listen: {ip}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{home_text}"
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 16M
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{home_text}"
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole
zone:
"#
    );
    for Zone { name, records, signed } in zones {
        let signing = if *signed { "on" } else { "off" };
        configuration += &format!("  - domain: {name}.\n    file: {name}.zone\n");
        configuration += &format!("    dnssec-signing: {signing}\n");
        if let Some(records) = records {
            // White space in front of a line would stand for the name above it.
            let records: Vec<&str> = records.lines().map(str::trim_start).collect();
            let records = records.join("\n");
            let text = format!(
                "$ORIGIN {name}.\n$TTL 300\n@ SOA ns root 1 3600 600 86400 900\n\
                 @ NS ns\nns A 127.0.0.1\n{records}\n"
            );
            fs::write(home.join(format!("{name}.zone")), text)?;
        }
    }
    fs::write(home.join("knot.conf"), configuration)
}
