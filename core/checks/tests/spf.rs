//! SPF against the suites of openspf.org, whose expected results are not ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data has failed")]

use postlane_checks::spf::{self, Envelope, Explained};
use postlane_checks::{Answer, Failure, Found, Kind, Known, Name, Question, Record};
use postlane_mail::{Instant, Span};
use serde_json::Value;

/// The zone of a suite, as a resolver sees it.
struct Zone<'a>(&'a Value);

impl Zone<'_> {
    fn entries(&self, name: &str) -> Option<&Vec<Value>> {
        let all = self.0.as_object().unwrap();
        let found = all.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, entries)| entries.as_array().unwrap())
    }

    fn answer(&self, question: &Question) -> Answer {
        self.resolve(question, 0)
    }

    fn resolve(&self, question: &Question, depth: u8) -> Answer {
        let Some(entries) = self.entries(question.name.as_str()) else { return Answer::NoName };
        let kind = question.kind.as_str();
        let alias = entries.iter().find_map(|e| e.get("CNAME")).and_then(Value::as_str);
        if let Some(alias) = alias.filter(|_| depth < 8) {
            let name = Name::parse(alias).unwrap();
            return self.resolve(&Question { name, kind: question.kind }, depth + 1);
        }
        // A suite writes TXT as SPF, unless the name has TXT of its own or says it has none.
        let own_txt = entries.iter().any(|e| e.get("TXT").is_some());
        let key = if kind == "TXT" && !own_txt { "SPF" } else { kind };
        let mut records = Vec::new();
        for entry in entries {
            if entry.as_str() == Some("TIMEOUT") {
                // What stands before it is answered, nothing behind it.
                if records.is_empty() {
                    return Answer::Failed(Failure::TimedOut);
                }
                break;
            }
            match entry.get(key) {
                Some(Value::String(none)) if none == "NONE" => {}
                Some(Value::String(none)) if none == "TIMEOUT" => {
                    return Answer::Failed(Failure::TimedOut);
                }
                Some(value) => records.push(record(question.kind, value)),
                None => {}
            }
        }
        if records.is_empty() {
            return Answer::NoData;
        }
        Answer::Found(Found { records, ttl: Span::from_s(300), authentic: false })
    }
}

fn record(kind: Kind, value: &Value) -> Record {
    let text = || value.as_str().unwrap();
    match kind {
        Kind::A => Record::A(text().parse().unwrap()),
        Kind::Aaaa => Record::Aaaa(text().parse().unwrap()),
        Kind::Ptr => Record::Ptr(Name::parse(text()).unwrap()),
        Kind::Mx => {
            let preference = u16::try_from(value[0].as_u64().unwrap()).unwrap();
            Record::Mx { preference, exchange: Name::parse(value[1].as_str().unwrap()).ok() }
        }
        Kind::Txt => {
            let strings = match value {
                Value::Array(strings) => strings.iter().map(|s| s.as_str().unwrap()).collect(),
                _ => text().to_owned(),
            };
            Record::Txt(strings.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect())
        }
        _ => panic!("no such record in the suites"),
    }
}

fn run(zone: &Zone<'_>, test: &Value) -> Explained {
    let text = |key: &str| test[key].as_str().unwrap_or_default();
    let envelope = Envelope {
        address: text("host").parse().unwrap(),
        helo: text("helo"),
        mail_from: text("mailfrom"),
        receiver: "receiver.example",
        now: Instant::from_unix_s(1_234_567_890),
    };
    let mut known = Known::new();
    for _ in 0..200 {
        if let Some(explained) = spf::check_host(&mut known, &envelope) {
            return explained;
        }
        for question in known.take_missing() {
            let answer = zone.answer(&question);
            known.learn(question, answer);
        }
    }
    panic!("the questions do not end");
}

/// Each test that comes out otherwise, as a line.
fn failures(suites: &str) -> (usize, Vec<String>) {
    let suites: Value = serde_json::from_str(suites).unwrap();
    let mut count = 0;
    let mut failures = Vec::new();
    for suite in suites.as_array().unwrap() {
        let zone = Zone(&suite["zonedata"]);
        for (name, test) in suite["tests"].as_object().unwrap() {
            count += 1;
            let found = run(&zone, test);
            let expected: Vec<&str> = match &test["result"] {
                Value::Array(several) => several.iter().map(|r| r.as_str().unwrap()).collect(),
                one => vec![one.as_str().unwrap()],
            };
            let (verdict, why) = (found.verdict.as_str(), found.why.as_deref().unwrap_or(""));
            if !expected.contains(&verdict) {
                failures.push(format!("{name}: {verdict} and not {expected:?}; {why}"));
            }
            let explanation = test["explanation"].as_str().filter(|text| *text != "DEFAULT");
            if let Some(explanation) = explanation
                && found.explanation.as_deref() != Some(explanation)
            {
                failures.push(format!("{name}: {:?} and not {explanation:?}", found.explanation));
            }
        }
    }
    (count, failures)
}

#[test]
fn the_suite_of_rfc_7208_passes_whole() {
    let (count, failures) = failures(include_str!("spf/rfc7208-tests.json"));
    assert_eq!((count, failures), (203, Vec::new()));
}
