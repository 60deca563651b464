//! What messages say: each check on a message that is right but for one thing.

use std::time::Duration;

use postlane_checks::Outcome::{Error, Fail, Info, Pass, Skip, Warn};
use postlane_checks::message::Message;
use postlane_checks::{Answer, Arrived, Failure, Finding, Kind, Known, Outcome, Session};
use postlane_checks::{check_message, message_checks};
use postlane_mail::Instant;
use proptest::prelude::*;

const HEAD: &str = "Date: Mon, 09 May 2022 17:34:53 +0000\nFrom: \"Shop\" <shop@example.com>\n\
    To: jo@example.net\nSubject: Your shoes are here\nMessage-ID: <1@example.com>\n";

const TEXT: &str = "Hello Jo, the shoes that you have ordered last week are on their way to you, and \
    they will arrive on Monday. Shop Example, Main Street 1, 12345 Springfield";

/// A message with this HTML beside a text that says the same.
fn letter(html: &str) -> String {
    format!(
        "{HEAD}MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\
         Content-Type: text/plain; charset=utf-8\n\n{TEXT}\n--b\n\
         Content-Type: text/html; charset=utf-8\n\n<p>{TEXT}</p>{html}\n--b--\n"
    )
}

const WAY_OUT: &str = "<p><a href='https://news.example.com/out?t=x'>Unsubscribe</a></p>";

fn answered(octets: &[u8], answer: impl Fn(Kind, &str) -> Answer) -> Vec<Finding> {
    let arrived = Arrived {
        message: Message::new(octets),
        now: Instant::from_unix_s(1_652_118_000),
        is_utf8: false,
        client: None,
        is_transactional: false,
        may_fetch: false,
        session: Session::Unseen,
    };
    let mut known = Known::new();
    loop {
        if let Some((_, findings)) = check_message(&mut known, &arrived) {
            return findings;
        }
        for question in known.take_missing() {
            let answer = answer(question.kind, question.name.as_str());
            known.learn(question, answer);
        }
    }
}

fn look(text: &str) -> Vec<Finding> {
    answered(text.replace('\n', "\r\n").as_bytes(), |_, _| Answer::NoData)
}

/// How one check comes out.
fn of(id: &str, text: &str) -> Outcome {
    let found = look(text);
    let found = found.iter().find(|finding| finding.id == id);
    found.map(|finding| finding.outcome).expect("the check is there")
}

/// How one check of HTML comes out.
fn html(id: &str, html: &str) -> Outcome {
    of(id, &letter(html))
}

#[test]
fn every_check_of_content_is_there_once_and_in_every_run() {
    let ids: Vec<&str> =
        message_checks().map(|check| check.id).filter(|id| id.starts_with("CNT")).collect();
    assert_eq!(ids, (1..=19).map(|n| format!("CNT-{n:02}")).collect::<Vec<_>>());
    for text in ["", "Subject: x\n\nhello\n", &letter("")] {
        let all: Vec<&str> = look(text).iter().map(|finding| finding.id).collect();
        assert_eq!(all, message_checks().map(|check| check.id).collect::<Vec<_>>());
    }
}

#[test]
fn a_letter_as_it_should_be_passes() {
    let odd: Vec<(&str, Outcome, String)> = look(&letter(WAY_OUT))
        .into_iter()
        .filter(|f| f.id.starts_with("CNT") || ["BULK-08", "BULK-16"].contains(&f.id))
        .filter(|finding| !matches!(finding.outcome, Pass | Skip))
        .map(|finding| (finding.id, finding.outcome, finding.evidence))
        .collect();
    assert_eq!(odd, []);
}

#[test]
fn text_and_page_say_the_same() {
    assert_eq!(html("CNT-01", ""), Pass);
    assert_eq!(
        html(
            "CNT-01",
            "<p>buy pills watches cheap now casino winner million dollars prince \
        inherit bank transfer urgent reply secret offer limited guaranteed weight loss miracle \
        friend lonely singles area tonight click</p>"
        ),
        Warn
    );
    assert_eq!(of("CNT-01", &format!("{HEAD}\n{TEXT}\n")), Skip);
}

#[test]
fn images_need_text() {
    let alone = |html: &str| format!("{HEAD}Content-Type: text/html\n\n{html}\n");
    let image = "<img src=cid:a alt=a width=600 height=900>";
    assert_eq!(of("CNT-02", &alone(image)), Fail);
    assert_eq!(of("CNT-02", &alone(&format!("{image}see the image"))), Warn);
    assert_eq!(html("CNT-02", image), Pass);
    assert_eq!(html("CNT-03", &image.repeat(10)), Info);
    assert_eq!(html("CNT-03", "<img src=x width=1 height=1>"), Pass);
    assert_eq!(html("CNT-12", "<img src=cid:a>"), Info);
}

