use postlane_mail::{Code, Reply, Stage};

use super::{
    Action, Diagnosis, Extent, Heard, Persistence, RuleBook, Scope, Scratch, Signal, hint_of,
};
use crate::label::Label;
use crate::provider::{ProviderId, Providers};
use crate::recorded::read_reply;

const BEFORE_MAIL: [Stage; 4] = [Stage::Connect, Stage::Ehlo, Stage::StartTls, Stage::Auth];

fn reply(code: u16, text: &str) -> Reply {
    Reply::new(Code::new(code).unwrap(), text)
}

/// Every label with every class of code at every stage.
fn everything() -> impl Iterator<Item = (Label, Reply, Stage)> {
    Label::ALL.iter().flat_map(|label| {
        Stage::ALL.into_iter().flat_map(move |stage| {
            [421, 450, 452, 503, 550, 552, 554].map(|code| (*label, reply(code, "x"), stage))
        })
    })
}

fn by_code(stage: Stage, code: u16, text: &str) -> Diagnosis {
    Diagnosis::by_code(stage, &reply(code, text))
}

#[test]
fn a_reply_before_mail_is_never_about_a_recipient() {
    for stage in BEFORE_MAIL {
        let diagnosis = by_code(stage, 550, "x");
        assert_eq!((diagnosis.scope, diagnosis.extent), (Scope::Host, Extent::Host));
    }
}

#[test]
fn a_421_ends_the_session_wherever_it_is_said_and_nobody_is_refused_for_good_by_it() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
        for label in Label::ALL {
            let diagnosis = Diagnosis::of_label(*label, stage, &reply(421, "x"));
            assert_eq!(diagnosis.extent, Extent::Session);
            assert_eq!(diagnosis.persistence, Persistence::Transient);
        }
    }
}

#[test]
fn a_bad_sequence_of_commands_ends_the_session_and_nobody_is_refused_for_good_by_it() {
    for stage in [Stage::Mail, Stage::Rcpt] {
        let diagnosis = by_code(stage, 503, "x");
        assert_eq!(diagnosis.extent, Extent::Session);
        assert_eq!(diagnosis.persistence, Persistence::Transient);
    }
    assert_eq!(by_code(Stage::Data, 503, "x").persistence, Persistence::Permanent);
}

#[test]
fn only_what_is_of_one_recipient_or_their_domain_is_ended_beyond_the_message() {
    for (label, reply, stage) in everything() {
        let diagnosis = Diagnosis::of_label(label, stage, &reply);
        let ends_more =
            matches!(diagnosis.action, Action::SuppressRecipient | Action::HoldRecipientDomain);
        let may = label.suppresses() || label.holds_recipient_domain();
        assert!(!ends_more || (may && reply.code().is_permanent()), "{label} {reply} {stage}");
        assert!(!ends_more || diagnosis.signal == Signal::Perm, "{label} {reply} {stage}");
    }
}

#[test]
fn what_is_of_a_recipient_or_a_connection_never_slows_a_lane() {
    for (label, reply, stage) in everything() {
        let of_one = label.is_of_recipient()
            || matches!(label, Label::Greylisted | Label::MessagesPerConnection);
        let signal = Signal::of(label, reply.code(), Some(stage));
        let slows =
            matches!(signal, Signal::Rate | Signal::Ambiguous | Signal::Outage | Signal::Policy);
        assert!(!(of_one && slows), "{label} {reply} {stage}: {signal:?}");
    }
}

#[test]
fn a_limit_or_a_trouble_of_ours_bounces_nothing_whatever_its_code() {
    for label in Label::ALL {
        let diagnosis = Diagnosis::of_label(*label, Stage::Rcpt, &reply(550, "x"));
        let ours =
            matches!(diagnosis.action, Action::SlowLane | Action::StopSource | Action::HoldRoute);
        assert!(!ours || diagnosis.persistence != Persistence::Permanent, "{label}");
    }
}

#[test]
fn too_many_recipients_are_told_from_a_mailbox_that_is_full() {
    let extent = |code, text: &str, label| {
        Diagnosis::of_label(label, Stage::Rcpt, &reply(code, text)).extent
    };
    assert_eq!(extent(452, "4.5.3 enough", Label::RecipientsPerMessage), Extent::Transaction);
    assert_eq!(extent(550, "5.5.3 enough", Label::RecipientsPerMessage), Extent::Transaction);
    assert_eq!(extent(452, "Enough", Label::Unknown), Extent::Transaction);
    assert_eq!(extent(552, "Enough", Label::Unknown), Extent::Transaction);
    assert_eq!(extent(452, "4.2.2 x", Label::MailboxFull), Extent::Recipient);
    assert_eq!(extent(452, "4.3.1 x", Label::Unknown), Extent::Recipient);
    let at_the_dot = Diagnosis::of_label(Label::RecipientsPerMessage, Stage::Dot, &reply(452, "x"));
    assert_eq!(at_the_dot.extent, Extent::Message);
}

#[test]
fn the_first_digit_says_how_lasting_it_is_where_nothing_else_does() {
    assert_eq!(by_code(Stage::Rcpt, 250, "x").persistence, Persistence::Success);
    assert_eq!(by_code(Stage::Rcpt, 451, "x").persistence, Persistence::Transient);
    assert_eq!(by_code(Stage::Dot, 591, "x").persistence, Persistence::Permanent);
    assert_eq!(by_code(Stage::Dot, 354, "x").persistence, Persistence::Transient);
}

#[test]
fn every_name_is_said_once() {
    let mut names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Action::ALL.len());
}

#[test]
fn a_hint_is_what_the_whole_text_says_whether_or_not_it_was_read() {
    let book = RuleBook::built_in(&Providers::built_in());
    let mut scratch = Scratch::default();
    let mut hints = 0;
    for rule in book.rules() {
        for example in rule.examples() {
            let reply = read_reply(&example.reply).unwrap();
            let stage = example.stage;
            let provider = book.providers_of(rule).next().map(ProviderId::as_str);
            let heard = Heard { reply: &reply, stage, provider, mx: example.mx.as_deref() };
            let diagnosis = book.diagnose(&mut scratch, heard);
            assert_eq!(diagnosis.hint, hint_of(diagnosis.label, &reply, || true), "{reply}");
            hints += usize::from(!diagnosis.hint.is_empty());
        }
    }
    assert!(hints > 100, "{hints}");
}
