//! From a ledger to what people are told.

use postlane_ledger::{Entry, Kind, Sample, Settings};
use postlane_mail::Code;

use super::standing::{Standing, Still, tell};
use super::*;
use crate::wire::EvidenceQuery;

const NOON: Instant = Instant::from_unix_s(1_790_000_000);

fn ledger(dir: &std::path::Path) -> Ledger {
    let settings = Settings { keep: Span::from_h(24 * 36_500), ..Settings::default() };
    let ledger = Ledger::open(dir, settings).unwrap();
    for n in 0..90_u64 {
        let mut entry = Entry::new(Kind::Delivered, NOON + Span::from_s(n * 40));
        entry.provider = "united-internet".into();
        entry.recipient = "jo@web.de".into();
        entry.source = "a".into();
        entry.attempt = Some(1);
        if n % 3 == 0 {
            entry.kind = Kind::Deferred;
            entry.code = Code::new(421);
            entry.reply = "Too many messages for jo@web.de\nTry later".into();
            entry.label = "rate_limited".into();
            let headers = "From: a@shop.example\r\nSubject: secret\r\n".into();
            entry.sample = Some(Box::new(Sample { transcript: "".into(), headers }));
        }
        assert!(ledger.append(entry));
    }
    ledger.flush().unwrap();
    ledger
}

#[test]
fn a_brand_is_as_good_as_an_id_and_a_wrong_moment_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let now = NOON + Span::from_h(2);
    let query = DiagnosisQuery { provider: Some("gmx".to_owned()), ..DiagnosisQuery::default() };
    let page = diagnosis(&ledger, &query, now).unwrap();
    assert_eq!(page.providers.len(), 1);
    assert_eq!(page.providers[0].verdict.class, "throttle");
    assert!(!page.providers[0].verdict.against.is_empty());
    let wrong = DiagnosisQuery { since: Some("lately".to_owned()), ..DiagnosisQuery::default() };
    let says = diagnosis(&ledger, &wrong, now).unwrap_err().to_string();
    assert!(says.contains("write it as 24h"), "{says}");
}

#[test]
fn what_was_counted_of_a_lane_is_held_against_what_providers_take() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let said = |ledger: &Ledger, now| {
        let page = diagnosis(ledger, &DiagnosisQuery::default(), now).unwrap();
        let checks = page.providers[0].sources[0].checks.clone();
        ["INF-01", "INF-02", "INF-19", "BULK-11", "BULK-12", "INF-08", "INF-20", "DMARC-16"].map(
            |id| {
                let check = checks.iter().find(|check| check.id == id).unwrap();
                format!("{} {}", check.result, check.evidence)
            },
        )
    };
    let says = said(&ledger, NOON + Span::from_h(1));
    assert_eq!(says[0], "fail 30 of 90 first attempts in an hour put off (33.3 %)");
    assert_eq!(says[1], "warn 90 attempts for 60 accepted in an hour");
    assert_eq!(says[2], "pass 0 of 30 refusals in 24 h that no rule knows (0.0 %)");
    assert_eq!(says[3], "pass 0 of 60 recipients in 24 h refused for good (0.0 %)");
    assert_eq!(
        says[4],
        "info 60 recipients in 24 h by all sources and domains: 98 % below mail to many"
    );
    assert_eq!(says[5], "skip fewer than two earlier weeks are known");
    assert_eq!(says[6], "fail 30 of 30 deferrals lack the queue id");
    assert_eq!(says[7], "skip reports of DMARC are not read here yet");
    // An hour later nothing of it is of the last hour.
    assert!(said(&ledger, NOON + Span::from_h(3))[0].starts_with("skip 0 of 0 "));
}

