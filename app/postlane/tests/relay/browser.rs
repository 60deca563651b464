//! The dashboard in a real browser: Debian's Chromium, driven by `app/dashboard/browser/all.mjs`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/browser")
}

fn relay(reply: &str) -> (Relay, [Listening; 2]) {
    let home = Home::new();
    let listening = |name: &str, text: &str| {
        let path = home.write(name, text);
        Listening::start(&home, &[&path, "--speed", "60"])
    };
    let strict = listening("strict.toml", &RECEIVER.replace("REPLY", reply));
    let open = listening("open.toml", OPEN);
    let config = format!(
        "[relay]\nhostname = \"app.example.com\"\n[lane]\nlearning = \"on\"\n\
         [[route]]\npattern = \"*\"\nto = \"{}\"\nlane = \"provider\"\n\
         [[route]]\npattern = \"gmail.com\"\nto = \"{}\"\nlane = \"provider\"\n",
        strict.address(),
        open.address()
    );
    let file = home.write("postlane.toml", &config);
    // An hour of the receiver's is a minute of the test's.
    (home.start(&["--config", &file, "--clock-speed", "60"]), [strict, open])
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
    let (relay, _receivers) = relay(if shots.is_some() { TRUE } else { HOSTILE });
    let mut node = Command::new("node");
    node.arg("all.mjs").current_dir(folder());
    node.env("POSTLANE_URL", format!("http://{}", relay.http));
    node.env("POSTLANE_TOKEN", relay.token());
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
