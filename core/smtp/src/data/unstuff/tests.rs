use proptest::prelude::*;

use super::*;

fn collect(input: &[u8], bare: BareNewlines, chunk: usize) -> Option<(Collected, usize)> {
    let mut collector = Collector::new(1 << 20, 1 << 20, 0, bare);
    let mut taken = 0;
    for piece in input.chunks(chunk.max(1)) {
        let (octets, ended) = collector.dotted(piece);
        taken += octets;
        if ended {
            return Some((collector.finish(), taken));
        }
    }
    None
}

#[test]
fn dots_are_taken_away_and_the_end_is_found() {
    let (collected, taken) =
        collect(b"a\r\n..b\r\n.c\r\n\r\n.\r\nQUIT\r\n", BareNewlines::Refuse, 100).unwrap();
    assert_eq!(collected.message, b"a\r\n.b\r\nc\r\n\r\n");
    assert_eq!((collected.error, taken), (None, 17));
}

#[test]
fn an_empty_message_ends_at_once() {
    let (collected, _) = collect(b".\r\n", BareNewlines::Refuse, 1).unwrap();
    assert_eq!(collected, Collected::default());
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_a_message() {
    let ends: [&[u8]; 9] = [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\r\r\n",
    ];
    for bare in [BareNewlines::Refuse, BareNewlines::Normalise] {
        for end in ends {
            let input = [b"Subject: a\r\n\r\nb", end, b"MAIL FROM:<x@y.example>\r\n"].concat();
            assert!(collect(&input, bare, 3).is_none(), "{end:?} ended it");
            let input = [&input[..], b"\r\n.\r\n"].concat();
            let (collected, taken) = collect(&input, bare, 3).unwrap();
            assert_eq!(taken, input.len());
            let refused = collected.error.is_some();
            assert!(refused || bare == BareNewlines::Normalise, "{end:?} was taken");
        }
    }
}

#[test]
fn a_bare_newline_becomes_a_whole_one_where_the_setting_says_so() {
    let (collected, _) = collect(b"a\nb\rc\r\n.\r\n", BareNewlines::Normalise, 1).unwrap();
    assert_eq!(collected.message, b"a\r\nb\r\nc\r\n");
}

#[test]
fn what_is_too_much_is_refused_and_not_kept() {
    let mut collector = Collector::new(10, 100, 0, BareNewlines::Refuse);
    assert_eq!(collector.dotted(b"0123456789\r\n.\r\n"), (15, true));
    assert_eq!(collector.finish().error, Some(DataError::TooLarge));
    let mut collector = Collector::new(1000, 5, 0, BareNewlines::Refuse);
    collector.dotted(b"012345\r\n.\r\n");
    assert_eq!(
        collector.finish(),
        Collected { message: vec![], error: Some(DataError::LineTooLong) }
    );
    let mut collector = Collector::new(1000, 500, 0, BareNewlines::Refuse);
    collector.dotted(b"a\0b\r\n.\r\n");
    assert_eq!(collector.finish().error, Some(DataError::Nul));
}

#[test]
fn a_chunk_means_what_it_is() {
    let mut collector = Collector::new(1000, 500, 0, BareNewlines::Refuse);
    collector.chunk(b"a\r");
    collector.chunk(b"\n.\r\n..b");
    assert_eq!(collector.finish().message, b"a\r\n.\r\n..b");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(input in proptest::collection::vec(
        prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a'), Just(0u8)], 0..60), chunk in 1usize..9) {
        for bare in [BareNewlines::Refuse, BareNewlines::Normalise] {
            prop_assert_eq!(collect(&input, bare, chunk), collect(&input, bare, 1000));
        }
    }

    #[test]
    fn what_is_stuffed_comes_out_as_it_went_in(lines in proptest::collection::vec("[.a ]{0,5}", 0..20)) {
        let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let mut wire = Vec::new();
        for piece in super::super::stuff(&message.clone().into_bytes().into()) {
            wire.extend_from_slice(&piece);
        }
        wire.extend_from_slice(b".\r\n");
        let (collected, taken) = collect(&wire, BareNewlines::Refuse, 7).unwrap();
        prop_assert_eq!(collected.message, message.into_bytes());
        prop_assert_eq!(taken, wire.len());
    }
}
