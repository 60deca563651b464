//! The relay with a configuration file: what it says holds, changes at a reload, and is refused
//! with all that is wrong with it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use postlane_smtp::auth::{ClientExchange, Credentials, Nonce};

use crate::encrypted::{dial_with_starttls, make_certificate};
use crate::host::Host;
use crate::relay::{Dialogue, Home, Relay, connect};

/// A listener on a free port, and mail that goes nowhere.
const ON_A_FREE_PORT: &str = "[[route]]\npattern = \"*\"\nto = \"127.0.0.1:9\"\n\
                              [[listener]]\naddress = \"127.0.0.1:0\"\n";

#[test]
fn what_the_file_says_holds_and_flags_beat_it() {
    let home = Home::new();
    let text = "[relay]\nhostname = \"relay.example\"\n[http]\naddress = \"192.0.2.1:1\"\n\
                [limits]\nmessage_size = \"70KiB\"\n";
    let relay = home.start_by_file(&format!("{text}{ON_A_FREE_PORT}"));
    let greeting = Dialogue::over(connect(relay.smtp)).hear();
    assert!(greeting.starts_with("220 relay.example "), "{greeting}");
    let ehlo = relay.dial().say("EHLO app.example");
    assert!(ehlo.contains("SIZE 71680"), "{ehlo}");
}

