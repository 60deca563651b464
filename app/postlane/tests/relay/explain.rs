//! What replies mean, as the program tells it: one reply, a log, and a list to be labelled.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::golden::golden;
use crate::host::Host;
use crate::relay::Home;

/// A rule of an operator's own, which is asked first: so the files here are no other rule's.
const RULES: &str = r#"
[about]
providers = ["united-internet"]
source = "the postmaster, by telephone"
seen = "2026-11-20"

[[rule]]
id = "gremlins"
label = "rate_limited"
says = ["gremlins"]
unless = ["unwanted"]
rank = "exact"
wait = "4h"
means = "Gremlins count the mail that comes from your address, and have counted too much of it."
operator = ["Halve the rate of the lane.", "Feed nobody after midnight, and look at https://gremlins.example/ if it goes on."]
sender = ["Wait."]
examples = ["421 Gremlins (mxweb113) are counting"]

[[rule]]
id = "unwanted"
label = "recipient_policy"
says = ["unwanted by gremlins"]
examples = ["550 Unwanted by gremlins"]
"#;

const LOG: &str = "\
Nov 21 10:00:00 a postfix/smtp[1]: 4Z1: to=<jo@gmx.de>, relay=mx00.emig.gmx.net[192.0.2.1]:25, dsn=4.0.0, status=deferred (host mx00.emig.gmx.net[192.0.2.1] refused to talk to me: 421 Gremlins (mxgmx113) are counting)
Nov 21 10:00:01 a postfix/smtp[1]: 4Z2: to=<ed@gmx.de>, relay=mx00.emig.gmx.net[192.0.2.1]:25, dsn=4.0.0, status=deferred (host mx00.emig.gmx.net[192.0.2.1] refused to talk to me: 421 Gremlins (mxgmx118) are counting)
Nov 21 10:00:02 a postfix/smtp[1]: 4Z3: to=<al@example.net>, relay=mx.example.net[192.0.2.2]:25, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4bQ)
Nov 21 10:00:03 a postfix/qmgr[1]: 4Z3: removed
Nov 21 10:00:04 a postfix/smtp[1]: 4Z4: to=<jo@example.net>, relay=mx.example.net[192.0.2.2]:25, dsn=5.9.9, status=bounced (host mx.example.net[192.0.2.2] said: 550 5.9.9 Zyxomma 17 petiolatum (in reply to RCPT TO command))
Nov 21 10:00:05 a postfix/smtp[1]: 4Z5: to=<ed@example.net>, relay=mx.example.net[192.0.2.2]:25, dsn=5.9.9, status=bounced (host mx.example.net[192.0.2.2] said: 550 5.9.9 Zyxomma 18 petiolatum (in reply to RCPT TO command))
";

