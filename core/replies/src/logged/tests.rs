use proptest::prelude::*;

use super::*;

fn read(line: &str) -> String {
    let Some(logged) = read_logged(line) else { return "nothing".to_owned() };
    let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
    format!(
        "{} | {} | {} | {}",
        logged.reply,
        text(logged.stage.map(Stage::as_str)),
        text(logged.host.as_deref()),
        text(logged.domain.as_deref()),
    )
}

#[test]
fn postfix_says_who_said_what_to_which_command() {
    assert_eq!(
        read(
            "Nov 21 10:00:00 a postfix/smtp[1]: 4Zx: to=<jo@Example.net>, relay=mx.example.net[192.0.2.1]:25, delay=3, delays=0/0/1/2, dsn=4.2.2, status=deferred (host mx.example.net[192.0.2.1] said: 452-4.2.2 The box (jo) is over quota 452 4.2.2 later (in reply to RCPT TO command))"
        ),
        "452 4.2.2 The box (jo) is over quota / 4.2.2 later | rcpt | mx.example.net | example.net"
    );
    assert_eq!(
        read(
            "4Zx: to=<jo@example.net>, relay=none, dsn=4.0.0, status=deferred (host mx.example.net[192.0.2.1] refused to talk to me: 554 No SMTP service (policy))"
        ),
        "554 No SMTP service (policy) | connect | mx.example.net | example.net"
    );
    assert_eq!(
        read("host mx.example.net[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"),
        "550 5.7.1 no | dot | - | -"
    );
    assert_eq!(
        read(
            "to=<jo@example.net>, relay=mx.example.net[192.0.2.1]:25, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4bQ)"
        ),
        "250 2.0.0 Ok: queued as 4bQ | - | mx.example.net | example.net"
    );
    assert_eq!(
        read("status=deferred (connect to mx.example.net[192.0.2.1]:25: timed out)"),
        "nothing"
    );
}

#[test]
fn exim_says_after_what() {
    assert_eq!(
        read(
            "2026-11-21 10:00:00 1abc-00 == jo@example.net R=dns T=smtp defer (-46) H=mx.example.net [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<jo@example.net>: 451 4.7.1 Greylisted"
        ),
        "451 4.7.1 Greylisted | rcpt | mx.example.net | example.net"
    );
    assert_eq!(
        read(
            "1abc ** 421@example.net R=dns T=smtp H=mx.example.net [192.0.2.1]: SMTP error from remote mail server after pipelined end of data: 552 5.3.4 too large"
        ),
        "552 5.3.4 too large | dot | mx.example.net | example.net"
    );
}

#[test]
fn others_are_read_too() {
    assert_eq!(
        read(
            "delivery 3: deferral: 192.0.2.1_does_not_like_recipient./Remote_host_said:_450_4.2.1_busy/Giving_up_on_192.0.2.1./"
        ),
        "450 4.2.1 busy | - | - | -"
    );
    assert_eq!(
        read(
            "to=<jo@example.net>, relay=mx.example.net. [192.0.2.1], dsn=4.7.0, stat=Deferred: 421 4.7.0 later"
        ),
        "421 4.7.0 later | - | mx.example.net | example.net"
    );
    assert_eq!(read("<<< 550 no such user"), "550 no such user | - | - | -");
    assert_eq!(read("Diagnostic-Code: smtp; 550 5.1.1 unknown"), "550 5.1.1 unknown | - | - | -");
    assert_eq!(
        read("smtp: result=\"PermFail\" stat=\"550 5.1.1 gone\""),
        "550 5.1.1 gone | - | - | -"
    );
    assert_eq!(read("reply from peer: 550-5.1.1 gone"), "550 5.1.1 gone | - | - | -");
}

#[test]
fn our_own_log_tells_provider_and_stage() {
    let line = "ts=2026-11-21T08:44:12.752Z event=deferred id=0cr to=jo@web.de provider=united-internet host=mx-ha02.web.de ip=192.0.2.1:25 stage=connect code=421 status=4.7.0 text=\"one \\\"two\\\"\\nthree\" source=a";
    assert_eq!(read(line), "421 one \"two\" / three | connect | mx-ha02.web.de | web.de");
    assert_eq!(read_logged(line).unwrap().provider.as_deref(), Some("united-internet"));
    for host in ["", "[192.0.2.1]", "\"two words\""] {
        let line = line.replace("mx-ha02.web.de", host);
        assert_eq!(read_logged(&line).unwrap().host, None, "{host}");
    }
}

#[test]
fn a_line_without_a_reply_has_none() {
    for line in [
        "",
        "Nov 21 10:00:00 a postfix/qmgr[1]: 4Zx: removed",
        "connect from unknown[192.0.2.1] port 587 tls",
        "delay=250, delays=1/2/3/4",
        "took 421 ms",
        "size=550 nrcpt=1",
    ] {
        assert_eq!(read(line), "nothing", "{line}");
    }
}

proptest! {
    #[test]
    fn any_line_is_read_or_is_not(line in "\\PC{0,200}", at in 0_usize..4) {
        let mark = ["said: 421 ", "stat=550", "event=x code=550 text=\"", "after RCPT TO: 550-"][at];
        let _ = read_logged(&line);
        let _ = read_logged(&format!("{line}{mark}{line}"));
    }
}