#[test]
fn links_are_plain_and_lead_where_they_say() {
    let link = |to: &str, text: &str| format!("<a href=\"{to}\">{text}</a>");
    assert_eq!(html("CNT-05", &link("https://bit.ly/x", "go")), Warn);
    for odd in [
        "http://192.0.2.1/",
        "https://[2001:db8::1]/",
        "https://3221225985/",
        "https://shop.example.com:8443/",
        "https://www.example.com@other.example/",
        "https://xn--pypal-4ve.com/",
    ] {
        assert_eq!(html("CNT-06", &link(odd, "go")), Fail, "{odd}");
    }
    assert_eq!(html("CNT-06", &link("https://www.example.com:443/?a@b", "go")), Pass);
    assert_eq!(html("CNT-07", &link("https://evil.example.org/", "www.bank.com")), Fail);
    assert_eq!(html("CNT-07", &link("https://click.bank.com/x", "https://www.bank.com/a")), Pass);
    assert_eq!(html("CNT-07", &link("https://click.example.com/", "www.bank.com")), Pass);
    assert_eq!(html("CNT-07", &link("https://evil.example.org/", "Version 2.0")), Pass);
    assert_eq!(html("CNT-08", &link("http://www.example.com/", "go")), Warn);
    assert_eq!(html("CNT-17", &link("https://www.example.com/?m=jo%40example.net", "go")), Warn);
    assert_eq!(html("CNT-17", &link("https://www.example.com/am9AZXhhbXBsZS5uZXQ=", "go")), Warn);
    assert_eq!(html("CNT-17", &link("https://www.example.com/8f2a", "go")), Pass);
}

#[test]
fn hosts_of_links_are_looked_up() {
    let octets = letter("<a href='https://gone.example.com/'>go</a>").replace('\n', "\r\n");
    let outcome = |answer: Answer| {
        let found = answered(octets.as_bytes(), |kind, name| match (kind, name) {
            (Kind::A, "gone.example.com") => answer.clone(),
            _ => Answer::NoData,
        });
        found.into_iter().find(|finding| finding.id == "CNT-09").map(|finding| finding.outcome)
    };
    assert_eq!(outcome(Answer::NoName), Some(Fail));
    assert_eq!(outcome(Answer::Failed(Failure::ServFail)), Some(Error));
    assert_eq!(outcome(Answer::NoData), Some(Pass));
    assert_eq!(html("CNT-09", "<a href='https://u1.ct.sendgrid.net/x'>go</a>"), Warn);
}

#[test]
fn what_is_taken_out_or_hidden_is_told() {
    assert_eq!(html("CNT-10", "<script>x</script>"), Fail);
    assert_eq!(html("CNT-10", "<b onmouseover=x>y</b>"), Fail);
    assert_eq!(html("CNT-10", ""), Pass);
    let words = "word ".repeat(60);
    assert_eq!(html("CNT-11", &format!("<div style='display:none'>{words}</div>")), Warn);
    assert_eq!(html("CNT-11", &format!("<div style='font-size:1px'>{words}</div>")), Fail);
    assert_eq!(html("CNT-11", "<div style='font-size:0'>word</div>"), Warn);
    assert_eq!(html("CNT-18", "<table><tr><td><b>x"), Info);
}

#[test]
fn a_subject_is_honest() {
    let subject = |subject: &str| of("CNT-13", &letter("").replace("Your shoes are here", subject));
    for tricky in ["YOUR SHOES ARE HERE", "Shoes!!!", "Re: your shoes", "=?utf-8?q?=F0=9F=91=9F?="]
    {
        assert_eq!(subject(tricky), Warn, "{tricky}");
    }
    for fine in ["NASA and ESA are flying", "Your shoes!", "Regarding shoes"] {
        assert_eq!(subject(fine), Pass, "{fine}");
    }
    let answer =
        letter("").replace("Your shoes are here", "Re: shoes\nReferences: <2@example.com>");
    assert_eq!(of("CNT-13", &answer), Pass);
}

#[test]
fn placeholders_that_nobody_filled_are_told() {
    for left in [
        "{{first_name}}",
        "{{ user.name | default: 'x' }}",
        "%%NAME%%",
        "*|FNAME|*",
        "[[name]]",
        "${name}",
        "<a href='https://www.example.com/{{id}}'>go</a>",
    ] {
        assert_eq!(html("CNT-14", left), Fail, "{left}");
    }
    for fine in ["{{ }}", "100%% of 50%%", "a {b} c", "{{1}}", "[1] [[2]]"] {
        assert_eq!(html("CNT-14", fine), Pass, "{fine}");
    }
    assert_eq!(of("CNT-14", &format!("{HEAD}\nDear , hello\n")), Fail);
}

#[test]
fn letters_are_what_they_seem() {
    assert_eq!(html("CNT-15", &"v\u{200b}iagra ".repeat(6)), Warn);
    assert_eq!(html("CNT-15", &"p\u{430}ypal ".repeat(6)), Warn);
    assert_eq!(html("CNT-15", &"\u{200b}\u{a0}".repeat(200)), Pass);
    assert_eq!(html("CNT-15", "<a href='https://www.example.com/\u{202e}gpj.exe'>x</a>"), Fail);
    let from = letter("").replace("\"Shop\"", "=?utf-8?q?=E2=80=AEpohS?=");
    assert_eq!(of("CNT-15", &from), Fail);
}

