use proptest::prelude::*;

use super::*;

fn collect(input: &[u8], bare: BareNewlines, chunk: usize) -> Option<(Collected, usize)> {
    collect_within(1 << 20, 1 << 20, input, bare, chunk)
}

fn collect_within(
    octets_max: usize,
    line_octets_max: usize,
    input: &[u8],
    bare: BareNewlines,
    chunk: usize,
) -> Option<(Collected, usize)> {
    let mut collector = Collector::new(octets_max, line_octets_max, 0, bare);
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
    let error = Some(DataError::LineTooLong);
    assert_eq!(collector.finish(), Collected { error, ..Collected::default() });
    let mut collector = Collector::new(1000, 500, 0, BareNewlines::Refuse);
    collector.dotted(b"a\0b\r\n.\r\n");
    assert_eq!(collector.finish().error, Some(DataError::Nul));
}

#[test]
fn a_line_is_too_long_from_its_first_octet_too_many() {
    for chunk in 1..20 {
        for (line, error) in [(9, None), (10, None), (11, Some(DataError::LineTooLong))] {
            let input = format!("a\r\n{}\r\nb\r\n.\r\n", "x".repeat(line));
            let collected =
                collect_within(100, 10, input.as_bytes(), BareNewlines::Refuse, chunk).unwrap().0;
            assert_eq!(collected.error, error, "{line} by {chunk}");
        }
    }
}

#[test]
fn octets_above_127_are_seen() {
    for (message, seen) in [("a\r\n.\r\n", false), ("a\r\n\u{e4}\r\n.\r\n", true)] {
        let (collected, _) = collect(message.as_bytes(), BareNewlines::Refuse, 3).unwrap();
        assert_eq!(collected.eight_bit, seen);
    }
}

#[test]
fn what_is_shed_is_heard_to_its_end() {
    let mut collector = Collector::new(1000, 500, 0, BareNewlines::Refuse);
    collector.dotted(b"Subject: a\r\n");
    collector.shed();
    assert_eq!(collector.octets(), 0);
    assert_eq!(collector.dotted(b"b\r\n.\r\nQUIT"), (6, true));
    let error = Some(DataError::NoRoom);
    assert_eq!(collector.finish(), Collected { error, ..Collected::default() });
}

#[test]
fn a_chunk_means_what_it_is() {
    let mut collector = Collector::new(1000, 500, 0, BareNewlines::Refuse);
    collector.chunk(b"a\r");
    collector.chunk(b"\n.\r\n..b");
    assert_eq!(collector.finish().message, b"a\r\n.\r\n..b");
}

/// Collects octet by octet, as one would explain it.
fn collect_slowly(input: &[u8]) -> Option<(Collected, usize)> {
    let end = if input.starts_with(b".\r\n") {
        0
    } else {
        input.windows(5).position(|w| w == b"\r\n.\r\n")? + 2
    };
    let text = &input[..end];
    let mut collected = Collected::default();
    let at = |i: usize| text.get(i).copied();
    for (i, octet) in text.iter().copied().enumerate() {
        let before = i.checked_sub(1).and_then(at);
        let line_start = i == 0 || before == Some(b'\n') && at(i.wrapping_sub(2)) == Some(b'\r');
        let alone = match octet {
            b'\n' => before != Some(b'\r'),
            b'\r' => at(i + 1) != Some(b'\n'),
            _ => false,
        };
        if alone {
            collected.error = Some(DataError::BareNewline);
        }
        if octet == 0 {
            collected.error = collected.error.max(Some(DataError::Nul));
        }
        if !(line_start && octet == b'.') {
            collected.message.push(octet);
        }
    }
    if collected.error.is_some() {
        collected.message.clear();
    }
    Some((collected, end + 3))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(input in octets(), chunk in 1usize..9) {
        for bare in [BareNewlines::Refuse, BareNewlines::Normalise] {
            for (octets, line) in [(1000, 1000), (20, 1000), (1000, 2), (8, 3)] {
                prop_assert_eq!(
                    collect_within(octets, line, &input, bare, chunk),
                    collect_within(octets, line, &input, bare, 1000)
                );
            }
        }
    }

    #[test]
    fn quick_is_as_good_as_slow(input in octets(), chunk in 1usize..60) {
        let quick = collect(&input, BareNewlines::Refuse, chunk);
        prop_assert_eq!(quick, collect_slowly(&input));
    }

    #[test]
    fn what_is_normalised_has_no_bare_newline_and_no_other_end(input in octets(), chunk in 1usize..9) {
        let ends = |bare| collect(&input, bare, chunk).map(|(collected, taken)| (collected.message, taken));
        let normal = ends(BareNewlines::Normalise);
        prop_assert_eq!(normal.as_ref().map(|n| n.1), ends(BareNewlines::Refuse).map(|n| n.1));
        if let Some((message, _)) = normal {
            let without = String::from_utf8(message).unwrap().replace("\r\n", "");
            prop_assert!(!without.contains(['\r', '\n']));
        }
    }
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"."[..]),
        Just(&b"\r"[..]),
        Just(&b"\n"[..]),
        Just(&b"a"[..]),
        Just(&b"\0"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"\r\n.\r\n"[..]),
        Just(&b"\r\n.."[..]),
        Just(&b"aa"[..]),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_collector_says_what_it_holds_and_whether_a_chunk_would_be_too_much() {
    let mut collector = Collector::new(10, 100, 0, BareNewlines::Refuse);
    assert!(!collector.overflows(10) && collector.overflows(11));
    collector.chunk(b"abcd\r\n");
    assert_eq!(collector.octets(), 6);
    assert!(!collector.overflows(4) && collector.overflows(5));
    collector.shed();
    assert_eq!(collector.octets(), 0, "what was let go is not held");
}
