//! What must hold whatever a client says.

use proptest::prelude::*;

use super::*;

/// Something that a client might say, in its place or out of it.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => Just("EHLO x\r\n"),
        6 => Just("MAIL FROM:<a@b.example>\r\n"),
        6 => Just("RCPT TO:<c@d.example>\r\n"),
        6 => Just("DATA\r\n"),
        6 => Just(".\r\n"),
        1 => Just("x\n"),
        2 => Just("BDAT 5\r\n"),
        2 => Just("BDAT 3 LAST\r\n"),
        1 => Just("BDAT x\r\n"),
        1 => Just("BDAT 99999999999\r\n"),
        2 => Just("RSET\r\n"),
        1 => Just("\r"),
        1 => Just("\0"),
        1 => Just("\u{fc}\r\n"),
        1 => Just("QUIT\r\n"),
        1 => Just("STARTTLS\r\n"),
        2 => Just("AUTH PLAIN\r\n"),
        2 => Just("AUTH SCRAM-SHA-256 biwsbj1qbyxyPXg=\r\n"),
        2 => Just("AHUAcA==\r\n"),
        1 => Just("\r\n"),
        1 => Just("\n.\n"),
        1 => Just("NOOP xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

fn tight() -> Settings {
    let mut settings = settings();
    settings.auth.as_mut().unwrap().without_tls = true;
    settings.limits.command_octets = 64;
    settings.limits.message_octets = 40;
    settings.limits.data_line_octets = 20;
    settings
}

/// Everything that was said and came of it, up to STARTTLS: what comes behind that depends on
/// when it came.
fn dialogue(octets: &[u8], chunk: usize) -> (String, Vec<String>) {
    let mut play = Play::of(&tight(), &Standing::Neighbour, chunk);
    let mut answered = 0;
    for piece in octets.chunks(chunk) {
        play.hear(piece);
        while let Some(step) = play.steps.get(answered) {
            answered += 1;
            match &**step {
                "starttls" => return (String::from_utf8(play.said).unwrap(), play.steps),
                step if step.starts_with("auth") => play.tell("wrong"),
                step if step.starts_with("look") => play.tell("unknown"),
                _ => {}
            }
        }
        assert!(play.server.message_octets() <= 40);
    }
    (String::from_utf8(play.said).unwrap(), play.steps)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_answers_do_not_depend_on_how_the_octets_are_cut(octets in words(), chunk in 1usize..20) {
        prop_assert_eq!(dialogue(&octets, chunk), dialogue(&octets, 1_000_000));
    }

    #[test]
    fn every_reply_is_one_line_of_ascii_with_a_code_and_a_status_of_its_class(octets in words()) {
        let (said, _) = dialogue(&octets, 1_000_000);
        prop_assert!(said.is_ascii());
        for line in said.split_terminator("\r\n") {
            let code = Code::parse(line.as_bytes()[..3].try_into().unwrap()).unwrap();
            prop_assert!(line.len() <= 510 && !line.contains(['\r', '\n']));
            let status = Status::parse_prefix(&line.as_bytes()[4..]).map(|(status, _)| status.class);
            let without = code.is_intermediate() || line.starts_with("220 relay") || line.starts_with("250-")
                || line == "250 ENHANCEDSTATUSCODES";
            prop_assert!(without || status == Some((code.number() / 100) as u8), "{}", line);
        }
    }

    #[test]
    fn foreign_octets_never_panic_and_are_not_hoarded(
        octets in proptest::collection::vec(any::<u8>(), 0..3000),
        chunk in 1usize..200,
    ) {
        dialogue(&octets, chunk);
    }
}
