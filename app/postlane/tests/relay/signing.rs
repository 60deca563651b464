//! Mail is signed when it leaves, and others find the signatures good: OpenDKIM as a milter of a
//! real Postfix, and python3-dkim, with keys that a real name server has. And theirs are good to us.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::access::token;
use crate::http::Api;
use crate::knot::{Knot, Zone, free_address, program};
use crate::postfix::Postfix;
use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;

const MESSAGE: &str = "From: Shop <shop@example.com>\r\nTo: jo@example.net\r\nSubject: Your  order\r\n\
    Date: Sat, 21 Nov 2026 07:30:00 +0000\r\nMessage-ID: <1@example.com>\r\n\
    X-Postlane-Campaign: may\r\n\r\nHello  there \r\n..with dots\r\n\tand tabs\t\r\n\r\n\r\n";

/// A folder with keys made by the program, and a name server that has them.
struct Signed {
    home: Home,
    knot: Knot,
    settings: String,
}

fn zone(records: &str) -> Knot {
    Knot::start(&[Zone { name: "example.com", records: Some(records), signed: false }])
}

impl Signed {
    fn new() -> Self {
        let home = Home::new();
        let empty = zone("");
        let keys = home.path().join("keys").display().to_string();
        let resolver = empty.address().to_string();
        let new = ["--json", "dkim", "new", "example.com", "--selector", "s1", "--out", &keys];
        let made = home.command(&new).args(["--resolver", &resolver]).output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert_eq!(made.status.code(), Some(0), "{said}");
        assert!(said.contains("The DNS does not have these keys yet"), "{said}");
        let lines = String::from_utf8(made.stdout).unwrap();
        let (mut records, mut settings) = (String::new(), String::new());
        for line in lines.lines() {
            let key: serde_json::Value = serde_json::from_str(line).unwrap();
            records += &format!("{}\n", key["zone"].as_str().unwrap());
            settings += &format!("{}\n", key["setting"].as_str().unwrap());
        }
        Self { home, knot: zone(&records), settings }
    }

    /// A relay that signs, and hands everything to that host.
    fn relay(self, host: SocketAddr) -> (Relay, Knot) {
        let text = format!(
            "{}[[unsubscribe]]\ncampaign = \"may\"\nways = [\"https://example.com/u/{{recipient}}\"]\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\n\
             [[route]]\npattern = \"*\"\nto = \"{host}\"\n",
            self.settings
        );
        (self.home.start_by_file(&text), self.knot)
    }
}

/// OpenDKIM as a milter, which asks that name server.
struct OpenDkim {
    child: Child,
    address: SocketAddr,
    _home: Home,
}

impl OpenDkim {
    fn start(resolver: SocketAddr, lines: &str) -> Self {
        let (home, address) = (Home::new(), free_address().unwrap());
        let unbound = home.write(
            "unbound.conf",
            &format!(
                "server:\n do-not-query-localhost: no\nforward-zone:\n name: \".\"\n \
                 forward-addr: {}@{}\n",
                resolver.ip(),
                resolver.port()
            ),
        );
        let pid = home.path().join("pid");
        let file = home.write(
            "opendkim.conf",
            &format!(
                "{lines}\nSocket inet:{}@127.0.0.1\nResolverConfiguration {unbound}\n\
                 AuthservID peer.test\nAlwaysAddARHeader yes\nSyslog no\nPidFile {}\n",
                address.port(),
                pid.display()
            ),
        );
        let mut command = Command::new(program("opendkim", "opendkim"));
        command.args(["-f", "-x", &file]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let judge = Self { child, address, _home: home };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "opendkim does not listen");
            std::thread::yield_now();
        }
        judge
    }
}

impl OpenDkim {
    /// A Postfix that shows it all mail, and keeps the mail.
    fn postfix(&self) -> Postfix {
        Postfix::with_mailboxes(&format!(
            "smtpd_milters = inet:127.0.0.1:{}\nmilter_default_action = tempfail\n",
            self.address.port()
        ))
    }
}