const REPLY: &str = "421-Gremlins (mxweb113) are counting your 200 messages per 10 minutes\n421 Try again in 2 hours. See https://postmaster.gmx.net/en/case?c=r1&i=ip&v=192.0.2.7&r=abc";

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.command(arguments).env_remove("COLUMNS").output().unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The same with standard input.
fn fed(home: &Home, arguments: &[&str], input: &str) -> Output {
    let mut command = home.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_reply_is_explained_to_who_runs_the_server_and_to_who_does_not() {
    let home = Home::new();
    let rules = home.write("mine.toml", RULES);
    let asked =
        ["explain", REPLY, "--mx", "mx-ha02.web.de", "--stage", "banner", "--rules", &rules];
    golden("explain.txt", &said(&run(&home, &asked)));
    let sender = [&asked[..], &["--for", "sender"]].concat();
    golden("explain-sender.txt", &said(&run(&home, &sender)));
    let json: Value =
        serde_json::from_str(&said(&run(&home, &[&asked[..], &["--json"]].concat()))).unwrap();
    golden("explain.json", &format!("{}\n", serde_json::to_string_pretty(&json).unwrap()));
}

#[test]
fn a_provider_is_known_by_id_brand_and_name_and_json_gives_the_id() {
    let home = Home::new();
    for name in ["united-internet", "web.de", "GMX", "mail-com", "1&1"] {
        let output = run(&home, &["explain", "421 Gremlins", "--provider", name, "--json"]);
        let json: Value = serde_json::from_str(&said(&output)).unwrap();
        assert_eq!(json["provider"], "united-internet", "{name}");
    }
    for (name, meant) in [("gmial", "did you mean \"gmail\"?"), ("zzzzzz", "--mx HOST")] {
        let output = run(&home, &["explain", "421 Gremlins", "--provider", name]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(meant) && error.contains(name), "{error}");
    }
}

#[test]
fn a_stage_is_known_by_any_of_its_names() {
    let home = Home::new();
    for (name, stage) in [
        ("BANNER", "connect"),
        ("HELO", "ehlo"),
        ("helo/ehlo", "ehlo"),
        ("STARTTLS", "starttls"),
        ("MAIL FROM", "mail"),
        ("RCPT TO", "rcpt"),
        ("DATA", "data"),
        ("end of DATA", "dot"),
        ("dot/eom", "dot"),
        ("EOM", "dot"),
        ("quit", "quit"),
    ] {
        let output = run(&home, &["explain", "421 x", "--stage", name, "--json"]);
        let json: Value = serde_json::from_str(&said(&output)).unwrap();
        assert_eq!(json["stage"], stage, "{name}");
    }
    let output = run(&home, &["explain", "421 x", "--stage", "lunch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("rcpt, data, dot (eom) or quit"));
}

#[test]
fn a_line_of_a_log_says_itself_who_spoke_and_where() {
    let home = Home::new();
    let line = LOG.lines().next().unwrap();
    let json: Value =
        serde_json::from_str(&said(&run(&home, &["explain", line, "--json"]))).unwrap();
    assert_eq!(json["provider"], "united-internet");
    assert_eq!(json["mx"], "mx00.emig.gmx.net");
    assert_eq!(json["stage"], "connect");
    assert_eq!(json["reply"], "421 Gremlins (mxgmx113) are counting");
}

#[test]
fn a_text_without_a_code_is_explained_and_no_code_is_made_up() {
    let home = Home::new();
    let json = said(&run(&home, &["explain", "Mailbox  full\n", "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["reply"], &json["code"]), (&"Mailbox full".into(), &Value::Null));
    assert_eq!(
        (&json["label"], &json["persistence"]),
        (&"mailbox_full".into(), &"transient".into())
    );
    let told = said(&run(&home, &["explain", "Mailbox full"]));
    assert!(told.contains("code        none was said") && !told.contains("450"), "{told}");
}

#[test]
fn a_guess_is_called_one_and_what_is_known_is_not() {
    let home = Home::new();
    let told = |reply| {
        let json = said(&run(&home, &["explain", reply, "--json"]));
        let json: Value = serde_json::from_str(&json).unwrap();
        let text = said(&run(&home, &["explain", reply]));
        let is_called_one = text.contains("), perhaps\n\nif so ");
        assert_ne!(is_called_one, text.contains("\n\nmeans "), "{text}");
        (json["because"].as_array().is_some_and(|words| !words.is_empty()), is_called_one)
    };
    // What the weights make of a wording changes with them: one of these they know something of.
    let odd = [
        "451 we have put your machine on the naughty step for today",
        "451 come back when the letter box has been emptied",
        "451 slow down, you are flooding the poor thing",
    ];
    let guesses = odd.map(told);
    assert!(guesses.iter().all(|(is_guess, is_called_one)| is_guess == is_called_one));
    assert!(guesses.contains(&(true, true)), "{guesses:?}");
    assert_eq!(told("552 5.2.2 Mailbox full"), (false, false));
}

#[test]
fn a_log_is_told_by_provider_and_meaning_and_what_is_new_comes_last() {
    let home = Home::new();
    let (rules, log) = (home.write("mine.toml", RULES), home.write("mail.log", LOG));
    let asked = ["explain", "--file", &log, "--rules", &rules];
    golden("explain-file.txt", &said(&run(&home, &asked)));
    let from_stdin = fed(&home, &["explain", "--file", "-", "--rules", &rules, "--json"], LOG);
    let json: Value = serde_json::from_str(&said(&from_stdin)).unwrap();
    assert_eq!((&json["replies"], &json["accepted"]), (&5.into(), &1.into()));
    assert_eq!(json["kinds"][0]["count"], 2);
    assert_eq!(json["kinds"][0]["rule"], "mine/gremlins");
    assert_eq!(json["unclassified"][0]["count"], 2);
    assert_eq!(json["unclassified"][0]["provider"], "example.net");
    assert_eq!(json["unclassified"][0]["cluster"], "550 # zyxomma # petiolatum");
    let nothing = home.write("nothing", "no reply here\n");
    assert_eq!(run(&home, &["explain", "--file", &nothing]).status.code(), Some(1));
    assert_eq!(run(&home, &["explain", "--file", "/nowhere"]).status.code(), Some(2));
}

#[test]
fn replies_are_labelled_line_by_line_and_a_bad_line_stops_no_other() {
    let home = Home::new();
    let rules = home.write("mine.toml", RULES);
    let asked = concat!(
        "{\"id\":1,\"reply\":\"421 Gremlins\",\"provider\":\"web.de\",\"mx_hint\":null,\"command_stage\":\"CONNECT\"}\n",
        "not json\n",
        "{\"id\":\"b\",\"reply\":\"550 Unwanted by gremlins\",\"provider\":\"nobody at all\",\"mx_hint\":\"gmx.net\",\"more\":[]}\n",
        "\n",
        "{\"id\":{\"c\":3},\"reply\":\"550 Zyxomma petiolatum\"}\n",
        "{\"reply\":\"250 2.0.0 Ok\",\"id\":null}\n",
        "{\"id\":5}\n",
    );
    let output = fed(&home, &["classify", "--rules", &rules], asked);
    assert_eq!(output.status.code(), Some(1));
    let wanted = concat!(
        "{\"id\":1,\"label\":\"rate_limited\",\"signal\":\"Rate\",\"provider\":\"united-internet\",\"rule\":\"mine/gremlins\",\"confidence\":0.98}\n",
        "{\"id\":\"b\",\"label\":\"recipient_policy\",\"signal\":\"Perm\",\"provider\":\"united-internet\",\"rule\":\"mine/unwanted\",\"confidence\":0.9}\n",
        "{\"id\":{\"c\":3},\"label\":\"unknown\",\"signal\":\"Perm\",\"provider\":null,\"rule\":\"code-class/5yz\",\"confidence\":0.2}\n",
        "{\"id\":null,\"label\":\"accepted\",\"signal\":\"Accepted\",\"provider\":null,\"rule\":\"code-class/2yz\",\"confidence\":1.0}\n",
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
    let error = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = error.lines().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(lines, ["line 2", "line 7"]);
}

#[test]
fn rules_of_ones_own_are_checked_with_their_examples() {
    let home = Home::new();
    let right = home.write("mine.toml", RULES);
    let output = run(&home, &["rules", "check", &right]);
    assert_eq!(said(&output), "2 rules can be used: each example is decided as it should be\n");
    let wrong = [
        (RULES.replace("united-internet", "gmx-and-co"), "mine.toml:3: there is no provider"),
        (RULES.replace("Unwanted by", "Wanted by"), "does not decide its example"),
        (RULES.replace("rate_limited", "rate_limits"), "there is no label"),
    ];
    for (text, says) in wrong {
        let file = home.write("mine.toml", &text);
        let output = run(&home, &["rules", "check", &file]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(says), "{error}");
        let json = run(&home, &["rules", "check", &file, "--json"]);
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(json["wrong"].as_array().unwrap().len(), 1, "{json}");
        let output = run(&home, &["explain", "421 x", "--rules", &file]);
        let is_read = says.contains("example");
        assert_eq!(output.status.code(), Some(if is_read { 0 } else { 2 }));
    }
}

#[test]
fn rules_of_ones_own_are_tried_on_what_was_recorded() {
    let home = Home::new();
    let (rules, log) = (home.write("mine.toml", RULES), home.write("mail.log", LOG));
    let told = said(&run(&home, &["rules", "try", &rules, "--on", &log]));
    assert!(told.starts_with("5 replies, 2 of them would be decided otherwise\n"), "{told}");
    assert!(told.contains("-> rate_limited") && told.contains("-> mine/gremlins"), "{told}");
    assert!(told.contains("e.g. 421 Gremlins (mxgmx113) are counting"), "{told}");
    let output = run(&home, &["rules", "try", &rules, "--on", &log, "--json"]);
    let json: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!((&json["replies"], &json["changed"]), (&5.into(), &2.into()));
    assert_eq!(json["changes"][0]["is"]["rule"], "mine/gremlins");
}

#[test]
fn a_relay_goes_by_rules_of_ones_own_and_a_reload_reads_them_anew() {
    let host = Host::start();
    let home = Home::new();
    let rule = |label: &str| {
        format!(
            "[[rule]]\nid = \"gone\"\nlabel = \"{label}\"\nsays = [\"nobody of that name\"]\n\
             source = \"s\"\nseen = \"2026\"\nexamples = [\"550 5.1.1 nobody of that name\"]\n"
        )
    };
    home.write("mine.toml", &rule("content_malware"));
    let relay = home.start_by_file(&format!(
        "[replies]\nrules = [\"mine.toml\"]\n[[route]]\npattern = \"*\"\nto = \"{}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n",
        host.address
    ));
    let refused = |recipient: &str| {
        let mut dialogue = relay.dial();
        assert!(dialogue.say("EHLO app.example").starts_with("250"));
        relay.outcome(&dialogue.hand_over("app@example.com", &[recipient], "Subject: x\r\n\r\nhi"))
    };
    let line = refused("gone-1@example.net");
    assert!(
        line.contains(" label=content_malware ") && line.contains(" rule=mine/gone "),
        "{line}"
    );
    relay.home().write("mine.toml", &rule("no such label"));
    let asked = relay.ask(&["reload"]);
    assert_eq!(asked.status.code(), Some(78), "wrong as a configuration is (decision 38)");
    assert!(String::from_utf8(asked.stderr).unwrap().contains("there is no label"));
    relay.home().write("mine.toml", &rule("recipient_policy"));
    let changed = &relay.ask_json(&["reload"])[0]["changed"];
    assert_eq!(*changed, serde_json::json!(["replies.rules"]));
    let line = refused("gone-2@example.net");
    assert!(line.contains(" label=recipient_policy "), "{line}");
}
