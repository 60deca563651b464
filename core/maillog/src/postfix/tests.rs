use super::*;

fn read(line: &str) -> String {
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    match Postfix::new().read(&mut Clock::new(2026), line.as_bytes()) {
        Told::Attempt(one) => {
            let (whose, said) = match one.said {
                Said::Reply(said) => ("host", said),
                Said::Own(said) => ("own", said),
            };
            format!(
                "{:?} {} {} to {} at {} in {} by {}: {} {:?} {} {:?}",
                one.outcome,
                one.at.unix_s() - one.arrived.map_or(0, Instant::unix_s),
                text(one.id),
                text(one.recipient),
                text(one.host),
                text(one.source.machine),
                text(one.source.instance),
                whose,
                one.stage,
                text(said),
                one.tried_before,
            )
        }
        Told::Named { source, id, sender, message_id } => {
            let (machine, instance) = (text(source.machine), text(source.instance));
            let (sender, message_id) = (sender.map(text), message_id.map(text));
            format!("Named {} by {instance} in {machine}: {sender:?} {message_id:?}", text(id))
        }
        other => format!("{other:?}"),
    }
}

use postlane_mail::Instant;

#[test]
fn a_recipient_taken_is_read() {
    assert_eq!(
        read(
            "Nov 21 06:30:01 out1 postfix/smtp[7]: 4Zx9Q1abc2z: to=<jo@web.de>, \
             orig_to=<jo@example.net>, relay=mx-ha03.web.de[192.0.2.17]:25, conn_use=2, delay=4.2, \
             delays=0.1/0/0.1/4, dsn=2.0.0, status=sent (250 Requested mail action okay, completed: id=1M)"
        ),
        "Accepted 5 4Zx9Q1abc2z to jo@web.de at mx-ha03.web.de in out1 by postfix: host None \
         250 Requested mail action okay, completed: id=1M Some(Never)"
    );
}

#[test]
fn refusals_are_read_with_their_stage() {
    assert_eq!(
        read("Nov 21 06:30:01 out1 postfix-b/slow/smtp[7]: 4F: 4A1B2: to=<jo@web.de>"),
        "Nothing"
    );
    assert_eq!(
        read(
            "Nov 21 06:30:01 out1 postfix-b/slow/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, \
             relay=mx-ha03.web.de[192.0.2.17]:25, delay=900, delays=890/0/5/5, dsn=4.7.0, \
             status=deferred (host mx-ha03.web.de[192.0.2.17] said: 421-slow (in reply to x) 421 down \
             (in reply to end of DATA command))"
        ),
        "Deferred 900 4A1B2C3D4E to jo@web.de at mx-ha03.web.de in out1 by postfix-b/slow: host \
         Some(Dot) 421-slow (in reply to x) 421 down Some(Before)"
    );
    assert_eq!(
        read(
            "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, \
             relay=mx-ha03.web.de[192.0.2.17]:25, delay=1, delays=0/0/1/0, dsn=4.7.0, status=deferred \
             (host mx-ha03.web.de[192.0.2.17] refused to talk to me: 421 too many)"
        ),
        "Deferred 1 4A1B2C3D4E to jo@web.de at mx-ha03.web.de in out1 by postfix: host \
         Some(Connect) 421 too many Some(Never)"
    );
}

#[test]
fn what_postfix_says_itself_is_no_reply() {
    assert_eq!(
        read(
            "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=none, delay=1, \
             delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx.web.de[192.0.2.1]:25: Connection timed out)"
        ),
        "Unreached 1 4A1B2C3D4E to jo@web.de at  in out1 by postfix: own Some(Connect) connect to \
         mx.web.de[192.0.2.1]:25: Connection timed out Some(Never)"
    );
    let lost = read(
        "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=mx.web.de[192.0.2.1]:25, \
         delay=1, dsn=4.4.2, status=deferred (lost connection with mx.web.de[192.0.2.1] while sending end \
         of data -- message may be sent more than once)",
    );
    assert!(lost.contains("own Some(Dot)"), "{lost}");
}

#[test]
fn a_destination_at_rest_was_not_tried() {
    let read = read(
        "Nov 21 06:30:01 out1 postfix/error[7]: 4A1B2C3D4E: to=<jo@web.de>, relay=none, delay=61, \
         delays=60/1/0/0, dsn=4.7.0, status=deferred (delivery temporarily suspended: host \
         mx.web.de[192.0.2.1] refused to talk to me: 421 too many)",
    );
    assert_eq!(
        read,
        "NotTried 61 4A1B2C3D4E to jo@web.de at mx.web.de in out1 by postfix: host Some(Connect) 421 \
         too many Some(Never)"
    );
}

#[test]
fn the_queue_says_what_is_gone_and_what_is_given_up() {
    assert!(
        read("Nov 21 06:30:01 out1 postfix/qmgr[7]: 4A1B2C3D4E: removed").starts_with("Removed")
    );
    let expired = "Nov 21 06:30:01 out1 postfix/qmgr[7]: 4A1B2C3D4E: from=<a@b.c>, status=expired, \
                   returned to sender";
    assert!(read(expired).starts_with("Expired"));
    let active = "Nov 21 06:30:01 out1 postfix/qmgr[7]: 4A1B2C3D4E: from=<a@b.c>, size=1, nrcpt=1 (queue active)";
    assert_eq!(read(active), "Named 4A1B2C3D4E by postfix in out1: Some(\"a@b.c\") None");
    let cleaned = "Nov 21 06:30:01 out1 postfix-b/cleanup[7]: 4A1B2C3D4E: message-id=<1@b.c>";
    assert_eq!(read(cleaned), "Named 4A1B2C3D4E by postfix-b in out1: None Some(\"<1@b.c>\")");
}

#[test]
fn a_host_that_is_passed_over_is_heard() {
    let said = read(
        "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: host mx.web.de[192.0.2.1] refused to talk to \
         me: 421 too many",
    );
    assert!(said.starts_with("HostRefused") && said.contains("Some(Connect)"), "{said}");
}

#[test]
fn other_lines_tell_nothing_and_broken_ones_are_bad() {
    for line in [
        "Nov 21 06:30:01 out1 postfix/smtpd[7]: connect from unknown[192.0.2.1]",
        "Nov 21 06:30:01 out1 postfix/smtp[7]: connect to mx.web.de[192.0.2.1]:25: Connection timed out",
        "Nov 21 06:30:01 out1 postfix/smtp[7]: warning: x",
        "Nov 21 06:30:01 out1 postfix/lmtp[7]: 4A1B2C3D4E: to=<jo@a.b>, relay=x, status=sent (250 ok)",
        "Nov 21 06:30:01 out1 sshd[7]: hello",
        "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@a.b>, relay=x[1], delay=1, dsn=2.0.0, \
         status=deliverable (250 ok)",
    ] {
        assert_eq!(read(line), "Nothing", "{line}");
    }
    for line in [
        "Nov 21 06:30:01",
        "rubbish",
        "Nov 21 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@a.b>, relay=x[1], delay=1, ds",
        "Nov 41 06:30:01 out1 postfix/smtp[7]: 4A1B2C3D4E: to=<jo@a.b>, relay=x, status=sent (250 ok)",
    ] {
        assert_eq!(read(line), "Bad", "{line}");
    }
}
