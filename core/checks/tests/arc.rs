//! ARC against ValiMail's suite, whose expected results are not ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use postlane_checks::arc::{self, Cv};
use postlane_checks::{Answer, Found, Known, Record};
use postlane_mail::Span;
use serde_json::{Value, json};

/// What the suite calls an end; it leaves it empty where the last seal itself says `cv=fail`.
fn expected(test: &Value) -> Cv {
    match test["cv"].as_str().unwrap() {
        "None" => Cv::None,
        "Pass" => Cv::Pass,
        "Fail" | "" => Cv::Fail,
        other => panic!("{other} is no end that the suite has"),
    }
}

fn run(keys: &Value, message: &str) -> (Cv, String) {
    let message = message.replace('\n', "\r\n").into_bytes();
    let mut known = Known::new();
    loop {
        if let Some(chain) = arc::verify(&mut known, &message) {
            return (chain.cv, chain.fault.map(|fault| fault.to_string()).unwrap_or_default());
        }
        for question in known.take_missing() {
            let answer = keys[question.name.as_str()].as_str().map_or(Answer::NoName, |key| {
                let records = vec![Record::Txt(key.as_bytes().into())];
                Answer::Found(Found { records, ttl: Span::from_s(1), authentic: false })
            });
            known.learn(question, answer);
        }
    }
}

#[test]
fn the_suite_passes_whole() {
    let suites = include_str!("arc/arc-draft-validation-tests.json");
    let suites: Value = serde_json::from_str(suites).unwrap();
    let (mut count, mut failures) = (0, Vec::new());
    for suite in suites.as_array().unwrap() {
        for (name, test) in suite["tests"].as_object().unwrap() {
            count += 1;
            let (cv, why) = run(&suite["txt-records"], test["message"].as_str().unwrap());
            if cv != expected(test) {
                failures.push(format!("{name}: {cv:?} and not {}; {why}", test["cv"]));
            }
        }
    }
    assert_eq!((count, failures), (171, Vec::<String>::new()));
}

#[test]
fn a_seal_with_names_beyond_ascii_finds_its_key_at_their_a_labels() {
    let (key, message) = include_str!("arc/dkimpy-rfc8616.txt").split_once("\n\n").unwrap();
    let (name, key) = key.split_once(' ').unwrap();
    assert_eq!(run(&json!({ name: key }), message), (Cv::Pass, String::new()));
}
