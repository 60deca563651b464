//! `cargo xtask bench check`: what it costs to look at a message as a receiver would, on one core.
//!
//! The DNS is warm: everything that is asked has been answered before. Figures are CPU time, from
//! the raw octets to the last finding. Hostile messages are measured at two lengths: what is
//! linear in the text costs the same for each octet of both.

mod names;

use std::io::Write;

use postlane_checks::message::Message;
use postlane_checks::{Answer, Arrived, Client, Known, Session, check_message};
use postlane_mail::Instant;

use super::replies::on_cpu;
use crate::ended::Ended;

/// How looks are measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Looks at the mail of 50 KiB.
    #[arg(long, default_value_t = 200)]
    looks: u32,
}

const HEAD: &str = "Received: from app.example.com by out.example.com;\r\n\tMon, 09 May 2022 17:34:54 +0000\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; c=relaxed/relaxed; h=From:To:Subject:Date;\r\n\
    \tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\
    Date: Mon, 09 May 2022 17:34:53 +0000\r\nFrom: \"Shop\" <shop@example.com>\r\n\
    To: jo@example.net\r\nSubject: Your order\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n\
    List-Unsubscribe: <https://example.com/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";

/// One row of a mailing's table, with a link and an image.
const ROW: &str = "<tr><td bgcolor=\"#ffffff\" style=\"padding:8px;font-size:14px;color:#333333\">\
    <a href=\"https://news.example.com/click/8f2a\"><img src=\"https://img.example.com/a.png\" \
    alt=\"Shoes\" width=\"300\" height=\"200\"></a> Shoes in brown leather, in all sizes, for 79 euros, \
    until the end of next week &amp; as long as there are some left.</td></tr>\r\n";

/// A mailing with text and HTML of this many octets in all.
fn mailing(octets: usize) -> String {
    let text =
        "Shoes in brown leather, in all sizes, for 79 euros, until the end of next week.\r\n";
    let (plain, html) = (octets / 5 / text.len(), octets * 4 / 5 / ROW.len());
    format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n--b\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<table>{}</table>\r\n--b--\r\n",
        text.repeat(plain),
        ROW.repeat(html)
    )
}

/// Messages that are meant to cost much, by what is repeated in them.
fn hostile(octets: usize) -> Vec<(&'static str, String)> {
    let html = |piece: &str| {
        format!("{HEAD}Content-Type: text/html\r\n\r\n{}", piece.repeat(octets / piece.len()))
    };
    let header = |name: &str, piece: &str| {
        format!("{name}: {}\r\n{HEAD}\r\nx", piece.repeat(octets / piece.len()))
    };
    let received = "Received: from a by b; Mon, 09 May 2022 17:34:53 +0000\r\n";
    vec![
        ("HTML, deep", html("<div>")),
        ("HTML, links", html("<a href=https://a.example/>x")),
        ("HTML, comments", html("<!--")),
        ("header line", header("X", "y")),
        ("encoded words", header("Subject", "=?a?b?x")),
        ("Received", received.repeat(octets / received.len()) + HEAD + "\r\nx"),
        (
            "parts",
            format!(
                "{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\n\r\nx\r\n".repeat(octets / 10)
            ),
        ),
    ]
}

/// Looks until everything is known; every question has the answer that there is nothing.
fn look(known: &mut Known, octets: &[u8]) -> usize {
    let client = Client {
        address: [192, 0, 2, 1].into(),
        helo: "out.example.com",
        mail_from: "b@example.com",
    };
    let arrived = Arrived {
        message: Message::new(octets),
        now: Instant::from_unix_s(1_652_118_000),
        is_utf8: false,
        client: Some(client),
        is_transactional: false,
        may_fetch: false,
        session: Session::Unseen,
    };
    loop {
        if let Some((_, findings)) = check_message(known, &arrived) {
            return findings.len();
        }
        for question in known.take_missing() {
            known.learn(question, Answer::NoName);
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let mut out = std::io::stdout().lock();
    let mail = mailing(50 * 1024);
    let mut known = Known::new();
    let checks = look(&mut known, mail.as_bytes());
    let begun = on_cpu()?;
    for _ in 0..arguments.looks {
        std::hint::black_box(look(&mut known, mail.as_bytes()));
    }
    let each = (on_cpu()? - begun) / f64::from(arguments.looks.max(1));
    writeln!(out, "checks                {checks}")?;
    writeln!(out, "a mail of {} octets   {:.2} ms", mail.len(), each * 1e3)?;
    for octets in [1 << 20, 10 << 20] {
        for (name, message) in hostile(octets) {
            let begun = on_cpu()?;
            std::hint::black_box(look(&mut Known::new(), message.as_bytes()));
            let took = on_cpu()? - begun;
            writeln!(out, "{name:<16} {:>10} octets {:>8.1} ms", message.len(), took * 1e3)?;
        }
    }
    names::run(&mut out)?;
    Ok(Ended::Well)
}