#[test]
fn german_readers_read_german() {
    let to = |text: &str| text.replace("jo@example.net", "jo@gmx.de");
    assert_eq!(of("CNT-19", &to(&letter(TEXT))), Info);
    let german = "<p>Die Schuhe, die Sie in der letzten Woche bestellt haben, sind auf dem Weg zu \
        Ihnen und kommen am Montag bei Ihnen an. Wir danken für Ihr Vertrauen und wünschen Ihnen eine \
        gute Zeit mit den Schuhen. Wenn Sie Fragen haben, rufen Sie uns an.</p>".repeat(3);
    assert_eq!(of("CNT-19", &to(&letter(&german))), Pass);
    assert_eq!(html("CNT-19", ""), Skip);
}

#[test]
fn the_way_out_is_seen() {
    assert_eq!(html("BULK-08", WAY_OUT), Pass);
    assert_eq!(html("BULK-08", ""), Fail);
    let faint = WAY_OUT.replace("<p>", "<p style='font-size:5px'>");
    assert_eq!(html("BULK-08", &faint), Warn);
    let hidden = WAY_OUT.replace("<p>", "<p style='display:none'>");
    assert_eq!(html("BULK-08", &hidden), Fail);
    assert_eq!(html("BULK-08", &WAY_OUT.replace("Unsubscribe", "Abmelden")), Pass);
    let nobody = letter("").replace("12345 Springfield", "");
    assert_eq!(of("BULK-16", &nobody), Warn);
    assert_eq!(of("BULK-16", &nobody.replace("Main Street", "Impressum")), Pass);
}

/// Cost is held against a limit that no slow machine comes near and that every quadratic search
/// is beyond.
#[expect(
    clippy::disallowed_methods,
    reason = "the time that the checks themselves take is measured"
)]
fn is_bounded(octets: &[u8]) {
    let started = std::time::Instant::now();
    let found = answered(octets, |_, _| Answer::NoData);
    assert_eq!(found.len(), message_checks().count());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?} for {} octets", octets.len());
}

#[test]
fn hostile_messages_cost_no_more_than_long_ones() {
    let head = HEAD.replace('\n', "\r\n");
    let html = |inside: String| format!("{head}Content-Type: text/html\r\n\r\n{inside}");
    let all = [
        html("<div>".repeat(2_000_000)),
        html("<a href=https://a.example/>x".repeat(300_000)),
        html(format!("{}{}", "<b>".repeat(400_000), "</i>".repeat(400_000))),
        html("&".repeat(5_000_000)),
        html("<!--".repeat(2_000_000)),
        html("{{".repeat(2_000_000)),
        html(format!("<p style=\"{}\">", "color:red;".repeat(500_000))),
        html(format!("<p {}>", (0..200_000).map(|n| format!("a{n}=1 ")).collect::<String>())),
        format!("{head}X: {}\r\n\r\nx", "y".repeat(1 << 20)),
        format!("{head}\r\n{}", "https://".repeat(500_000)),
        "Received: from a by b; Mon, 09 May 2022 17:34:53 +0000\r\n".repeat(10_000)
            + &head
            + "\r\nx",
    ];
    for octets in &all {
        is_bounded(octets.as_bytes());
    }
}

#[test]
fn a_long_header_full_of_encoded_words_costs_no_more_than_a_long_one() {
    for piece in ["=?a?b?x", "=?utf-8?q?a?= ", "=?=?", "\"=?utf-8?b?YQ==?=\"", "(((", "a@b,", "<"] {
        for name in ["Subject", "From", "List-Unsubscribe"] {
            let value = piece.repeat((1 << 20) / piece.len());
            is_bounded(format!("{name}: {value}\r\n\r\nx").as_bytes());
        }
    }
}

#[test]
fn parts_within_parts_without_end_are_left() {
    let mut deep = String::new();
    for n in 0..3_000 {
        deep += &format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    }
    is_bounded(deep.as_bytes());
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n".repeat(100_000)
    );
    is_bounded(many.as_bytes());
}

proptest! {
    #[test]
    fn whatever_html_says_every_check_says_something(inside in prop::collection::vec(
        prop::sample::select(vec![
            "<a href=", "https://a.example", "'", "\"", ">", "</a>", "<div style='", "display:none",
            "font-size:0;", "color:#fff;", "<td bgcolor=#fff>", "<script>", "</script>", "<!--",
            "-->", "{{", "x", "}}", "&#x202e;", "\u{200b}", "é", "<img src=data:", "</div>", " ",
            "<title>", "unsubscribe", "%%", "<table>", "\u{430}", "&nbsp;", "=", "<", "//", "@", ":",
        ]),
        0..60,
    )) {
        let found = look(&letter(&inside.concat()));
        prop_assert_eq!(found.len(), message_checks().count());
    }
}
