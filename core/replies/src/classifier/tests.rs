use postlane_mail::{Code, Reply, Stage};
use proptest::prelude::*;

use super::weights::tests::{nothing, teach};
use super::*;
use crate::book::{RuleBook, Scratch};
use crate::diagnosis::Diagnosis;
use crate::provider::Providers;
use crate::recorded::read_reply;

fn diagnosed(book: &RuleBook, said: &str, stage: Option<Stage>) -> Diagnosis {
    let reply = read_reply(said).unwrap();
    let heard = Heard { reply: &reply, stage, provider: None, mx: None };
    book.diagnose(&mut Scratch::default(), heard)
}

fn books() -> [RuleBook; 2] {
    let providers = Providers::built_in();
    [RuleBook::built_in(&providers), RuleBook::built_in(&providers).without_classifier()]
}

/// No rule has words for it.
const UNHEARD: &str = "550 mail box gone fishing, come back never";

/// Weights that know this reply, and nothing else.
fn taught(said: &str, label: Label) -> Vec<u8> {
    let mut octets = nothing();
    teach(&mut octets, &buckets(said), (0, label), 0.2);
    octets
}

fn buckets(said: &str) -> Vec<u32> {
    Classifier::buckets(&read_reply(said).unwrap(), None)
}

#[test]
fn what_no_rule_has_words_for_is_named_after_what_it_resembles() {
    let [_, rules_alone] = books();
    assert_eq!(diagnosed(&rules_alone, UNHEARD, None).label, Label::Unknown);
    let book = rules_alone.with_classifier(read(taught(UNHEARD, Label::MailboxDisabled)));
    let named = diagnosed(&book, UNHEARD, None);
    assert_eq!((named.label, named.is_guessed), (Label::MailboxDisabled, true));
    assert_eq!(named.rule.unwrap().as_str(), "classifier/mailbox_disabled");
    assert!(named.confidence.share() < 0.6);
}

#[test]
fn a_guess_that_may_be_a_danger_is_not_made() {
    let [_, rules_alone] = books();
    let mut octets = taught(UNHEARD, Label::MailboxDisabled);
    // Nearly as much speaks for a lane's trouble.
    teach(&mut octets, &buckets(UNHEARD), (1, Label::RateLimited), 0.19);
    let book = rules_alone.with_classifier(read(octets));
    assert_eq!(diagnosed(&book, UNHEARD, None).label, Label::Unknown);
}

/// What is nearest among the others is not meant either: an unknown recipient, where none was named yet, is not
/// too many of them.
#[test]
fn what_resembles_what_cannot_be_meant_here_is_not_guessed() {
    let [_, rules_alone] = books();
    let mut octets = taught(UNHEARD, Label::MailboxDisabled);
    teach(&mut octets, &buckets(UNHEARD), (1, Label::Loop), 0.04);
    let book = rules_alone.with_classifier(read(octets));
    assert!(diagnosed(&book, UNHEARD, Some(Stage::Rcpt)).is_guessed);
    assert!(!diagnosed(&book, UNHEARD, Some(Stage::Ehlo)).is_guessed);
}

#[test]
fn a_reply_without_words_is_what_its_codes_say() {
    let [book, rules_alone] = books();
    for said in ["550 5.1.1", "550 5.7.1 <ann@example.com>", "451 4.3.2 [192.0.2.1] 4Xy7z9Q 500"] {
        assert_eq!(diagnosed(&book, said, None), diagnosed(&rules_alone, said, None), "{said}");
    }
}

#[test]
fn a_guess_tells_by_which_words() {
    let reply = read_reply(UNHEARD).unwrap();
    let classifier = read(taught("450 gone fishing", Label::MailboxDisabled));
    let because = classifier.because(&reply, Label::MailboxDisabled);
    assert_eq!(because, ["fishing", "gone", "gone fishing"]);
}

#[test]
fn weights_of_another_size_are_none() {
    assert!(Classifier::read(vec![0; 12]).is_err());
    assert!(Classifier::read(Vec::new()).is_err());
    let mut octets = nothing();
    assert!(Classifier::read(octets.clone()).is_ok());
    octets.pop();
    assert!(Classifier::read(octets).is_err());
}

#[test]
fn what_knows_nothing_says_nothing() {
    let book = RuleBook::built_in(&Providers::built_in()).with_classifier(read(nothing()));
    assert!(!diagnosed(&book, UNHEARD, None).is_guessed);
}