#[test]
fn a_pack_has_whole_replies_and_no_local_part() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let query = EvidenceQuery { provider: "web.de".to_owned(), ..EvidenceQuery::default() };
    let asking = Asking { now: NOON + Span::from_h(2), key: [1; 32], prove: &|proofs| Ok(proofs) };
    let pack = evidence(&ledger, &query, &asking).unwrap();
    for file in &pack.files {
        let text = std::str::from_utf8(&file.octets).unwrap();
        assert!(!text.contains("jo@") && !text.contains("secret"), "{}: {text}", file.name);
    }
    let samples = pack.files.iter().find(|file| file.name == "samples.jsonl").unwrap();
    let samples = std::str::from_utf8(&samples.octets).unwrap();
    assert!(samples.contains("421-Too many messages for x-"), "{samples}");
    let nobody = EvidenceQuery { addressee: Some("santa".to_owned()), ..query };
    assert!(evidence(&ledger, &nobody, &asking).is_err());
}

#[test]
fn mail_that_waits_for_a_lane_that_stands_still_is_the_verdict_where_history_saw_no_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), Settings::default()).unwrap();
    for n in 0..60_u64 {
        for (provider, code) in [("yahoo", 250), ("gmx.example", 421)] {
            let mut entry = Entry::new(Kind::Delivered, NOON + Span::from_s(n * 40));
            (entry.provider, entry.source, entry.attempt) = (provider.into(), "a".into(), Some(1));
            entry.code = Code::new(code);
            if code == 421 && n % 3 > 0 {
                (entry.kind, entry.label) = (Kind::Deferred, "rate_limited".into());
                entry.reply = "Too many messages".into();
            }
            assert!(ledger.append(entry));
        }
    }
    ledger.flush().unwrap();
    let now = NOON + Span::from_h(1);
    let mut page = diagnosis(&ledger, &DiagnosisQuery::default(), now).unwrap();
    let class = |page: &DiagnosisPage, id: &str| {
        let of = page.providers.iter().find(|of| of.id == id).unwrap();
        of.verdict.class.clone()
    };
    assert_eq!(
        (class(&page, "yahoo"), class(&page, "gmx.example")),
        ("healthy".into(), "throttle".into())
    );
    let still = |provider: &str, recipients, rests, says: &str| Standing {
        provider: provider.to_owned(),
        recipients,
        lanes: vec![Still {
            source: "a".to_owned(),
            rests,
            says: says.to_owned(),
            reply: (provider == "yahoo").then(|| "451 4.7.1 slow\r\ndown".to_owned()),
        }],
    };
    let rests = "the lane of a rests until 2026-09-21T15:13:20.000Z";
    let held = "the lane of a is held by an order of jo: pause";
    tell(
        &mut page,
        &[
            still("yahoo", 101, true, rests),
            still("gmx.example", 7, true, rests),
            still("web.example", 1, false, held),
        ],
    );
    let ids: Vec<&str> = page.providers.iter().map(|of| &*of.id).collect();
    assert_eq!(ids, ["gmx.example", "yahoo", "web.example"]);
    let [throttled, rested, unseen] = [0, 1, 2].map(|at| &page.providers[at].verdict);
    // What history found is worse, and stays; the lane stands beside it.
    assert_eq!(throttled.class, "throttle");
    assert_eq!(
        throttled.evidence.last().unwrap().says,
        "The lane of a rests until 2026-09-21T15:13:20.000Z; what was said most is \"421 Too many messages\"."
    );
    assert_eq!(rested.class, "waiting");
    assert_eq!(
        rested.says,
        format!("101 recipients wait: {rests}; the reply was \"451 4.7.1 slow down\".")
    );
    assert_eq!(rested.steps.len(), 1);
    assert!(rested.steps[0].says.starts_with("Nothing needs to be done meanwhile; read"));
    assert_eq!(
        page.providers[1].sources[0].verdict.says,
        format!("Mail waits: {rests}; the reply was \"451 4.7.1 slow down\".")
    );
    // Nothing was tried there, and mail waits all the same.
    assert_eq!(unseen.says, format!("1 recipient waits: {held}."));
    assert!(unseen.steps[1].says.ends_with("postlane lanes resume web.example"));
}
