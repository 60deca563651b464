//! A real validating resolver on the loopback: Unbound, from Debian's package `unbound`.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::knot::{Knot, free_address, is_answered, program};

/// A running resolver. It ends with the value.
pub(crate) struct Unbound {
    child: Child,
    address: SocketAddr,
    _home: TempDir,
}

impl Unbound {
    /// Starts a resolver that asks `knot` about these zones and trusts these keys, and waits
    /// until it answers for the first zone.
    pub(crate) fn start(knot: &Knot, zones: &[&str], trust_anchors: &[String]) -> Self {
        for _ in 0..10 {
            let started = Self::try_start(knot, zones, trust_anchors);
            if let Some(unbound) = started.expect("files and processes can be made") {
                return unbound;
            }
        }
        panic!("unbound did not start");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn try_start(
        knot: &Knot,
        zones: &[&str],
        trust_anchors: &[String],
    ) -> io::Result<Option<Self>> {
        let address = free_address()?;
        let home = tempfile::tempdir()?;
        let file = home.path().join("unbound.conf");
        fs::write(&file, configuration(address, knot, zones, trust_anchors))?;
        let child = Command::new(program("unbound", "unbound"))
            .args(["-d", "-c"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut unbound = Self { child, address, _home: home };
        let answers = is_answered(&mut unbound.child, address, zones[0])?;
        Ok(answers.then_some(unbound))
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The key that a signed zone of a server can be trusted by, as a record.
pub(crate) fn trust_anchor(knot: &Knot, zone: &str) -> String {
    let configuration = knot.home.path().join("knot.conf");
    let mut keymgr = Command::new(program("keymgr", "knot"));
    let output = keymgr.arg("-c").arg(configuration).args([zone, "dnskey"]).output();
    let output = output.expect("keymgr can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn configuration(address: SocketAddr, knot: &Knot, zones: &[&str], anchors: &[String]) -> String {
    let (ip, port) = (address.ip(), address.port());
    let mut text = format!(
        r#"server:
    interface: {ip}@{port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    num-threads: 1
    module-config: "validator iterator"
"#
    );
    for anchor in anchors {
        text += &format!("    trust-anchor: \"{anchor}\"\n");
    }
    let (ip, port) = (knot.address().ip(), knot.address().port());
    for zone in zones {
        text += &format!("stub-zone:\n    name: \"{zone}\"\n    stub-addr: {ip}@{port}\n");
    }
    text.push_str("remote-control:\n    control-enable: no\n");
    text
}
