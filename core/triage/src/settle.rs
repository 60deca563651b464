//! What was not seen, and what would settle a verdict that is in doubt.

use crate::class::Class;
use crate::evidence::{Evidence, Measure};
use crate::picture::{Ptr, SourceSeen};
use crate::statistic::Comparison;
use crate::subject::{Subject, Trend};

/// What was not seen and might change the verdict; never empty.
pub(crate) fn unseen(subject: &Subject<'_>, class: Class) -> Vec<Evidence> {
    let attempts = subject.figures.attempts();
    let mut unseen = Vec::new();
    let mut say = |name, value, says: &str| {
        let measure = Measure { name, value, of: attempts };
        unseen.push(Evidence { says: says.to_owned(), measure, weight: 0.0 });
    };
    if subject.sources < 2 && matches!(class, Class::Throttle | Class::Policy | Class::Outage) {
        say(
            "sources",
            subject.sources as f64,
            "there is one source only, so none to compare it with",
        );
    } else if subject.worst.is_none() && subject.sources > 1 {
        say("sources", subject.sources as f64, "the sources sent too little to be compared");
    }
    if subject.fine_elsewhere().is_none() && class.is_trouble() {
        let there = subject.elsewhere.attempts() as f64;
        say("attempts_elsewhere", there, "too little went to other providers to compare with");
    }
    if subject.backlog == Trend::Unseen && matches!(class, Class::Throttle | Class::RetryStorm) {
        say("queue_age_s", 0.0, "the age of the queue is not known");
    }
    let is_open = |source: &SourceSeen| matches!(source.ptr, Ptr::Unasked | Ptr::Undetermined);
    let is_known = subject.seen.iter().any(|source| !is_open(source));
    if !is_known && matches!(class, Class::Policy | Class::Infra | Class::Block) {
        let asked = subject.seen.iter().any(|source| source.ptr == Ptr::Undetermined);
        let says = match asked {
            true => "the reverse DNS of the sources was asked and did not say",
            false => "the reverse DNS of the sources was not looked at",
        };
        say("ptr", 0.0, says);
    }
    if attempts < 50 {
        say("attempts", attempts as f64, "few attempts were made: an hour more may change this");
    }
    if unseen.is_empty() {
        let measure = Measure { name: "attempts", value: attempts as f64, of: attempts };
        unseen.push(Evidence { says: never_seen(class).to_owned(), measure, weight: 0.0 });
    }
    unseen
}

/// What no log shows, whatever was looked at.
const fn never_seen(class: Class) -> &'static str {
    match class {
        Class::Healthy => {
            "replies tell of acceptance alone: what lies in the spam folder is not seen here"
        }
        Class::Throttle | Class::RetryStorm => {
            "other senders by the same address, and mail by other ways, are not seen here"
        }
        _ => "providers do not always say the true reason, and no reply tells of the spam folder",
    }
}

/// What would tell the verdict from the next likely one.
pub(crate) fn settle(class: Class, rival: Class, subject: &Subject<'_>) -> Vec<String> {
    let mut settle = vec![trial_of(class).to_owned()];
    if rival != class && rival.is_trouble() {
        settle.push(format!("If it were \"{}\": {}", rival.title(), lower(trial_of(rival))));
    }
    let few = subject.figures.attempts() < Comparison::ATTEMPTS_MIN;
    if few && class != Class::TooLittle {
        settle.push("Look again when twenty attempts or more have been made.".to_owned());
    }
    settle
}

/// The observation that a class stands or falls with.
const fn trial_of(class: Class) -> &'static str {
    match class {
        Class::Healthy => "Send to a mailbox of your own there and look in which folder it lies.",
        Class::TooLittle => "Look again after an hour of sending, or over a longer span (--since).",
        Class::Throttle => {
            "Send at half the rate for an hour: the refusals of a limit stop, those of a rule do not."
        }
        Class::Policy => {
            "Send one hand-written, signed message from each source after an hour's rest: a rule refuses it, a limit takes it."
        }
        Class::PoolIp => {
            "Send the same few messages by this source and by a neighbour within the same minutes: only this one is refused."
        }
        Class::RetryStorm => {
            "Hold new mail for an hour: if acceptance rises while attempts fall, it was our own retries."
        }
        Class::Identity => {
            "Send one message to a mailbox of your own elsewhere and read its Authentication-Results: what fails there is what is refused here."
        }
        Class::Recipients => {
            "Send only to people who wrote, ordered or clicked in the last 30 days: the refusals stop within a day."
        }
        Class::Block => "Look the address up at the list, or open the case's link.",
        Class::Infra => {
            "Ask the reverse DNS for each source and the name it gives for its address; both must agree with the name in EHLO."
        }
        Class::Outage => {
            "Connect to the MX host from another network: if it does not answer there either, it is theirs."
        }
        Class::Greylisting => {
            "Watch one message: taken by the second or third attempt after 5 to 15 minutes, it was greylisting."
        }
    }
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
