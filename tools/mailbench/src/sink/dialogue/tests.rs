//! Dialogues with the sink as a postmaster would read them.

use std::sync::Arc;

use super::*;
use crate::clock::Cpu;
use crate::sink::books::Books;

fn sink(rules: &[&str]) -> Dialogue {
    let listener = "127.0.0.1:25".parse().unwrap();
    let house = House {
        books: Arc::new(Books::new("r", 10, vec![listener], false)),
        rules: rules.iter().map(|rule| rule.parse::<Rule>().unwrap()).collect(),
        ehlo: "250 sink\r\n".into(),
        listener: 0,
    };
    let open = Open { by_client: 1, by_listener: 1, in_all: 1 };
    Dialogue::new(house, "192.0.2.1".into(), "127.0.0.1".into(), open)
}

/// Feeds `input` in pieces of `size` octets; what was said, one reply per line.
async fn say_in_pieces(sink: &mut Dialogue, input: &[u8], size: usize) -> String {
    let mut buffer = Vec::new();
    let mut step = sink.connected().await;
    for piece in input.chunks(size) {
        buffer.extend_from_slice(piece);
        while let Step::Took(_) = step {
            step = sink.step(&buffer).await;
            buffer.drain(..step.octets());
        }
        if let Step::Close(_) = step {
            break;
        }
        step = Step::Took(0);
    }
    String::from_utf8(sink.replies.clone()).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn a_message_is_taken_the_same_in_pieces_of_any_size() {
    let input = b"EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<u@D0.Test> NOTIFY=NEVER\r\nDATA\r\n\
        X-Mailbench: r 7 1\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<u@d1.test>\r\n\
        BDAT 4\r\nab\r\nBDAT 3 LAST\r\nX\r\nNOOP\r\nQUIT\r\n";
    for size in 1..input.len() {
        let mut sink = sink(&[]);
        let said = say_in_pieces(&mut sink, input, size).await;
        assert_eq!(
            said,
            "220 sink.mailbench.test ESMTP\n250 sink\n250 2.1.0 Ok\n250 2.1.5 Ok\n354 go ahead\n\
             250 2.0.0 Ok: queued\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok: chunk\n\
             250 2.0.0 Ok: queued\n250 2.0.0 Ok\n221 2.0.0 Bye\n",
            "in pieces of {size}"
        );
        let books = sink.house.books.json(Cpu::now());
        assert_eq!((&books["messages"], &books["ids_once"]), (&2.into(), &1.into()));
    }
}

#[tokio::test]
async fn an_empty_message_ends_with_its_first_dot() {
    let input = b"MAIL FROM:<>\r\nRCPT TO:<u@d.test>\r\nDATA\r\n.\r\nQUIT\r\n";
    let said = say_in_pieces(&mut sink(&[]), input, 7).await;
    assert!(said.ends_with("354 go ahead\n250 2.0.0 Ok: queued\n221 2.0.0 Bye\n"), "{said}");
}

#[tokio::test]
async fn a_rule_answers_in_place_of_the_sink() {
    let rules =
        ["stage=rcpt;domain=full.test;reply=452 4.2.2 full", "stage=eom;reply=421 4.7.0 no"];
    let input = b"MAIL FROM:<>\r\nRCPT TO:<u@full.test>\r\nRCPT TO:<u@d.test>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n";
    let said = say_in_pieces(&mut sink(&rules), input, 1000).await;
    assert_eq!(
        said,
        "220 sink.mailbench.test ESMTP\n250 2.1.0 Ok\n452 4.2.2 full\n250 2.1.5 Ok\n354 go ahead\n\
         421 4.7.0 no\n"
    );
}

#[test]
fn a_path_without_brackets_is_no_address() {
    assert_eq!(path_of("RCPT TO:<a@b.test> NOTIFY=NEVER"), "a@b.test");
    assert_eq!(path_of("MAIL FROM:<>"), "");
    assert_eq!(path_of("MAIL FROM:a@b"), "");
    assert_eq!(domain_of("u@D0.Test"), "d0.test");
}
