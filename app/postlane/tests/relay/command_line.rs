//! The program run cold: what it prints, and with what status it ends.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::relay::{Home, PATIENCE, Relay};

#[test]
fn a_command_without_a_server_says_so_and_exits_with_4() {
    let output = Home::new().command(&["queue", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("is a server running"), "{said}");
}

#[test]
fn a_server_that_cannot_open_its_doors_says_which_why_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let place = Home::new();
    let deep = place.path().join("d".repeat(120)).display().to_string();
    let nowhere = ["--http", "192.0.2.1:8025"];
    let (later, never) = (75, 78);
    let [smtp, http] = ["(--smtp, or listener.address)", "(--http, or http.address)"];
    let wrong: [(&[&str], i32, [&str; 2]); 5] = [
        (&["--smtp", &taken], later, [smtp, "another program listens there"]),
        (&["--http", &taken], later, [http, "another program listens there"]),
        (&nowhere, later, [http, "this machine has no such address"]),
        (&["--data", &deep, "--http", "127.0.0.1:0"], never, ["control.sock", "107 octets"]),
        (&["--data", "/dev/null/data"], later, ["data directory /dev/null/data", "--data DIR"]),
    ];
    for (arguments, status, says) in wrong {
        let home = Home::new();
        let smtp: &[&str] =
            if arguments.contains(&"--smtp") { &[] } else { &["--smtp", "127.0.0.1:0"] };
        let output = home.command(&["serve"]).args(smtp).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(says.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
        // Mail that it would have begun to send were cut off: of queue, registry and secret there is nothing.
        let touched = fs::read_dir(home.data()).into_iter().flatten();
        let touched: Vec<_> = touched.map(|entry| entry.unwrap().file_name()).collect();
        let is_a_door =
            |name: &OsString| ["spool", "control.sock", "token"].iter().any(|n| name == n);
        assert!(touched.iter().all(is_a_door), "{touched:?}");
    }
}

#[test]
fn systemd_gives_up_on_a_wrong_configuration_and_on_nothing_else() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/debian/postlane.service");
    let unit = fs::read_to_string(unit).unwrap();
    for line in ["Restart=on-failure", "RestartPreventExitStatus=2 78", "StartLimitIntervalSec=0"] {
        assert!(unit.lines().any(|written| written == line), "{line} in {unit}");
    }
}

#[test]
fn a_second_server_in_a_directory_says_who_is_there_and_touches_nothing() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let smtp = relay.smtp.to_string();
    for address in ["127.0.0.1:0", &smtp] {
        let second = relay.ask(&["serve", "--smtp", address, "--http", "127.0.0.1:0"]);
        let said = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(75), "{said}");
        let [line] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
        let (spool, pid) = (relay.home().data().join("spool"), relay.pid());
        let says = format!("the spool in `{}` is in use by process {pid}: ", spool.display());
        assert!(line.contains(&says) && line.contains("stop that one first"), "{line}");
    }
    assert!(!relay.log().contains("event=alarm"), "{}", relay.log());
}

#[test]
fn time_goes_on_where_it_ran_faster_and_does_not_go_back() {
    let faster = ["--route", "*=127.0.0.1:9", "--clock-speed", "600"];
    let relay = Relay::start(&faster);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    // So far ahead that a slow machine does not catch up.
    let clock = relay.home().data().join("clock");
    let micros = |text: &str| text.split(' ').next()?.parse::<u128>().ok();
    let reached = || micros(&fs::read_to_string(&clock).unwrap_or_default());
    let ahead = Duration::from_secs(600);
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let until = Instant::now() + PATIENCE;
    while reached().is_none_or(|reached| reached < (now() + ahead).as_micros()) {
        assert!(Instant::now() < until, "{}", relay.log());
        thread::yield_now();
    }
    let (_, home) = relay.stop();
    let by_the_wall =
        ["serve", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--route", "*=127.0.0.1:9"];
    let refused = home.command(&by_the_wall).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(78), "{said}");
    assert!(said.contains("has run with --clock-speed or --now until 2"), "{said}");
    let export = home.path().join("export");
    assert!(home.command(&["spool", "export"]).arg(export).status().unwrap().success());
    let reached = fs::read_to_string(home.data().join("clock")).unwrap();
    let relay = home.start(&faster);
    relay.list_until(|waits| waits.len() == 1 && waits[0]["id"] == id.as_str());
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let next =
        dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let accepted = relay.logged(&[&format!(" event=accepted id={next} ")]);
    let reached = format!("ts={}", reached.split_whitespace().nth(1).unwrap());
    assert!(accepted > reached, "{accepted} after {reached}");
}