/// Their authors have read them, and a test holds what they mean.
#[test]
fn the_examples_of_rules_are_not_asked_again() {
    let [book, rules_alone] = books();
    for rule in rules_alone.rules() {
        let provider = rules_alone.providers_of(rule).next().map(|of| of.as_str());
        for example in rule.examples() {
            let reply = read_reply(&example.reply).unwrap();
            let mx = example.mx.as_deref();
            let heard = Heard { reply: &reply, stage: example.stage, provider, mx };
            let [with, without] =
                [&book, &rules_alone].map(|book| book.diagnose(&mut Scratch::default(), heard));
            assert_eq!(with, without, "{}", example.reply);
        }
    }
}

/// Some rules' wordings are too wide: what they say is worth a hint. What would end a recipient is not among them, nor an
/// operator's own rules.
#[test]
fn a_rule_that_yields_is_asked_again_and_no_other() {
    let said = "450 too many messages gone fishing";
    let providers = Providers::built_in();
    let (limit, user) = ("\"rate_limited\"", "\"no_such_user\"");
    let rules = |label: &str| {
        format!(
            "[about]\nsource = \"s\"\nseen = \"2026\"\n\n[[rule]]\nid = \"much\"\nlabel = {label}\nrank = \"exact\"\n\
             says = [\"too many messages\"]\nexamples = [\"450 too many messages\"]\n"
        )
    };
    let guesses = |file: &str, own: &[(&str, &str)], names: &str| {
        let mut octets = taught(said, Label::ServerUnavailable);
        octets.extend(names.bytes());
        let book = RuleBook::of(&providers, own, &[("limits.toml", file)]).unwrap();
        let book = book.with_classifier(read(octets));
        diagnosed(&book, said, Some(Stage::Dot)).is_guessed
    };
    assert!(guesses(&rules(limit), &[], "limits/much\n"));
    assert!(!guesses(&rules(limit), &[], "limits/little\n"));
    assert!(!guesses(&rules(user), &[], "limits/much\n"));
    let own = rules(limit);
    assert!(!guesses(&rules(limit), &[("limits.toml", &own)], "limits/much\n"));
}

fn read(octets: Vec<u8>) -> Classifier {
    Classifier::read(octets).unwrap()
}

fn stages() -> impl Strategy<Value = Option<Stage>> {
    prop::option::of(prop::sample::select(Stage::ALL.to_vec()))
}

proptest! {
    /// The classifier names, and never acts.
    #[test]
    fn a_guess_changes_nothing_that_is_done(
        code in prop::sample::select(vec![421_u16, 450, 451, 452, 500, 503, 550, 552, 554]),
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..12),
        noise in "\\PC{0,40}",
        stage in stages(),
    ) {
        let reply = Reply::new(Code::new(code).unwrap(), format!("{} {noise}", words.join(" ")));
        let heard = Heard { reply: &reply, stage, provider: None, mx: None };
        let [with, without] = books_once().map(|book| book.diagnose(&mut Scratch::default(), heard));
        prop_assert_eq!(
            (with.signal, with.scope, with.persistence, with.action, with.extent),
            (without.signal, without.scope, without.persistence, without.action, without.extent)
        );
        prop_assert_eq!((&with.hint, with.usual_wait), (&without.hint, without.usual_wait));
        if with.is_guessed {
            prop_assert!(!with.confidence.is_sure() && with.is_unclassified());
            prop_assert!(with.label != Label::Accepted && with.label != without.label);
            let before_mail = [Stage::Connect, Stage::Ehlo, Stage::StartTls, Stage::Auth];
            let is_before_mail = stage.is_some_and(|stage| before_mail.contains(&stage));
            prop_assert!(!(is_before_mail && with.label.is_of_recipient()));
        } else {
            prop_assert_eq!(with, without);
        }
    }
}

const WORDS: [&str; 24] = [
    "mailbox",
    "slow",
    "down",
    "too",
    "much",
    "quota",
    "blocked",
    "unknown",
    "user",
    "your",
    "ip",
    "spam",
    "later",
    "drip",
    "virus",
    "5.7.1",
    "4.2.2",
    "<ann@example.com>",
    "192.0.2.1",
    "mx.example.com",
    "tls",
    "dkim",
    "account",
    "greylist",
];

fn books_once() -> [&'static RuleBook; 2] {
    static BOOKS: std::sync::LazyLock<[RuleBook; 2]> = std::sync::LazyLock::new(books);
    let [with, without] = &*BOOKS;
    [with, without]
}