#[test]
fn a_broken_file_is_refused_with_all_that_is_wrong_and_status_78() {
    let home = Home::new();
    let text =
        "[lane]\nmax_conections = 5\n[limits]\nidle = 5\n[[tenant]]\nname = \"a\"\npool = \"b\"\n";
    let file = home.write("postlane.toml", text);
    for command in [&["serve", "--config"][..], &["config", "check"], &["config", "show"]] {
        let output = home.command(command).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{command:?}");
        assert!(output.stdout.is_empty(), "{command:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        let [key, unit, pool, end] = lines[..] else { panic!("{said}") };
        let at = |line: usize, column: usize| format!("{file}:{line}:{column}: ");
        assert!(key.starts_with(&at(2, 1)) && key.contains("did you mean `lane.max_connections`?"));
        assert!(unit.starts_with(&at(4, 8)) && unit.contains("as \"5s\""), "{unit}");
        assert!(pool.starts_with(&at(7, 8)), "{pool}");
        assert!(end.contains("3 errors"), "{end}");
    }
    assert!(!home.data().exists());
}

#[test]
fn a_reload_changes_a_ceiling_keeps_sessions_and_names_what_needs_a_restart() {
    let relay = Home::new().start_by_file(ON_A_FREE_PORT);
    let mut open = relay.dial();
    assert!(open.say("EHLO app.example").starts_with("250"));
    let text = "[limits]\nsessions_per_client = 1\n[spool]\nsegment_size = \"64MiB\"\n";
    relay.home().write("postlane.toml", &format!("{text}{ON_A_FREE_PORT}"));
    let said = relay.hang_up();
    assert!(
        said.contains(
            " event=reloaded changed=limits.sessions_per_client needs_restart=spool.segment_size\n"
        ),
        "{said}"
    );
    // Whoever reads the log by its form reads this, too.
    assert!(said.lines().all(|line| line.starts_with("ts=")), "{said}");
    let turned_away = Dialogue::over(connect(relay.smtp)).hear();
    assert!(turned_away.starts_with("421 4.7.0"), "{turned_away}");
    open.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let again = &relay.ask_json(&["reload"])[0];
    assert_eq!(again["changed"], serde_json::json!([]));
    assert_eq!(again["need_restart"], serde_json::json!(["spool.segment_size"]));
}

#[test]
fn a_broken_file_changes_nothing_in_a_relay_that_runs() {
    let relay = Home::new().start_by_file(ON_A_FREE_PORT);
    relay.home().write("postlane.toml", "[limits]\nsessions = 1\nsesions_per_client = 1\n");
    let said = relay.hang_up();
    assert!(said.contains("postlane.toml:3:1: there is no setting"), "{said}");
    assert!(
        said.ends_with(" event=reload-refused text=\"the configuration was not changed\"\n"),
        "{said}"
    );
    assert!(said.lines().all(|line| line.starts_with("ts=")), "{said}");
    let asked = relay.ask(&["reload"]);
    assert_eq!(asked.status.code(), Some(78));
    assert!(String::from_utf8(asked.stderr).unwrap().contains("postlane.toml:3:1: "));
    let (_one, _other) = (relay.dial(), relay.dial());
}

/// A relay that lets nobody send mail but its one user.
fn relay_with_a_user(listener: &str) -> Relay {
    let home = Home::new();
    make_certificate(&home);
    home.write("password", "pencil\n");
    home.start_by_file(&format!(
        "[relay]\nnetworks = []\n{ON_A_FREE_PORT}{listener}\n\
         [[credential]]\nuser = \"shop\"\npassword_file = \"password\"\ntenant = \"acme\"\n\
         [[tenant]]\nname = \"acme\"\n"
    ))
}

const WITH_STARTTLS: &str = "tls = \"starttls\"\ncert = \"cert.pem\"\nkey = \"key.pem\"";

/// Authenticates; gives the last reply.
fn authenticate(dialogue: &mut Dialogue, mechanism: &str, password: &str) -> String {
    let credentials = Credentials { user: "shop".into(), password: password.into() };
    let (mut line, mut exchange) =
        ClientExchange::begin(&credentials, &[mechanism.into()], Nonce([7; 18])).unwrap();
    loop {
        let reply = dialogue.say(&line);
        let Some(challenge) = reply.strip_prefix("334 ") else {
            assert!(!reply.starts_with('2') || exchange.finish().is_ok());
            return reply;
        };
        line = exchange.respond(challenge).unwrap();
    }
}

#[test]
fn a_user_sends_mail_over_tls_with_the_password_and_with_no_other() {
    let relay = relay_with_a_user(WITH_STARTTLS);
    for mechanism in ["SCRAM-SHA-256", "PLAIN", "LOGIN"] {
        let mut dialogue = dial_with_starttls(relay.home(), relay.smtp);
        let ehlo = dialogue.say("EHLO app.example");
        assert!(ehlo.contains(mechanism), "{ehlo}");
        assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("250"));
        assert!(dialogue.say("RCPT TO:<jo@example.net>").starts_with("5"));
        assert!(dialogue.say("RSET").starts_with("250"));
        let refused = authenticate(&mut dialogue, mechanism, "pen");
        assert!(refused.starts_with("535"), "{refused}");
        let accepted = authenticate(&mut dialogue, mechanism, "pencil");
        assert!(accepted.starts_with("235"), "{mechanism}: {accepted}");
        let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: x\r\n\r\n.");
        let row = relay.ask_json(&["queue", "list"]).into_iter().find(|row| row["id"] == *id);
        assert_eq!(row.unwrap()["tenant"], "acme");
    }
}

#[test]
fn who_has_guessed_too_often_may_not_even_say_the_right_password() {
    let few = format!("{WITH_STARTTLS}\n[limits]\nfailed_logins = \"3/h\"");
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let relay = relay_with_a_user(&few);
        let try_it = |password: &str| {
            let mut dialogue = dial_with_starttls(relay.home(), relay.smtp);
            dialogue.say("EHLO app.example");
            authenticate(&mut dialogue, mechanism, password)
        };
        for _ in 0..5 {
            assert!(try_it("pencil").starts_with("235"), "the right one costs no try");
        }
        for _ in 0..3 {
            assert!(try_it("pen").starts_with("535"));
        }
        for password in ["pen", "pencil"] {
            let refused = try_it(password);
            assert!(refused.starts_with("454 4.7.0"), "{mechanism}: {refused}");
        }
    }
}