impl Drop for OpenDkim {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Hands a text to a program; gives what it says, if it ends well.
fn through(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    output.stdout
}

/// What python3-dkim makes of each signature, from the top.
const VERIFY: &str = "
import sys, dkim, dns.resolver
ask = dns.resolver.Resolver(configure=False)
ask.nameservers, ask.port = [sys.argv[1]], int(sys.argv[2])
def txt(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    return b''.join(ask.resolve(name, 'TXT')[0].strings)
mail = dkim.DKIM(sys.stdin.buffer.read())
for n in range(2):
    good = mail.verify(idx=n, dnsfunc=txt)
    print(mail.signature_fields[b'a'].decode(), 'pass' if good else 'fail')
";

fn python(script: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut command = Command::new("/usr/bin/python3");
    let said = through(command.args(["-c", script]).args(arguments), input);
    String::from_utf8(said).unwrap()
}

#[test]
fn others_find_the_signatures_of_relayed_mail_good() {
    let signed = Signed::new();
    let resolver = signed.knot.address();
    let judge = OpenDkim::start(resolver, "Mode v");
    let last = judge.postfix();
    let (relay, _knot) = signed.relay(last.smtp);
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let mail = last.mail_for("jo@example.net");
    let (_, results) = mail.split_once("\nAuthentication-Results: peer.test;").unwrap();
    let results = results.split("\nReceived: ").next().unwrap();
    assert!(results.contains("dkim=pass"), "{mail}");
    assert!(results.contains("header.s=s1 "), "{mail}");
    let way = "List-Unsubscribe: <https://example.com/u/jo%40example.net>\n\
               List-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
    assert!(mail.contains(way), "{mail}");

    let octets = mail.replace('\n', "\r\n");
    let (ip, port) = (resolver.ip().to_string(), resolver.port().to_string());
    let found = python(VERIFY, &[&ip, &port], octets.as_bytes());
    assert_eq!(found, "rsa-sha256 pass\ned25519-sha256 pass\n", "{mail}");

    let file = relay.home().write("relayed.eml", &octets);
    let looked = ["check", "message", &file, "--resolver", &resolver.to_string()];
    let looked = &relay.ask_json(&looked)[0];
    let of = |id: &str| {
        let checks = looked["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap()["result"].clone()
    };
    for id in ["DKIM-02", "DKIM-04", "DKIM-06", "DKIM-09", "DKIM-10", "DKIM-12", "DKIM-14"] {
        assert_eq!(of(id), "pass", "{id}: {looked:#}");
    }
    assert_eq!(of("BULK-04"), "pass", "{looked:#}");
}

#[test]
fn a_key_file_that_is_gone_changes_nothing_and_no_mail_leaves_unsigned() {
    let signed = Signed::new();
    let key = signed.home.path().join("keys/s1.example.com.pem");
    let sink = Sink::start(&[]);
    let (relay, _knot) = signed.relay(sink.address);
    fs::remove_file(&key).unwrap();
    assert!(relay.hang_up().contains(" event=reload-refused"));
    let mut client = Dialogue::open(relay.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    let id = client.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    relay.logged(&[&format!(" event=delivered id={id} ")]);
    let mail = sink.message_to("jo@example.net");
    assert_eq!(mail.matches("\nDKIM-Signature: ").count(), 2, "{mail}");
}

#[test]
fn signatures_of_opendkim_are_good_to_us() {
    let signed = Signed::new();
    let key = signed.home.path().join("keys/s1.example.com.pem").display().to_string();
    let signs = format!(
        "Mode s\nDomain example.com\nSelector s1\nKeyFile {key}\nRequireSafeKeys no\n\
         SignatureAlgorithm rsa-sha256\nCanonicalization relaxed/simple"
    );
    let signer = OpenDkim::start(signed.knot.address(), &signs);
    let last = signer.postfix();
    let mut client = Dialogue::open(last.smtp);
    assert!(client.say("EHLO app.example").starts_with("250"));
    assert!(client.say("MAIL FROM:<app@example.com>").starts_with("250"));
    assert!(client.say("RCPT TO:<jo@example.net>").starts_with("250"));
    assert!(client.say("DATA").starts_with("354"));
    client.send(MESSAGE.as_bytes());
    assert!(client.say(".").starts_with("250"));
    let mail = last.mail_for("jo@example.net").replace('\n', "\r\n");
    let file = signed.home.write("theirs.eml", &mail);
    let resolver = signed.knot.address().to_string();
    let look = ["--json", "check", "message", &file, "--resolver", &resolver];
    let looked = signed.home.command(&look).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&looked.stdout).unwrap();
    assert_eq!(found["dkim"][0]["result"], "pass", "{found:#}");
    assert_eq!(found["dkim"][0]["s"], "s1", "{found:#}");
}

#[test]
fn keys_are_held_against_what_the_dns_has() {
    let signed = Signed::new();
    let file = signed.home.write("dkim.toml", &signed.settings);
    let check = |knot: &Knot| {
        let resolver = knot.address().to_string();
        let arguments = ["dkim", "check", "--config", &file, "--resolver", &resolver];
        let output = signed.home.command(&arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let good = "ok      s1._domainkey.example.com: published\n\
                ok      s1-ed._domainkey.example.com: published\n";
    assert_eq!(check(&signed.knot), (Some(0), good.to_owned()));
    let (status, said) = check(&zone("s1._domainkey TXT \"v=DKIM1; p=\"\n"));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("p= is empty: the key was revoked"), "{said}");
    assert!(said.contains("s1-ed._domainkey.example.com: there is no key at that name"), "{said}");
    let silent = Knot::start(&[Zone { name: "example.com", records: None, signed: false }]);
    assert_eq!(check(&silent).0, Some(3));
}

#[test]
fn the_api_says_how_keys_stand_and_a_tenant_sees_its_own() {
    let signed = Signed::new();
    let text = format!(
        "{}[[listener]]\naddress = \"127.0.0.1:0\"\n[delivery]\nresolvers = [\"{}\"]\n",
        signed.settings,
        signed.knot.address()
    );
    let relay = signed.home.start_by_file(&text);
    let told = Api::of(&relay).get("/v1/checks/dkim").json();
    let rows = told.as_array().unwrap_or_else(|| panic!("{told}"));
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(names.contains(&"s1._domainkey.example.com"), "{told}");
    let rsa = rows.iter().find(|row| row["selector"] == "s1").unwrap();
    assert_eq!(rsa["result"], "ok", "{told}");
    assert!(rsa["record"].as_str().unwrap().starts_with("v=DKIM1; k=rsa; p="), "{told}");
    assert!(!told.to_string().contains("PRIVATE"), "{told}");
    let token = token(&relay, "acme-reads", "read", Some("acme"));
    let own = Api::with(&relay, &token).get("/v1/checks/dkim").json();
    assert!(own.as_array().unwrap().iter().all(|row| row["domain"] != "example.com"), "{own}");
}

#[test]
fn a_key_that_is_there_is_never_written_over_and_nobody_else_can_read_it() {
    use std::os::unix::fs::MetadataExt as _;
    let signed = Signed::new();
    let key = signed.home.path().join("keys/s1.example.com.pem");
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    let before = fs::read(&key).unwrap();
    let keys = signed.home.path().join("keys").display().to_string();
    let resolver = signed.knot.address().to_string();
    let new = ["dkim", "new", "example.com", "--selector", "s1", "--out", &keys];
    let again = signed.home.command(&new).args(["--resolver", &resolver]).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(fs::read(&key).unwrap(), before);
}

/// A name server that is one now and another one later: passes datagrams on to where it is told.
fn passes_on(to: std::sync::Arc<std::sync::Mutex<SocketAddr>>) -> SocketAddr {
    let front = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = front.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut octets = [0; 4096];
        while let Ok((many, client)) = front.recv_from(&mut octets) {
            let back = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            back.set_read_timeout(Some(PATIENCE)).unwrap();
            back.send_to(&octets[..many], *to.lock().unwrap()).unwrap();
            let Ok(many) = back.recv(&mut octets) else { continue };
            front.send_to(&octets[..many], client).unwrap();
        }
    });
    address
}

#[test]
fn whoever_makes_keys_can_wait_until_the_dns_has_them() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let zone = |records: &str| {
        Knot::start(&[Zone { name: "example.com", records: Some(records), signed: false }])
    };
    let (home, before) = (Home::new(), zone(""));
    let now = std::sync::Arc::new(std::sync::Mutex::new(before.address()));
    let resolver = passes_on(now.clone()).to_string();
    let keys = home.path().join("keys").display().to_string();
    let new =
        ["dkim", "new", "example.com", "--out", &keys, "--wait", "5m", "--resolver", &resolver];
    let mut command = home.command(&new);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("waiting until the DNS has the keys"), "{line}");
    // What is printed before it waits is what is to be published.
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    let (mut records, mut line) = (String::new(), String::new());
    while records.matches("_domainkey").count() < 2 {
        line.clear();
        assert!(printed.read_line(&mut line).unwrap() > 0, "{records}");
        if line.contains(" IN TXT ") {
            records += &line;
            while records.contains('(') && !records.trim_end().ends_with(')') {
                printed.read_line(&mut records).unwrap();
            }
            records = records.replace(['(', ')'], " ").replace("\n    ", " ");
            records += "\n";
        }
    }
    let after = zone(&records);
    *now.lock().unwrap() = after.address();
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the DNS has the keys"), "{rest}");
}

#[test]
fn who_has_waited_long_enough_is_told_what_is_missing() {
    let (home, knot) = (
        Home::new(),
        Knot::start(&[Zone { name: "example.com", records: Some(""), signed: false }]),
    );
    let keys = home.path().join("keys").display().to_string();
    let resolver = knot.address().to_string();
    let new = ["dkim", "new", "example.com", "--selector", "s1", "--out", &keys, "--wait", "1s"];
    let output = home.command(&new).args(["--resolver", &resolver]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("s1._domainkey.example.com: there is no key at that name"), "{told}");
}
