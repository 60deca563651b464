use postlane_mail::{Code, Reply, Stage};
use proptest::prelude::*;

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
fn taught(said: &str, label: Label) -> Classifier {
    const CLEAR: u8 = 100;
    let mut octets = 0.1_f32.to_le_bytes().to_vec();
    octets.resize(HEAD + Classifier::BUCKETS as usize * Classifier::LABELS, 0);
    for bucket in Classifier::buckets(&read_reply(said).unwrap(), None) {
        octets[HEAD + bucket as usize * Classifier::LABELS + label as usize] = CLEAR;
    }
    Classifier::read(octets).unwrap()
}

#[test]
fn what_no_rule_has_words_for_is_named_after_what_it_resembles() {
    let [_, rules_alone] = books();
    assert_eq!(diagnosed(&rules_alone, UNHEARD, None).label, Label::Unknown);
    let book = rules_alone.with_classifier(taught(UNHEARD, Label::MailboxDisabled));
    let named = diagnosed(&book, UNHEARD, None);
    assert_eq!((named.label, named.is_guessed), (Label::MailboxDisabled, true));
    assert_eq!(named.rule.unwrap().as_str(), "classifier/mailbox_disabled");
    assert!(named.confidence.share() < 0.6);
}

#[test]
fn a_guess_that_may_be_a_danger_is_not_made() {
    let [_, rules_alone] = books();
    let mut octets = taught(UNHEARD, Label::MailboxDisabled).weights.into_owned();
    // Nearly as much speaks for a lane's trouble.
    for bucket in Classifier::buckets(&read_reply(UNHEARD).unwrap(), None) {
        octets[HEAD + bucket as usize * Classifier::LABELS + Label::RateLimited as usize] = 95;
    }
    let book = rules_alone.with_classifier(Classifier::read(octets).unwrap());
    assert_eq!(diagnosed(&book, UNHEARD, None).label, Label::Unknown);
}

/// What is nearest among the others is not meant either: an unknown recipient, where none was named yet, is not
/// too many of them.
#[test]
fn what_resembles_what_cannot_be_meant_here_is_not_guessed() {
    let [_, rules_alone] = books();
    let mut octets = taught(UNHEARD, Label::MailboxDisabled).weights.into_owned();
    for bucket in Classifier::buckets(&read_reply(UNHEARD).unwrap(), None) {
        octets[HEAD + bucket as usize * Classifier::LABELS + Label::Loop as usize] = 20;
    }
    let book = rules_alone.with_classifier(Classifier::read(octets).unwrap());
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
    let because =
        taught("450 gone fishing", Label::MailboxDisabled).because(&reply, Label::MailboxDisabled);
    assert_eq!(because, ["fishing", "gone", "gone fishing"]);
}

#[test]
fn weights_of_another_size_are_none() {
    assert!(Classifier::read(vec![0; HEAD]).is_err());
    assert!(Classifier::read(Vec::new()).is_err());
    let size = HEAD + Classifier::BUCKETS as usize * Classifier::LABELS;
    assert!(Classifier::read(vec![0; size]).is_ok());
}

#[test]
fn what_knows_nothing_says_nothing() {
    let size = HEAD + Classifier::BUCKETS as usize * Classifier::LABELS;
    let nothing = Classifier::read(vec![0; size]).unwrap();
    let book = RuleBook::built_in(&Providers::built_in()).with_classifier(nothing);
    assert!(!diagnosed(&book, UNHEARD, None).is_guessed);
}

#[test]
fn a_wording_is_not_asked_again() {
    let [book, rules_alone] = books();
    for rule in rules_alone.rules().iter().filter(|rule| rule.rank() < Rank::Hint) {
        for example in rule.examples() {
            let (with, without) = (
                diagnosed(&book, &example.reply, None),
                diagnosed(&rules_alone, &example.reply, None),
            );
            let decided = without.rule.clone().unwrap();
            let by = rules_alone.rules().iter().find(|rule| *rule.name() == decided);
            if by.is_some_and(|rule| rule.rank() < Rank::Hint) {
                assert_eq!(with, without, "{}", example.reply);
            }
        }
    }
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
