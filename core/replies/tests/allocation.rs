//! Asking the rules takes no memory once the scratch has grown.

use postlane_mail::{Code, Reply};
use postlane_replies::{Heard, Providers, RuleBook, Scratch, read_reply};

#[test]
fn nothing_is_allocated_for_a_reply_but_the_first_time() {
    let book = RuleBook::built_in(&Providers::built_in());
    let rules = book.rules();
    let examples = rules.iter().flat_map(|rule| rule.examples().iter().map(move |e| (rule, e)));
    let mut cases: Vec<_> = examples
        .map(|(rule, example)| {
            let provider = book.providers_of(rule).next().cloned();
            (read_reply(&example.reply).unwrap(), example.stage, provider)
        })
        .collect();
    // The classifier is not asked about examples, but about what resembles them.
    let near: Vec<_> =
        cases.iter().map(|(reply, stage, _)| (unread(reply), *stage, None)).collect();
    cases.extend(near);
    for piece in ["user unknown ", "<a@b> ", "a@b ", "e-mail isn't ", "é收 ", "\n5.7.1 "] {
        cases.push((Reply::new(Code::new(550).unwrap(), piece.repeat(100)), None, None));
    }
    let mut scratch = Scratch::default();
    let mut ask = || {
        for (reply, stage, provider) in &cases {
            let provider = provider.as_ref().map(postlane_replies::ProviderId::as_str);
            let heard = Heard { reply, stage: *stage, provider, mx: Some("mx.example.com") };
            std::hint::black_box(book.find(&mut scratch, heard));
            std::hint::black_box(book.diagnose(&mut scratch, heard));
        }
    };
    let first = allocation_counter::measure(&mut ask);
    assert!(first.count_total > 0, "the counter counts");
    let again = allocation_counter::measure(&mut ask);
    assert_eq!((again.count_total, again.bytes_total), (0, 0));
}

/// The same, and words behind it that no rule has.
fn unread(reply: &Reply) -> Reply {
    Reply::new(reply.code(), format!("{} gone fishing till 12:30", reply.text()))
}