#[test]
fn a_source_whose_address_is_not_this_machines_is_told_when_the_relay_starts() {
    let text = "[[listener]]\naddress = \"127.0.0.1:0\"\n[[source]]\nname = \"a\"\naddress = \
                \"192.0.2.1\"\n[[source]]\nname = \"b\"\naddress = \"127.0.0.1\"\n";
    let log = Home::new().start_by_file(text).log();
    assert!(log.contains("event=alarm text=\"the source \\\"a\\\" cannot send"), "{log}");
    assert!(!log.contains("source \\\"b\\\""), "{log}");
}

#[test]
fn a_relay_that_is_told_to_end_ends_well_and_keeps_what_waits() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let mut dialogue = relay.dial();
    assert!(dialogue.say("EHLO app.example").starts_with("250"));
    let id = dialogue.hand_over("app@example.com", &["jo@example.net"], "Subject: hello\r\n\r\nhi");
    let (status, home) = relay.stop();
    assert!(status.success(), "{status}");
    let relay = home.start(&["--route", "*=127.0.0.1:9"]);
    // The queue comes back behind the first mail that is taken again.
    relay.list_until(|waits| waits.len() == 1 && waits[0]["id"] == id.as_str());
}

#[test]
fn wrong_usage_says_what_would_be_right_and_exits_with_2() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let binary = home.data().join("binary");
    fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
    let (binary, folder) = (binary.to_str().unwrap(), home.data());
    let folder = folder.to_str().unwrap();
    let wrong: [(&[&str], &str); 22] = [
        (&[], "Usage: postlane"),
        (&["queue", "lst"], "a similar subcommand exists: 'list'"),
        (&["queue", "show", "nonsense"], "not a queue id: 13 characters"),
        (&["queue", "retry"], "--all for all that waits"),
        (&["queue", "list", "--older-than", "5x"], "90s, 15m, 2h, 1d"),
        (&["queue", "list", "--stream", "warm"], "transactional, engaged, cold"),
        (&["queue", "list", "--tenant", "a b"], "--tenant"),
        (&["send", "--to", "jo@example.net", "--text", "hi"], "--from"),
        (&["serve", "--now", "yesterday"], "--now"),
        (&["serve", "--smtp", "localhost"], "as in 127.0.0.1:2525"),
        (&["rehearse", binary], "it is no text in UTF-8: name a TOML file"),
        (&["receiver", folder, "--listen", "127.0.0.1:0"], "it is a folder, and a file is wanted"),
        (&["rules", "check", binary], "it is no text in UTF-8"),
        (&["analyze", binary], "--format (postfix, exim,"),
        (&["analyze", "/nowhere/mail.log"], "journalctl -u 'postfix*'"),
        (&["analyze", folder], "a file is wanted: name its files"),
        (&["explain", "--file", folder], "it is a folder, and a file is wanted"),
        (&["rehearse", "p01-webd"], "did you mean p01-webde?"),
        (&["receiver", "p01-webd", "--listen", "127.0.0.1:0"], "did you mean p01-webde?"),
        (&["lanes", "pause", "web.de", "--until", "tomorrow"], "2026-05-31T08:00:00Z"),
        (&["serve", "--route", "example.net"], "a route is a pattern and a host"),
        (&["explain", "421 Later", "--stage", "dinner"], "a stage is connect (banner)"),
    ];
    for (arguments, says) in wrong {
        let output = home.command(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_the_server_refuses_is_told_and_exits_with_2() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let output =
        relay.ask(&["send", "--from", "nonsense", "--to", "jo@example.net", "--text", "hi"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("from \"nonsense\": ").count(), 1, "told once: {said}");
}

#[test]
fn a_negative_answer_exits_with_1() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    for arguments in [
        &["queue", "list"][..],
        &["queue", "summary"],
        &["queue", "show", "0000000000000"],
        &["queue", "hold", "--domain", "example.net"],
    ] {
        assert_eq!(relay.ask(arguments).status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_list_that_is_empty_exits_with_1_alike() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let lists: [&[&str]; 9] = [
        &["queue", "list"],
        &["lanes", "list"],
        &["preflight"],
        &["domains", "list"],
        &["token", "list"],
        &["view", "list"],
        &["webhook", "list"],
        &["tls-report"],
        &["user", "list"],
    ];
    for list in lists {
        let as_json = relay.ask(&[list, &["--json"]].concat());
        assert_eq!(as_json.status.code(), Some(1), "{list:?} as JSON");
        let output = relay.ask(list);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{list:?}: {said}");
        assert!(!said.is_empty(), "{list:?} says that there is nothing");
    }
}

#[test]
fn a_server_that_hangs_up_leaves_it_undetermined_and_exits_with_3() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().for_each(drop));
    let output = relay.ask(&["queue", "list", "--server", &address]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("broke"), "{said}");
}

#[test]
fn a_command_finds_the_server_over_http_too() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let elsewhere = Home::new();
    let token = relay.home().data().join("token");
    let over_http = |address: &str| {
        let arguments = ["queue", "list", "--server", address, "--token", token.to_str().unwrap()];
        elsewhere.command(&arguments).output().unwrap().status.code()
    };
    assert_eq!(over_http(&relay.http.to_string()), Some(1));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(over_http(&free.to_string()), Some(4));
    let arguments = ["queue", "list", "--server", &relay.smtp.to_string(), "--token"];
    let astray = [&arguments[..], &[token.to_str().unwrap()]].concat();
    let said = String::from_utf8(elsewhere.command(&astray).output().unwrap().stderr).unwrap();
    assert!(said.contains("what listens there does not speak HTTP"), "{said}");
}

