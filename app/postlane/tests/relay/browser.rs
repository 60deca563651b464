//! The dashboard in a real browser: Debian's Chromium, driven by `app/dashboard/browser/all.mjs`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::knot::{Knot, Zone};
use crate::receiver::Listening;
use crate::relay::{Home, Relay};

/// Ten an hour by source, and refused attempts count.
const RECEIVER: &str = r#"[meta]
id = "browser"
horizon = "1d"
seed = 4
[sender]
ips = ["ip1"]
[receiver]
site = "mx.web.de"
[[receiver.limit]]
id = "hour"
kind = "sliding"
stage = "connect"
key = ["ip"]
charge = "attempted"
quota = 10
window = "1h"
reply = "REPLY"
"#;

/// What it says: it tries to be more than text.
const HOSTILE: &str = "421 4.7.0 Too many messages <img src=x onerror=alert(1)> try again later";

/// What it says where pictures are made for the guide: what web.de says
/// (examples/receivers/p01-webde.toml).
const TRUE: &str = "421 web.de (mxweb113) Nemesis ESMTP Service not available Service unavailable \
                    Reject due to policy restrictions Please try again later. Too many messages \
                    have been received in a short period of time. Please try again in a few hours \
                    and reduce the sending rate.";

/// Addresses that begin with "unknown" do not exist there; else everything is taken.
const OPEN: &str = r#"[meta]
id = "open"
horizon = "1d"
seed = 4
[sender]
ips = ["ip1"]
[receiver]
site = "gmail-smtp-in.l.google.com"
"#;

/// What senders publish there: a policy that asks for nothing, and keys at no selector.
const RECORDS: &str = "@ MX 10 mail\nmail A 203.0.113.77\n@ A 203.0.113.77\n\
    @ TXT \"v=spf1 include:gone.example.com ip4:203.0.113.77 ~all\"\n\
    _dmarc TXT \"v=DMARC1; p=none\"\n\
    _smtp._tls TXT \"v=TLSRPTv1; rua=mailto:<img src=x onerror=alert(2)>@example.com\"\n";

/// Lists: one healthy, one that has the sender, one that refuses whoever asks, and one whose name was
/// sold.
const LISTS: [(&str, &str); 6] = [
    ("zen.spamhaus.org", "2.0.0.127 A 127.0.0.2\n77.113.0.203 A 127.0.0.3\n"),
    ("b.barracudacentral.org", "2.0.0.127 A 127.0.0.2\n"),
    ("bl.spamcop.net", "* A 127.255.255.254\n"),
    ("psbl.surriel.com", "* A 127.0.0.2\n"),
    ("dnsbl.dronebl.org", "2.0.0.127 A 127.0.0.2\n"),
    ("multi.surbl.org", "test.surbl.org A 127.0.0.254\n"),
];

/// What the world says of senders.
fn names() -> Knot {
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let reverse = "77 PTR mail.example.com.\n";
    let mut zones = vec![
        zone("example.com", RECORDS),
        zone("acme-mail.com", "bounce TXT \"v=spf1 -all\"\nbounce MX 10 mail\nmail A 192.0.2.26\n"),
        zone("com", ""),
        zone("113.0.203.in-addr.arpa", reverse),
    ];
    zones.extend(LISTS.map(|(name, records)| zone(name, records)));
    Knot::start(&zones)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/browser")
}

fn relay(reply: &str) -> (Relay, [Listening; 2], Knot) {
    let home = Home::new();
    let names = names();
    let listening = |name: &str, text: &str| {
        let path = home.write(name, text);
        Listening::start(&home, &[&path, "--speed", "60"])
    };
    let strict = listening("strict.toml", &RECEIVER.replace("REPLY", reply));
    let open = listening("open.toml", OPEN);
    let config = format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\ntests = true\n\
         [tester]\ndomain = \"test.example.org\"\n\
         [relay]\nhostname = \"app.example.com\"\n[lane]\nlearning = \"on\"\n\
         [delivery]\nresolvers = [\"{}\"]\n\
         [watch]\nquestions_per_minute = 6000\naddresses = [\"203.0.113.77\"]\n\
         domains = [\"example.com\"]\n\
         [[tenant]]\nname = \"acme\"\nbounce_address = \"b@bounce.acme-mail.com\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\nlane = \"provider\"\n\
         [[route]]\npattern = \"gmail.com\"\nto = \"{}\"\nlane = \"provider\"\n",
        names.address(),
        strict.address(),
        open.address()
    );
    let file = home.write("postlane.toml", &config);
    // An hour of the receiver's is a minute of the test's.
    (home.start_as(&["--config", &file, "--clock-speed", "60"]), [strict, open], names)
}

fn add(relay: &Relay, arguments: &[&str]) {
    let mut command = relay.home().command(&["user", "add", "--password-stdin"]);
    let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "correct horse battery").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn people_see_a_lane_throttled_and_act_on_it_in_a_real_browser() {
    let modules = folder().join("node_modules/playwright-core");
    assert!(modules.is_dir(), "run `cargo xtask peers`, or `npm ci` in app/dashboard/browser");
    let shots = std::env::var_os("POSTLANE_BLESS").map(|_| {
        let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/dashboard");
        fs::create_dir_all(&shots).unwrap();
        shots
    });
    let (relay, _receivers, _names) = relay(if shots.is_some() { TRUE } else { HOSTILE });
    let mut node = Command::new("node");
    node.arg("all.mjs").current_dir(folder());
    node.env("POSTLANE_URL", format!("http://{}", relay.http));
    node.env("POSTLANE_TOKEN", relay.token());
    node.env("POSTLANE_SMTP", relay.smtp.port().to_string());
    node.env("POSTLANE_SETUP", relay.home().data().join("setup-token"));
    node.envs(shots.map(|shots| ("POSTLANE_SHOTS", shots)));
    // The others are made when there is an admin: the first one is made in the browser.
    let mut child = node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().map_err(|e| format!("node cannot be started: {e}")).unwrap();
    while relay.home().data().join("setup-token").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the browser has ended: {}", relay.log());
        std::thread::yield_now();
    }
    add(&relay, &["vera"]);
    add(&relay, &["tina", "--role", "operator", "--tenant", "acme"]);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("all well"), "{said}");
}
