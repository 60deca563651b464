//! Bounces of sixty programs and providers, read and compared with what others make of them.
//!
//! The messages and labels are those of the folders beside this file, with the licences of their
//! collectors. A message belongs to the half that the reader was tuned on, or to the half that
//! nobody looked at; which, the hash of its name says.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postlane_message::{Action, BounceKind, Bounced, read_bounces};
use serde_json::Value;

/// How a set of messages was read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Share {
    messages: u32,
    recipient: u32,
    statuses: u32,
    status: u32,
    codes: u32,
    code: u32,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces").join(name)
}

/// All messages of a folder, by path below it.
fn messages(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "eml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// Whether the reader was tuned on a message: bit 7 of FNV-1a of its file's name is 0.
fn is_tuned(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap();
    let step = |hash: u32, b: u8| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step) & 0x80 == 0
}

fn share(of: impl Fn(&str) -> bool) -> Share {
    let root = folder("sisimai");
    let labels: BTreeMap<String, Vec<Value>> =
        serde_json::from_slice(&fs::read(root.join("labels.json")).unwrap()).unwrap();
    let mut share = Share::default();
    for (name, message) in messages(&root) {
        let Some(wanted) = labels.get(&name).filter(|_| of(&name)) else { continue };
        let read = read_bounces(&message);
        share.messages += 1;
        share.recipient += u32::from(read.iter().any(|bounced| bounced.recipient.is_some()));
        let mut statuses: Vec<String> =
            read.iter().filter_map(|b| b.status.map(|status| status.to_string())).collect();
        let mut codes: Vec<String> =
            read.iter().filter_map(|b| b.code.map(|code| code.to_string())).collect();
        for label in wanted {
            let status = label["dsn"].as_str().unwrap();
            // x.0.9xx and x.0.0 are made up by the labels' writer where nothing was said.
            if !status.is_empty() && status.get(2..4) != Some("0.") {
                share.statuses += 1;
                share.status += u32::from(taken(&mut statuses, status));
            }
            let code = label["replycode"].as_str().unwrap();
            if !code.is_empty() {
                share.codes += 1;
                share.code += u32::from(taken(&mut codes, code));
            }
        }
    }
    share
}

fn taken(from: &mut Vec<String>, wanted: &str) -> bool {
    let at = from.iter().position(|one| one == wanted);
    at.map(|at| from.swap_remove(at)).is_some()
}

#[test]
fn what_the_reader_was_tuned_on_is_read() {
    let share = share(is_tuned);
    assert!(share.messages >= 50, "{share:?}");
    assert_eq!(share.recipient, share.messages, "{share:?}");
    assert_eq!(share.status, share.statuses, "{share:?}");
    assert!(share.code + 2 >= share.codes, "{share:?}");
}

#[test]
fn nine_tenths_of_what_nobody_looked_at_are_read() {
    let share = share(|name| !is_tuned(name));
    assert!(share.messages >= 35, "{share:?}");
    assert!(share.recipient * 10 >= share.messages * 9, "{share:?}");
    assert!(share.status * 10 >= share.statuses * 9, "{share:?}");
    assert!(share.code * 10 >= share.codes * 9, "{share:?}");
}

#[test]
fn every_line_end_reads_alike() {
    let read = |name: &str| read_bounces(&fs::read(folder("sisimai").join(name)).unwrap());
    let mac = read("mac/lhost-exchange-01.eml");
    assert_eq!(mac, read("dos/lhost-exchange-01.eml"));
    assert!(mac.iter().all(|bounced| bounced.recipient.is_some()), "{mac:?}");
}

#[test]
fn ordinary_mail_is_no_bounce() {
    let message = fs::read(folder("sisimai").join("not/is-not-bounce-01.eml")).unwrap();
    assert_eq!(read_bounces(&message), []);
}

#[test]
fn all_that_is_read_of_a_message_stands_in_the_golden_file() {
    let mut text = String::new();
    let tuned = messages(&folder("sisimai")).into_iter().filter(|(name, _)| is_tuned(name));
    let standard = messages(&folder("kumomta"));
    for (name, message) in tuned.chain(standard) {
        writeln!(text, "{name}").unwrap();
        read_bounces(&message).iter().for_each(|bounced| write_golden(&mut text, bounced));
    }
    let golden = folder("read.golden");
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        fs::write(&golden, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(golden).unwrap());
}

fn write_golden(text: &mut String, bounced: &Bounced) {
    let word = |word: Option<&str>| word.unwrap_or("-").replace('\n', " / ");
    let status = bounced.status.map(|status| status.to_string());
    let code = bounced.code.map(|code| code.to_string());
    write!(
        text,
        "  {} {} {} {} {} {} | {} | {} |",
        bounced.kind.as_str(),
        word(bounced.action.map(Action::as_str)),
        word(bounced.recipient.as_deref()),
        word(bounced.original_recipient.as_deref()),
        word(status.as_deref()),
        word(code.as_deref()),
        word(bounced.remote_mta.as_deref()),
        word(bounced.reporting_mta.as_deref()),
    )
    .unwrap();
    writeln!(
        text,
        " {} | {} | {}",
        word(bounced.original_message_id.as_deref()),
        word(bounced.feedback.as_deref()),
        word(bounced.diagnostic.as_deref()),
    )
    .unwrap();
}

#[test]
fn complaints_and_answers_are_not_failures() {
    for (name, message) in messages(&folder("")) {
        for bounced in read_bounces(&message) {
            let spoken = bounced.kind.is_bounce();
            assert_eq!(bounced.action.is_some(), spoken, "{name}: {bounced:?}");
            assert!(spoken || !bounced.is_failure(), "{name}: {bounced:?}");
        }
    }
    let arf = fs::read(folder("kumomta").join("rfc5965-2.eml")).unwrap();
    let read = read_bounces(&arf);
    assert_eq!(read[0].kind, BounceKind::Feedback);
    assert_eq!(read[0].recipient.as_deref(), Some("user@example.com"));
}
