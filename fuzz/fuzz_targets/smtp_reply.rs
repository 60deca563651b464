//! Any octets as a host's replies, whole and in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_mail::Reply;
use postlane_smtp::{Capabilities, ReplyError, ReplyParser};

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets, usize::MAX);
    assert_eq!(whole, read(octets, 1));
    assert_eq!(whole, read(octets, 7));
    for reply in whole.iter().flatten() {
        assert!(reply.text().len() < 32 * 1024);
        assert!(!reply.text().contains('\r'));
        reply.status();
        Capabilities::read(reply.lines());
    }
});

fn read(octets: &[u8], chunk: usize) -> Vec<Result<Reply, ReplyError>> {
    let mut parser = ReplyParser::default();
    let mut replies = Vec::new();
    for mut piece in octets.chunks(chunk) {
        while !piece.is_empty() {
            let (used, reply) = parser.take(piece);
            piece = &piece[used..];
            let failed = reply.is_err();
            replies.extend(reply.transpose());
            if failed {
                return replies;
            }
        }
    }
    replies
}
