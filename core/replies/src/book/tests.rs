use super::*;
use crate::recorded::read_reply;
use postlane_mail::Code;
use proptest::prelude::*;
use std::sync::LazyLock;

static SHIPPED: LazyLock<RuleBook> = LazyLock::new(|| RuleBook::built_in(&providers()));

const ABOUT: &str = "[about]\nsource = \"a page\"\nseen = \"2026-11\"\n";

fn providers() -> Providers {
    Providers::built_in()
}

fn rule(id: &str, label: &str, asks: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\nlabel = \"{label}\"\n{asks}\nexamples = [\"450 x\"]\n")
}

fn found(book: &RuleBook, reply: &str, stage: Option<Stage>, provider: Option<&str>) -> String {
    let reply = read_reply(reply).unwrap();
    let heard = Heard { reply: &reply, stage, provider, mx: None };
    let finding = book.find(&mut Scratch::default(), heard);
    format!("{} {}", finding.label, finding.rule.map_or("-", |rule| rule.name().as_str()))
}

fn book(files: &[(&str, &str)]) -> RuleBook {
    RuleBook::of(&providers(), &[], files).unwrap()
}

#[test]
fn a_providers_rule_beats_one_for_everybody_and_the_operators_own_beats_both() {
    let generic = format!("{ABOUT}{}", rule("a", "policy", "says = [\"no\"]\nrank = \"exact\""));
    let google = ABOUT.replace("[about]", "[about]\nproviders = [\"google\"]");
    let google =
        format!("{google}{}", rule("b", "rate_limited", "says = [\"no\"]\nrank = \"hint\""));
    let files = [("generic.toml", generic.as_str()), ("google.toml", google.as_str())];
    let ours = book(&files);
    assert_eq!(found(&ours, "450 no", None, Some("google")), "rate_limited google/b");
    assert_eq!(found(&ours, "450 no", None, Some("yahoo")), "policy generic/a");
    let own = format!("{ABOUT}{}", rule("c", "loop", "says = [\"no\"]\nrank = \"hint\""));
    let with_own = RuleBook::of(&providers(), &[("my.toml", &own)], &files).unwrap();
    assert_eq!(found(&with_own, "450 no", None, Some("google")), "loop my/c");
}

#[test]
fn who_writes_what_nobody_else_does_is_known_by_it() {
    let google = "[about]\nproviders = [\"google\"]\nspeaks = [\"gsmtp\"]\nsource = \"x\"\nseen = \"2026\"\n";
    let google = format!("{google}{}", rule("b", "rate_limited", "says = [\"no\"]"));
    let book = book(&[("google.toml", &google)]);
    assert_eq!(found(&book, "450 no", None, None), "unknown -");
    assert_eq!(found(&book, "450 no - gsmtp", None, None), "rate_limited google/b");
    let reply = read_reply("250 fine - gsmtp").unwrap();
    let heard = Heard { reply: &reply, stage: None, provider: None, mx: None };
    let finding = book.find(&mut Scratch::default(), heard);
    assert_eq!(finding.provider.map(ProviderId::as_str), Some("google"));
    assert_eq!(finding.label, Label::Accepted);
}

#[test]
fn what_a_rule_asks_for_must_all_hold() {
    let asks = "says = [\"no\"]\nalso = [\"really\"]\nunless = [\"yes\"]\ncode = [\"450\", \"5xx\"]\nstatus = [\"x.7.x\"]\nstage = [\"RCPT TO\"]\nmx = [\".example.net\"]";
    let text = format!("{ABOUT}{}", rule("a", "policy", asks));
    let book = book(&[("f.toml", &text)]);
    let holds = |reply: &str, stage, mx| {
        let reply = read_reply(reply).unwrap();
        let heard = Heard { reply: &reply, stage, provider: None, mx };
        book.find(&mut Scratch::default(), heard).rule.is_some()
    };
    let (rcpt, mx) = (Some(Stage::Rcpt), Some("MX1.Example.net."));
    assert!(holds("450 4.7.1 no, really", rcpt, mx));
    assert!(holds("550 5.7.0 no, really", None, mx));
    assert!(!holds("450 4.7.1 no", rcpt, mx));
    assert!(!holds("450 4.7.1 no, really, yes", rcpt, mx));
    assert!(!holds("451 4.7.1 no, really", rcpt, mx));
    assert!(!holds("450 4.1.1 no, really", rcpt, mx));
    assert!(!holds("450 no, really", rcpt, mx));
    assert!(!holds("450 4.7.1 no, really", Some(Stage::Mail), mx));
    assert!(!holds("450 4.7.1 no, really", rcpt, Some("badexample.net")));
    assert!(!holds("450 4.7.1 no, really", rcpt, None));
}

#[test]
fn before_mail_nothing_is_about_a_recipient() {
    let text = format!("{ABOUT}{}", rule("a", "no_such_user", "says = [\"unknown\"]"));
    let book = book(&[("f.toml", &text)]);
    assert_eq!(found(&book, "550 unknown", Some(Stage::Rcpt), None), "no_such_user f/a");
    for stage in [Stage::Connect, Stage::Ehlo, Stage::StartTls, Stage::Auth] {
        assert_eq!(found(&book, "550 unknown", Some(stage), None), "unknown -");
    }
}

