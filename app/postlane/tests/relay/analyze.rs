//! Logs that other mail servers wrote against model receivers, as `postlane analyze` reads them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::golden::golden;
use crate::knot::{Knot, Zone};
use crate::relay::Home;

/// Recorded logs.
fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/maillog/tests/logs").join(name)
}

/// A copy that was last written to on 2026-11-22: the year of its lines is that.
fn dated(home: &Home, name: &str) -> String {
    let file = Path::new(name).file_name().unwrap();
    let copy = home.path().join(file);
    fs::copy(recorded(name), &copy).unwrap();
    date(&copy);
    copy.to_str().unwrap().to_owned()
}

fn date(file: &Path) {
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_330_000);
    File::options().write(true).open(file).unwrap().set_modified(day).unwrap();
}

fn analyze(home: &Home, arguments: &[&str]) -> Output {
    let all: Vec<&str> = ["analyze"].iter().chain(arguments).copied().collect();
    home.command(&all).env_remove("COLUMNS").output().unwrap()
}

fn json(home: &Home, arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let output = analyze(home, &all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The provider with this id.
fn provider<'v>(told: &'v Value, id: &str) -> &'v Value {
    let all = told["providers"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {told}"))
}

const POSTFIX: &str = "postfix-3.7/mail.log.gz";

#[test]
fn a_log_that_postfix_wrote_is_understood() {
    let home = Home::new();
    let log = dated(&home, POSTFIX);
    let told = json(&home, &[&log]);
    golden("analyze-postfix.json", &format!("{told:#}\n"));
    assert_eq!(told["bad_lines"], 0);
    let united = provider(&told, "united-internet");
    // 230 recipients were written to; each was taken, refused, given up, or still waits.
    let ended: u64 = ["accepted", "bounced", "expired", "waiting"]
        .iter()
        .map(|key| united[*key].as_u64().unwrap())
        .sum();
    assert_eq!(ended, 230, "{united}");
    let text = analyze(&home, &[&log]);
    golden("analyze-postfix.txt", &String::from_utf8(text.stdout).unwrap());
}

#[test]
fn a_log_that_exim_wrote_is_understood() {
    let home = Home::new();
    let log = dated(&home, "exim-4.96/mainlog.gz");
    let told = json(&home, &[&log]);
    golden("analyze-exim.json", &format!("{told:#}\n"));
    let gmail = provider(&told, "google");
    assert_eq!((&gmail["accepted"], &gmail["bounced"]), (&115.into(), &5.into()));
    // 51 and 9 of example.org, each greylisted twice by the receiver's own count.
    let grey = provider(&told, "example.org");
    assert_eq!((&grey["accepted"], &grey["bounced"]), (&51.into(), &9.into()));
    let united = provider(&told, "united-internet");
    assert_eq!(united["verdict"]["class"], "throttle");
}

#[test]
fn a_log_that_haraka_wrote_is_understood() {
    let home = Home::new();
    let log = dated(&home, "haraka-3.3/haraka.log.gz");
    let told = json(&home, &[&log]);
    golden("analyze-haraka.json", &format!("{told:#}\n"));
    // By the receivers' own counts: 250, 421 and 550.
    let united = provider(&told, "united-internet");
    let said: Vec<u64> = ["accepted", "deferred", "bounced"]
        .iter()
        .map(|key| united[*key].as_u64().unwrap())
        .collect();
    assert_eq!(said, [151, 542, 9], "{united}");
    let grey = provider(&told, "example.org");
    assert_eq!((&grey["accepted"], &grey["deferred"]), (&51.into(), &120.into()));
}

#[test]
fn what_is_packed_is_seen_by_its_octets_by_name_or_piped() {
    let home = Home::new();
    let named = json(&home, &[&dated(&home, "exim-4.96/mainlog.gz")]);
    let rotated = home.path().join("mainlog.1");
    fs::copy(recorded("exim-4.96/mainlog.gz"), &rotated).unwrap();
    date(&rotated);
    assert_eq!(json(&home, &[rotated.to_str().unwrap()]), named);
    let piped = home
        .command(&["analyze", "-", "--json"])
        .stdin(File::open(&rotated).unwrap())
        .output()
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&piped.stdout).unwrap(), named);
}