#[test]
fn a_password_is_never_asked_for_in_the_clear() {
    let relay = relay_with_a_user(WITH_STARTTLS);
    let mut dialogue = relay.dial();
    let ehlo = dialogue.say("EHLO app.example");
    assert!(ehlo.contains("STARTTLS") && !ehlo.contains("AUTH"), "{ehlo}");
    let refused = authenticate(&mut dialogue, "PLAIN", "pencil");
    assert!(refused.starts_with('5'), "{refused}");
}

#[test]
fn on_loopback_a_password_may_go_in_the_clear_where_the_file_says_so() {
    let relay = relay_with_a_user("auth = \"required\"\nauth_without_tls = \"loopback\"");
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").contains("AUTH"));
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("530"));
    assert!(authenticate(&mut dialogue, "SCRAM-SHA-256", "pencil").starts_with("235"));
    dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: x\r\n\r\nhi");
}

/// A session that a load balancer passes on for that client, by a PROXY header (version 2).
fn passed_on(relay: &Relay, client: [u8; 4]) -> Dialogue {
    let mut stream = connect(relay.smtp);
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend(client);
    header.extend([127, 0, 0, 1, 0x30, 0x39, 0, 25]);
    stream.write_all(&header).unwrap();
    let mut dialogue = Dialogue::over(stream);
    let greeting = dialogue.hear();
    assert!(greeting.starts_with("220"), "{greeting}");
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    assert!(dialogue.say("MAIL FROM:<app@example.com>").starts_with("250"));
    dialogue
}

#[test]
fn who_may_relay_is_told_by_the_address_that_a_balancer_passes_on() {
    let text = format!(
        "[relay]\nnetworks = [\"10.1.0.0/16\"]\n{ON_A_FREE_PORT}\
         proxy_protocol_from = [\"127.0.0.0/8\"]\n"
    );
    let relay = Home::new().start_by_file(&text);
    let neighbour = passed_on(&relay, [10, 1, 2, 3]).say("RCPT TO:<jo@example.net>");
    assert!(neighbour.starts_with("250"), "{neighbour}");
    let stranger = passed_on(&relay, [192, 0, 2, 7]).say("RCPT TO:<jo@example.net>");
    assert!(stranger.starts_with("5"), "{stranger}");
}

#[test]
fn from_others_no_address_is_taken() {
    let relay = Home::new().start_by_file(ON_A_FREE_PORT);
    let mut stream = connect(relay.smtp);
    stream
        .write_all(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\n\x01\x02\x03\x7f\0\0\x01\x30\x39\0\x19")
        .unwrap();
    let mut dialogue = Dialogue::over(stream);
    assert!(dialogue.hear().starts_with("220"));
    let reply = dialogue.hear();
    assert!(reply.starts_with('5') || reply.is_empty(), "{reply}");
}

#[test]
fn settings_are_explained_and_shown_without_a_server() {
    let home = Home::new();
    let said = |arguments: &[&str]| {
        let output = home.command(arguments).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|o| String::from_utf8(o).unwrap());
        (output.status.code().unwrap(), out, err)
    };
    let (status, out, _) = said(&["config", "explain", "lane.max_connections"]);
    assert_eq!(status, 0);
    assert!(out.contains("  bounds   1 to 5000\n"), "{out}");
    let (status, _, err) = said(&["config", "explain", "lane.max_conections"]);
    assert_eq!(status, 2);
    assert!(err.contains("did you mean `lane.max_connections`?"), "{err}");
    let file = home.write("postlane.toml", "[lane]\nmax_connections = 7\n");
    let (status, out, _) = said(&["config", "show", &file]);
    assert_eq!(status, 0);
    assert!(out.contains(&format!("lane.max_connections = 7  # {file}:2\n")), "{out}");
    assert!(out.contains("  # --data\n") && out.contains("lane.max_rate = \"off\"  # default\n"));
    let (status, out, _) = said(&["config", "check", &file]);
    assert_eq!((status, out), (0, format!("{file} can be used\n")));
    let (status, out, _) = said(&["config", "check", &file, "--json"]);
    assert_eq!((status, out), (0, String::new()));
}