#[test]
fn codes_alone_decide_where_no_words_do_and_not_where_the_stage_they_need_is_unknown() {
    let text = format!(
        "{ABOUT}{}{}{}",
        rule("status", "mailbox_full", "status = [\"x.2.2\"]\nrank = \"hint\""),
        rule("code", "loop", "code = [\"554\"]\nstage = [\"rcpt\"]\nrank = \"hint\""),
        rule("words", "policy", "says = [\"policy\"]"),
    );
    let book = book(&[("f.toml", &text)]);
    assert_eq!(found(&book, "452 4.2.2 x", None, None), "mailbox_full f/status");
    assert_eq!(found(&book, "452 4.2.2 policy", None, None), "policy f/words");
    assert_eq!(found(&book, "554 x", Some(Stage::Rcpt), None), "loop f/code");
    assert_eq!(found(&book, "554 x", None, None), "unknown -");
}

#[test]
fn words_that_mean_it_at_a_stage_only_decide_nothing_where_nobody_knows_the_stage() {
    let there = "says = [\"user unknown\"]\nstage = [\"mail\"]";
    let text = format!(
        "{ABOUT}{}{}",
        rule("a", "sender_rejected", &format!("{there}\nonly_there = true")),
        rule("b", "no_such_user", "says = [\"unknown\"]\nrank = \"hint\""),
    );
    let book = book(&[("f.toml", &text)]);
    assert_eq!(found(&book, "550 user unknown", Some(Stage::Mail), None), "sender_rejected f/a");
    assert_eq!(found(&book, "550 user unknown", None, None), "no_such_user f/b");
}

#[test]
fn what_carries_a_refusal_is_no_reason_and_forbids_none() {
    let carrier = "[[carrier]]\nsays = [\"(recipient|sender) address rejected\", \"in reply to rcpt to command\"]\n";
    let text = format!(
        "{ABOUT}{}{}{}{carrier}",
        rule("busy", "server_unavailable", "says = [\"not now\"]\nunless = [\"recipient\"]"),
        rule("command", "syntax", "says = [\"command & failed\"]\nrank = \"concept\""),
        rule("user", "no_such_user", "says = [\"recipient & here\"]\nrank = \"concept\""),
    );
    let book = book(&[("f.toml", &text)]);
    let found = |reply: &str| found(&book, reply, None, None);
    assert_eq!(found("450 Recipient address rejected: not now"), "server_unavailable f/busy");
    assert_eq!(found("450 recipient: not now"), "unknown -");
    assert_eq!(found("550 failed (in reply to RCPT TO command)"), "unknown -");
    assert_eq!(found("550 the command failed"), "syntax f/command");
    assert_eq!(found("550 Recipient address rejected: not here"), "unknown -");
    assert_eq!(found("550 Recipient rejected: not here"), "no_such_user f/user");
    // What stands on either side of one is no nearer to the other.
    let far = "550 command: Sender address rejected, Sender address rejected: failed";
    assert_eq!(found(far), "unknown -");
    let gap = format!("{ABOUT}{}", carrier.replace("to rcpt to", ".."));
    let error = RuleBook::of(&providers(), &[("my.toml", &gap)], &[]).unwrap_err();
    assert!(error.to_string().contains("has a gap"), "{error}");
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told_with_its_line() {
    let text = "[about]\nproviders = [\"gmail.com\"]\nline = \"middle\"\n[[rule]]\nid = \"A b\"\nlabel = \"nonsense\"\nsays = [\"(a\"]\ncode = [\"600\"]\nstatus = [\"5.7\"]\nstage = [\"lunch\"]\nrank = \"top\"\nwait = \"1y\"\nexamples = [\"hello\"]\n";
    let error = RuleBook::of(&providers(), &[("my.toml", text)], &[]).unwrap_err();
    let told = error.to_string();
    let lines: Vec<_> = told.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    for line in [2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 5] {
        assert!(lines.contains(&format!("my.toml:{line}").as_str()), "{line}: {told}");
    }
    let error = RuleBook::of(&providers(), &[("my.toml", "[[rule]]\nid = 3\n")], &[]).unwrap_err();
    assert!(error.to_string().starts_with("my.toml:2: "), "{error}");
}

#[test]
fn the_rules_we_ship_can_be_read_and_every_example_is_decided_as_it_should_be() {
    let providers = providers();
    match RuleBook::with(&providers, &[]) {
        Ok(book) => {
            let faults = book.check();
            let told: Vec<_> = faults.iter().map(Fault::to_string).collect();
            assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), told.join("\n"));
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_rule_says_where_it_was_read_and_when() {
    for rule in SHIPPED.rules() {
        assert!(!rule.origin().source.is_empty() && !rule.origin().seen.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_diagnosis_names_its_rule(code in 200_u16..600, text in "\\PC{0,200}", stage in 0_usize..9) {
        let reply = Reply::new(Code::new(code).unwrap(), text);
        let stage = Stage::ALL.get(stage).copied();
        let heard = Heard { reply: &reply, stage, provider: None, mx: None };
        let diagnosis = SHIPPED.diagnose(&mut Scratch::default(), heard);
        prop_assert!(diagnosis.rule.is_some_and(|rule| rule.as_str().contains('/')));
    }
}