#[test]
fn a_log_of_another_server_makes_a_pack_of_evidence() {
    let home = Home::new();
    let nobody_asked = home.write("answers.json", "[]");
    for (name, log) in
        [("postfix", dated(&home, POSTFIX)), ("exim", dated(&home, "exim-4.96/mainlog.gz"))]
    {
        let out = home.path().join(name);
        let asked = ["evidence", "--provider", "web.de", "--ip", "192.0.2.77", "--log", &log];
        let output = home
            .command(&asked)
            .args(["--replay", &nobody_asked, "--out"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let letter = fs::read_to_string(out.join("letter.txt")).unwrap();
        // What the sender is refused for, not what was said of one recipient.
        assert!(letter.contains("421 web.de (mxweb113) Nemesis ESMTP"), "{letter}");
        assert!(letter.contains("192.0.2.77"), "{letter}");
        let samples = fs::read_to_string(out.join("samples.jsonl")).unwrap();
        let samples: Vec<Value> =
            samples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!((5..=20).contains(&samples.len()), "{}", samples.len());
        for sample in &samples {
            let text = |key: &str| sample[key].as_str().unwrap().to_owned();
            assert!(text("message_id").ends_with("@sender.example>"), "{sample}");
            assert!(text("sender").ends_with("@sender.example"), "{sample}");
            assert!(text("recipient").starts_with("x-"), "{sample}");
        }
        for file in fs::read_dir(&out).unwrap().map(Result::unwrap) {
            let text = fs::read_to_string(file.path()).unwrap();
            assert!(!text.contains("news@sender.example"), "{}", file.path().display());
        }
    }
    let asked = ["evidence", "--provider", "nobody.example", "--out", "out", "--log"];
    let output = home.command(&asked).arg(dated(&home, POSTFIX)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was sent to nobody.example"));
}

#[test]
fn a_pack_from_a_log_says_what_the_reverse_dns_has_of_each_address_that_was_named() {
    let home = Home::new();
    let zone = |name, records| Zone { name, records: Some(records), signed: false };
    let knot = Knot::start(&[
        zone("2.0.192.in-addr.arpa", "77 PTR out.example.com.\n78 PTR elsewhere.example.com.\n"),
        zone("example.com", "out A 192.0.2.77\nelsewhere A 192.0.2.9\n"),
    ]);
    let log = dated(&home, POSTFIX);
    let out = home.path().join("pack");
    let asked = ["evidence", "--provider", "web.de", "--ip", "192.0.2.77", "--ip", "192.0.2.78"];
    let output = home
        .command(&asked)
        .args(["--log", &log, "--resolver", &knot.address().to_string(), "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("192.0.2.77: out.example.com, leads back (asked 20"), "{report}");
    let other = "192.0.2.78: elsewhere.example.com, does not lead back (asked 20";
    assert!(report.contains(other), "{report}");

    let asked = ["evidence", "--provider", "web.de", "--out", "out", "--resolver", "127.0.0.1:9"];
    let output = home.command(&asked).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(says.contains("together with --dir or --log"), "{says}");
}

#[test]
fn a_report_is_one_page_and_nothing_in_a_log_is_mark_up() {
    let home = Home::new();
    let log = dated(&home, POSTFIX);
    let evil = home.write(
        "evil.log",
        "Nov 21 06:30:01 <b>mx postfix/smtp[1]: 4A1B2C: to=<\"<script>alert(1)</script>\"@a.example>, \
         relay=mx.a.example[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=4.0.0, status=deferred (host \
         mx.a.example[192.0.2.1] said: 421 <img src=x onerror=alert(1)> (in reply to MAIL FROM command))\n",
    );
    date(Path::new(&evil));
    let page = home.path().join("report.html");
    let output = analyze(&home, &[&log, &evil, "--html", page.to_str().unwrap()]);
    assert!(output.status.success());
    let page = fs::read_to_string(page).unwrap();
    for mark in ["<script", "<img", "http://", "src=x onerror=alert(1)>", " onload"] {
        assert!(!page.contains(mark), "{mark}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert_eq!(page.matches("<section id=").count(), 5);
}

#[test]
fn postfix_knows_the_settings_that_are_recommended() {
    let home = Home::new();
    let log = dated(&home, POSTFIX);
    let told = json(&home, &[&log]);
    let united = provider(&told, "united-internet");
    let text = united["recommended"]["postfix"].as_str().unwrap();
    let part = |from: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with(from)).skip(1);
        let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("# /etc/")).collect();
        lines.join("\n") + "\n"
    };
    let master = part("# /etc/postfix/master.cf");
    home.write("master.cf", &master);
    home.write(
        "main.cf",
        &format!("compatibility_level = 3.6\n{}", part("# /etc/postfix/main.cf")),
    );
    // It warns of every setting that nothing uses.
    let checked = Command::new("/usr/sbin/postconf").arg("-c").arg(home.path()).arg("-n").output();
    let checked = checked.expect("Postfix is missing: run `cargo xtask peers`");
    let says = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && says.is_empty(), "{says}\n{text}");
    let shown = String::from_utf8_lossy(&checked.stdout);
    assert!(shown.contains("slow_united_internet_transport_rate_delay = "), "{shown}");
}

#[test]
fn the_order_of_files_and_how_they_are_packed_make_no_difference() {
    let home = Home::new();
    let whole = dated(&home, POSTFIX);
    let unpacked = Command::new("gzip").args(["-dc", &whole]).output().unwrap().stdout;
    let middle = unpacked.len() / 2;
    let cut = middle + unpacked[middle..].iter().position(|octet| *octet == b'\n').unwrap() + 1;
    let (older, newer) = unpacked.split_at(cut);
    let write = |name: &str, octets: &[u8]| {
        let file = home.path().join(name);
        fs::write(&file, octets).unwrap();
        date(&file);
        file.to_str().unwrap().to_owned()
    };
    let newer = write("mail.log", newer);
    let older = write("mail.log.1.zst", &zstd::encode_all(older, 3).unwrap());
    let mut parts = json(&home, &[&newer, &older]);
    let mut one = json(&home, &[&whole]);
    assert_eq!(parts["files"], 2);
    parts["files"].take();
    one["files"].take();
    assert_eq!(parts, one);
}

#[test]
fn what_is_recommended_passes_our_own_check() {
    let home = Home::new();
    let log = dated(&home, POSTFIX);
    let told = json(&home, &[&log]);
    let mut text = "[relay]\nhostname = \"mail.example.com\"\n".to_owned();
    let sections = told["providers"].as_array().unwrap().iter();
    let sections: Vec<&str> =
        sections.map(|one| one["recommended"]["toml"].as_str().unwrap()).collect();
    assert!(sections.iter().any(|section| !section.is_empty()));
    text.extend(sections);
    let file = home.write("postlane.toml", &text);
    let checked = home.command(&["config", "check", &file]).output().unwrap();
    assert!(checked.status.success(), "{text}\n{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_file_that_is_no_log_and_one_that_is_not_there_are_told() {
    let home = Home::new();
    let text = home.write("notes.txt", "dear diary\n");
    let refused = analyze(&home, &[&text]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--format"));
    assert_eq!(analyze(&home, &["nowhere.log"]).status.code(), Some(2));
}

#[test]
fn a_log_without_deliveries_says_so() {
    let home = Home::new();
    let text = home.write("mail.log", "Nov 21 06:30:01 mx postfix/qmgr[1]: 4A1B2: removed\n");
    let empty = analyze(&home, &[&text, "--json"]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("no attempt"));
}

#[test]
fn a_pace_is_no_more_than_what_was_taken_while_the_provider_refused() {
    let home = Home::new();
    // 250 are taken in twelve minutes, then nothing for two hours: 20 a minute is no pace.
    let line = |n: u64, status: &str| {
        let s = n * 3;
        let (h, m, s) = (8 + s / 3_600, s / 60 % 60, s % 60);
        format!(
            "Nov 21 {h:02}:{m:02}:{s:02} mail postfix/smtp[9]: {:010X}: to=<u{n}@web.de>, \
             relay=mx-ha02.web.de[192.0.2.8]:25, delay=1, delays=0/0/1/0, {status}\n",
            0xA1_B2C3_0000 + n
        )
    };
    let refused = "dsn=4.0.0, status=deferred (host mx-ha02.web.de[192.0.2.8] refused to talk to me: \
                   421 web.de (mxweb113) Nemesis ESMTP Service not available Too many messages have \
                   been received in a short period of time)";
    let log: String = (0..2_600)
        .map(|n| line(n, if n < 250 { "dsn=2.0.0, status=sent (250 OK)" } else { refused }))
        .collect();
    let log = home.write("mail.log", &log);
    date(Path::new(&log));
    let told = json(&home, &[&log]);
    let toml = provider(&told, "united-internet")["recommended"]["toml"].as_str().unwrap();
    assert!(toml.contains("max_rate_per_source = \"225/h\""), "{toml}");
    let text = String::from_utf8(analyze(&home, &[&log]).stdout).unwrap();
    assert!(text.starts_with("1 file, 2600 lines, "), "{text}");
}
