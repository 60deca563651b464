use std::sync::LazyLock;

use postlane_replies::{Label, Providers};

use super::*;
use crate::refusal::Refusal;

/// It takes a while to make.
static BOOK: LazyLock<Arc<RuleBook>> =
    LazyLock::new(|| Arc::new(RuleBook::built_in(&Providers::built_in())));

fn analysis(limits: Limits) -> Analysis {
    Analysis::new(Arc::clone(&BOOK), limits, Instant(0), Instant::MAX)
}

fn read(text: &str) -> Report {
    let mut analysis = analysis(Limits::default());
    analysis.begin_file(Format::Postfix, 2026);
    analysis.feed(text.as_bytes());
    analysis.finish()
}

const LOG: &str = "\
Nov 21 06:30:00 out postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=mx-ha.web.de[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=4.7.0, status=deferred (host mx-ha.web.de[192.0.2.1] refused to talk to me: 421 Too many messages have been received in a short period of time)
Nov 21 06:31:00 out postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=mx-ha.web.de[192.0.2.1]:25, delay=61, delays=60/0/1/0, dsn=4.7.0, status=deferred (host mx-ha.web.de[192.0.2.1] refused to talk to me: 421 Too many messages have been received in a short period of time)
this is no line of a log
Nov 21 06:31:30 out postfix/error[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=none, delay=91, delays=90/0/1/0, dsn=4.7.0, status=deferred (delivery temporarily suspended: host mx-ha.web.de[192.0.2.1] refused to talk to me: 421 Too many messages have been received in a short period of time)
Nov 21 06:32:00 out postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=mx-ha.web.de[192.0.2.1]:25, delay=121, delays=120/0/1/0, dsn=2.0.0, status=sent (250 ok)
Nov 21 06:32:00 out postfix/qmgr[7]: 4A1B2C3D4E: removed
Nov 21 06:32:01 out postfix/smtp[7]: 4A1B2C3D4F: to=<no@gmx.de>, relay=mx00.emig.gmx.net[192.0.2.2]:25, delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (host mx00.emig.gmx.net[192.0.2.2] said: 550 5.1.1 mailbox unavailable, no such user (in reply to RCPT TO command))
Nov 21 06:32:02 out postfix/smtp[7]: 4A1B2C3D50: to=<a@example.org>, relay=mx.example.org[192.0.2.3]:25, delay=1, delays=0/0/1/0, dsn=4.2.0, status=deferred (host mx.example.org[192.0.2.3] said: 451 4.2.0 Greylisted, try again (in reply to RCPT TO command))
Nov 21 06:33:02 out postfix/qmgr[7]: 4A1B2C3D50: from=<b@example.com>, status=expired, returned to sender
Nov 21 06:33:02 out postfix/qmgr[7]: 4A1B2C3D50: removed
";

#[test]
fn tries_are_joined_and_counted_by_provider() {
    let report = read(LOG);
    assert_eq!((report.files, report.lines, report.bad_lines), (1, 10, 1));
    assert_eq!(report.providers.len(), 2);
    let united = &report.providers[0];
    assert_eq!((&*united.id, united.accepted, united.deferred), ("united-internet", 1, 2));
    assert_eq!((united.bounced, united.suspended, united.expired), (1, 1, 0));
    assert_eq!((united.first_attempts, united.first_accepted), (2, 0));
    assert_eq!((united.paced_first, united.paced_again), (1, 1));
    assert_eq!(united.labels.get(&Label::RateLimited), Some(&2));
    assert_eq!(united.labels.get(&Label::NoSuchUser), Some(&1));
    assert_eq!(united.attempts_per_accepted(), Some(4.0));
    let other = &report.providers[1];
    assert_eq!((&*other.id, other.deferred, other.expired), ("example.org", 1, 1));
    assert_eq!(report.waiting, 0);
}

#[test]
fn refusals_are_kept_whole_with_what_other_lines_tell_of_the_message() {
    let before = "\
Nov 21 06:29:58 out postfix/cleanup[7]: 4A1B2C3D4E: message-id=<1@shop.example>
Nov 21 06:29:59 out postfix/qmgr[7]: 4A1B2C3D4E: from=<news@shop.example>, size=326, nrcpt=1 (queue active)
";
    let mut analysis = analysis(Limits::default()).with_refusals_of("united-internet");
    analysis.begin_file(Format::Postfix, 2026);
    analysis.feed(before.as_bytes());
    analysis.feed(LOG.as_bytes());
    let report = analysis.finish();
    let of = |refusal: &Refusal| {
        let Refusal { id, message_id, sender, recipient, host, .. } = refusal.clone();
        [id, message_id, sender, recipient, host].map(String::from).join(" ")
    };
    let told: Vec<_> = report.refusals.iter().map(of).collect();
    let waits = "4A1B2C3D4E <1@shop.example> news@shop.example jo@web.de mx-ha.web.de";
    // Nothing was said of the second message before it was tried.
    assert_eq!(told, [waits, waits, "4A1B2C3D4F   no@gmx.de mx00.emig.gmx.net"]);
    assert!(report.refusals[0].said.starts_with("421 Too many messages"));
    assert_eq!(report.refusals.iter().map(|of| of.turn).collect::<Vec<_>>(), {
        [Turn::First, Turn::Again, Turn::First]
    });
    // Who asks for nothing gets nothing, and the same figures.
    let mut other = read(&format!("{before}{LOG}"));
    assert!(other.refusals.is_empty());
    other.refusals = report.refusals.clone();
    assert_eq!(other, report);
}

#[test]
fn lines_may_be_parted_anywhere() {
    let whole = read(LOG);
    for size in [1, 7, 100, 4096] {
        let mut analysis = analysis(Limits::default());
        analysis.begin_file(Format::Postfix, 2026);
        LOG.as_bytes().chunks(size).for_each(|chunk| analysis.feed(chunk));
        assert_eq!(analysis.finish(), whole, "{size}");
    }
}

#[test]
fn the_end_of_a_long_line_is_not_looked_at_and_the_next_is_read() {
    let mut text = "x".repeat(300_000);
    text.push('\n');
    text.push_str(LOG);
    let mut analysis = analysis(Limits::default());
    analysis.begin_file(Format::Postfix, 2026);
    text.as_bytes().chunks(1000).for_each(|chunk| analysis.feed(chunk));
    assert!(analysis.rest.capacity() <= 4 * LINE_MAX);
    let report = analysis.finish();
    assert_eq!((report.lines, report.bad_lines), (11, 2));
}

#[test]
fn what_lies_outside_of_the_span_is_not_counted_and_still_joined() {
    let since = Instant::from_unix_s(1_795_242_690);
    let mut analysis = Analysis::new(Arc::clone(&BOOK), Limits::default(), since, Instant::MAX);
    analysis.begin_file(Format::Postfix, 2026);
    analysis.feed(LOG.as_bytes());
    let report = analysis.finish();
    let united = &report.providers[0];
    assert_eq!((united.deferred, united.accepted, united.suspended), (0, 1, 1));
    // It was tried before.
    assert_eq!((united.first_attempts, united.bounced), (1, 1));
}

#[test]
fn moments_get_coarser_rather_than_too_many() {
    let mut analysis = analysis(Limits { moments_max: 100, ..Limits::default() });
    analysis.begin_file(Format::Postfix, 2026);
    for n in 0..2000 {
        let (min, s) = (n / 60, n % 60);
        let line = format!(
            "Nov 21 06:{min:02}:{s:02} out postfix/smtp[7]: 4A1B2C3D50: to=<a@example.org>, relay=mx.example.org[192.0.2.3]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)\n"
        );
        analysis.feed(line.as_bytes());
    }
    let report = analysis.finish();
    let one = &report.providers[0];
    assert_eq!((one.accepted, one.step_s), (2000, 32));
    assert!(one.moments.len() <= 100);
    assert_eq!(one.moments.iter().map(|moment| moment.accepted).sum::<u32>(), 2000);
}
