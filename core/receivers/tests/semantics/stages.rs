//! In which order things are asked, and what a refusal costs.

use postlane_mail::Stage;
use postlane_receivers::{Addressee, Cause, Greeting, Ms, Source, Verdict};

use super::bench::{Bench, limit};

fn none_at(stage: &str) -> String {
    limit(stage, &format!("kind = \"sliding\"\nquota = 0\nstage = \"{stage}\""))
}

const OUTAGE: &str = "[[receiver.outage]]\nfrom = \"0s\"\nto = \"1h\"\nreply = \"450 outage\"\n";
const TEMP: &str = "[[receiver.temp]]\np = 1.0\nreply = \"451 temp\"\n";

#[test]
fn the_first_refusal_wins_outage_connect_rcpt_dot_chance_then_unknown() {
    let stages = [
        (OUTAGE.to_owned(), "450 outage", Stage::Connect),
        (none_at("connect"), "450 connect", Stage::Connect),
        (none_at("rcpt"), "450 rcpt", Stage::Rcpt),
        (none_at("dot"), "450 dot", Stage::Dot),
        (TEMP.to_owned(), "451 temp", Stage::Dot),
        (String::new(), "550 5.1.1 Recipient address rejected: User unknown", Stage::Dot),
    ];
    for from in 0..stages.len() {
        // Written in the reverse order: the stage decides, not the place in the file.
        let tables: String =
            stages[from..].iter().rev().map(|(table, ..)| table.as_str()).collect();
        let mut bench = Bench::new(&tables);
        let answer = bench.send_to(0, 0, Addressee { number: 1, known: false });
        assert_eq!(
            (answer.reply.to_string().as_str(), answer.stage),
            (stages[from].1, stages[from].2)
        );
        assert_eq!(answer.conn.is_some(), from > 1);
    }
}

#[test]
fn within_a_stage_the_file_decides() {
    let second = none_at("rcpt").replace("id = \"rcpt\"", "id = \"second\"");
    let mut bench = Bench::new(&format!("{}{second}", none_at("rcpt")));
    assert_eq!(bench.send(0).cause.limit(), Some(0));
}

#[test]
fn a_limit_of_connecting_is_asked_again_at_mail_but_not_for_the_first_message() {
    let strict =
        limit("c", "kind = \"sliding\"\nquota = 2\nstage = \"connect\"\ncharge = \"attempted\"");
    let mut bench = Bench::new(&strict);
    let answer = bench.open(0);
    assert!(answer.is_accepted());
    let conn = answer.conn.unwrap();
    assert_eq!(bench.receiver.usage(Ms(0), 0, Source(0), 0).unwrap().used, 1.0);
    assert!(bench.send_on(conn, 1).is_accepted());
    let third = bench.send_on(conn, 2);
    assert_eq!((third.stage, third.conn), (Stage::Mail, Some(conn)));
    assert!(!third.closes);
}

#[test]
fn a_421_closes_and_a_450_does_not() {
    let mut bench = Bench::new(&none_at("rcpt"));
    let answer = bench.open(0);
    assert!(!answer.closes);
    assert!(!bench.send_on(answer.conn.unwrap(), 1).is_accepted());
    let mut bench = Bench::new(&none_at("rcpt").replace("450", "421"));
    assert!(bench.open(0).closes);
}

#[test]
fn connecting_first_and_sending_then_is_judged_as_sending_at_once() {
    let limits = format!(
        "{}{}",
        limit("c", "kind = \"sliding\"\nquota = 3\nwindow = \"1m\"\nstage = \"connect\""),
        limit("r", "kind = \"sliding\"\nquota = 5\nwindow = \"5m\"\ncharge = \"attempted\""),
    );
    let (mut at_once, mut apart) = (Bench::new(&limits), Bench::new(&limits));
    for at in (0..400_000).step_by(7_000) {
        let whole = at_once.send(at);
        let cause = match apart.receiver.connect(Ms(at), Source(0)) {
            Greeting::Refused(answer) => answer.cause,
            Greeting::Open { conn, .. } => {
                let cause = apart.send_on(conn, at).cause;
                apart.receiver.close(Ms(at), conn);
                cause
            }
        };
        assert_eq!(whole.cause, cause, "at {at}");
    }
}

#[test]
fn step_by_step_each_stage_speaks_for_itself() {
    let limits: String = ["rcpt", "dot"].map(none_at).concat();
    let mut bench =
        Bench::new(&limits.replacen("quota = 0", "quota = 1\ncharge = \"attempted\"", 1));
    let Greeting::Open { conn, .. } = bench.receiver.connect(Ms(0), Source(0)) else { panic!() };
    let to = bench.somebody();
    assert_eq!(bench.receiver.mail(Ms(1), conn), Verdict::Ok);
    assert_eq!(bench.receiver.rcpt(Ms(2), conn, to), Verdict::Ok);
    let Verdict::Refused(cause, reply) = bench.receiver.dot(Ms(3), conn, to) else { panic!() };
    assert_eq!((cause.limit(), reply.to_string().as_str()), (Some(1), "450 dot"));
    assert_eq!(bench.receiver.mail(Ms(4), conn), Verdict::Ok);
    assert!(matches!(
        bench.receiver.rcpt(Ms(5), conn, to),
        Verdict::Refused(Cause::Limit { index: 0, .. }, _)
    ));
}

#[test]
fn latencies_are_between_eight_tenths_and_thirteen_tenths_and_a_refused_connect_takes_no_more() {
    let mut bench = Bench::new(&none_at("connect"));
    let mut refused: Vec<u64> = (0..200).map(|at| bench.send(at).latency.0).collect();
    refused.sort_unstable();
    assert!(refused[0] >= 240 && refused[199] <= 390 && refused[199] > 330);
    let mut bench = Bench::new("");
    let conn = bench.open(0).conn.unwrap();
    let on_open: Vec<u64> = (0..200).map(|at| bench.send_on(conn, at).latency.0).collect();
    assert!(on_open.iter().all(|latency| (280..=455).contains(latency)));
    let new: Vec<u64> = (0..200).map(|at| bench.send(at).latency.0).collect();
    assert!(new.iter().all(|latency| (520..=845).contains(latency)));
}