/// The top of the tree.
fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The pieces of a page that are written as TOML.
fn pieces(page: &str) -> Vec<String> {
    let behind = page.split("```toml\n").skip(1);
    behind.map(|piece| piece.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn what_we_ship_and_what_the_guide_shows_can_be_used_without_a_doubt() {
    let home = Home::new();
    make_certificate(&home);
    for name in ["shop", "news", "smart-host"] {
        home.write(&format!("{name}.password"), "pencil\n");
    }
    let keys = home.path().join("keys").display().to_string();
    let new = ["dkim", "new", "example.com", "--selector", "s202611", "--out", &keys];
    // Nobody answers there, which is no matter to who only wants keys.
    let made = home.command(&new).args(["--resolver", "127.0.0.1:9"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).unwrap());
    let examples = fs::read_dir(tree().join("examples")).unwrap();
    let files = examples.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut shipped: Vec<_> = files.map(read).collect();
    assert!(shipped.len() >= 4, "{shipped:?}");
    shipped.push(read(tree().join("packaging/postlane.toml")));
    let (guide, page) = read(tree().join("docs/guide/configuration.md"));
    let shown = pieces(&page);
    assert!(!shown.is_empty());
    shipped.extend(shown.into_iter().map(|piece| (guide.clone(), piece)));
    for (name, text) in shipped {
        let text = text.replace("/etc/postlane", home.path().to_str().unwrap());
        let file = home.write("postlane.toml", &text);
        let output = home.command(&["config", "check", &file]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn a_new_route_holds_for_mail_that_waits_already() {
    let host = Host::start();
    let relay = Home::new().start_by_file(ON_A_FREE_PORT);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: x\r\n\r\nhi");
    relay.log_until(|log| log.contains("event=connect-failed"));
    let moved = ON_A_FREE_PORT.replace("127.0.0.1:9", &host.address.to_string());
    relay.home().write("postlane.toml", &moved);
    let said = relay.hang_up();
    assert!(said.contains(" event=reloaded changed=route.to\n"), "{said}");
    relay.log_until(|log| log.contains("event=delivered"));
}

#[test]
fn a_smart_host_is_sent_mail_by_its_user_over_tls_that_proves_its_name() {
    let smart_host = relay_with_a_user(WITH_STARTTLS);
    let home = Home::new();
    home.write("password", "pencil\n");
    let authority = smart_host.home().path().join("cert.pem");
    let relay = home.start_by_file(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"example.net\"\nto = \"{}\"\nuser = \"shop\"\n\
         password_file = \"password\"\ntls = \"required\"\n\
         [[domain]]\nname = \"example.net\"\ntls = \"required\"\nca_file = \"{}\"\n",
        smart_host.smtp,
        authority.display()
    ));
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: x\r\n\r\nhi");
    let log = relay.log_until(|log| log.contains("event=delivered"));
    assert!(log.contains(" tls=TLSv1.3 "), "{log}");
    let log = smart_host.log_until(|log| log.contains("event=accepted"));
    assert!(log.contains(" protocol=ESMTPSA tls=TLSv1.3 user=shop\n"), "{log}");
}

#[test]
fn where_the_system_has_no_certificate_authorities_it_is_said_what_to_install_or_to_name() {
    let home = Home::new();
    let none = home.path().join("none");
    let mut serve = home.command(&["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let output = serve.env("SSL_CERT_FILE", &none).env("SSL_CERT_DIR", &none).output().unwrap();
    assert_eq!(output.status.code(), Some(75), "they may be installed meanwhile");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ca-certificates") && said.contains("https.extra_roots"), "{said}");
}