#[test]
fn a_message_is_sent_whole_or_in_parts_and_a_key_sends_it_once() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    let file = relay.home().data().join("message");
    fs::write(&file, "Subject: hello\n\nhi\n").unwrap();
    let raw = [
        "--raw",
        file.to_str().unwrap(),
        "--to",
        "jo@example.net",
        "--mail-from",
        "app@example.com",
    ];
    let whole = relay.ask(&[&["send"], &raw[..]].concat());
    assert_eq!(whole.status.code(), Some(0));
    let parts =
        ["send", "--mail-from", "app@example.com", "--to", "jo@example.net", "--html", "<p>hi"];
    let keyed = [&parts[..], &["--idempotency-key", "7"]].concat();
    let once = relay.ask(&keyed);
    assert_eq!(once.status.code(), Some(0), "{once:?}");
    assert_eq!(relay.ask(&keyed).stdout, once.stdout);
    let waits = relay.list_until(|rows| rows.len() == 2);
    let ids: Vec<String> =
        waits.iter().map(|row| format!("{}\n", row["id"].as_str().unwrap())).collect();
    assert_eq!(
        ids,
        [String::from_utf8(whole.stdout).unwrap(), String::from_utf8(once.stdout).unwrap()]
    );
}

#[test]
fn an_answer_that_cannot_be_written_is_not_taken_for_a_whole_one() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in
        [&["config", "explain"][..], &["rehearse", "--list"], &["explain", "421 Later"]]
    {
        let output = Home::new().command(arguments).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(75), "{arguments:?}: {said}");
        assert!(said.contains("the answer cannot be written: No space left"), "{said}");
    }
}

#[test]
fn whoever_reads_no_further_ends_a_command_that_prints_a_lot_quietly() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    relay.ask(&["suppression", "add", "jo@example.net"]);
    for arguments in [
        &["suppression", "export"][..],
        &["suppression", "export", "--format", "jsonl"],
        &["suppression", "list", "--json"],
        &["config", "explain"],
        &["completions", "zsh"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = relay.home().command(arguments).stdout(writer).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = relay.home().command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(75), "{arguments:?} on a full disk");
    }
}

#[test]
fn where_a_token_is_named_that_is_none_the_cure_is_another_token() {
    let home = Home::new();
    let empty = home.write("empty", "");
    let output =
        home.command(&["queue", "list", "--server", "127.0.0.1:9", "--token", &empty]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.contains("postlane token new") && !said.contains("postlane serve"), "{said}");
}
