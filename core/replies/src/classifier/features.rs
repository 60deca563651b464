//! What a reply has, as numbers of buckets.

use postlane_mail::{Reply, Stage};

use super::{Classifier, tokens};
use crate::recorded::status_of;
use crate::words::{Eights, WordReader};

/// Kinds of features; those of one kind fall into the same buckets only by chance.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// What every reply has.
    Always,
    Code,
    Class,
    Status,
    StatusDetail,
    Stage,
    StageAndClass,
    /// How many words, where they are few.
    Words,
    Word,
    Beginning,
    /// Two words side by side; the ends of a text are words, too.
    Pair,
    /// So many octets of a word as its beginning has, wherever they stand; the ends of a word count.
    Run,
}

/// Writes the buckets of a reply.
pub(super) struct Features<'f> {
    buckets: &'f mut Vec<u32>,
    before: u64,
    words: u64,
    /// Whether there is a word that stands for itself, and not for somebody's name or number.
    has_words: bool,
}

/// Before the first word and behind the last.
const END: u64 = 1;
/// Where the words of a text are few, how many says something.
const FEW: u64 = 6;
/// How many octets of a longer word are its beginning.
const BEGINNING: u32 = 4;

impl Features<'_> {
    /// Writes the buckets of all that a reply has, and says whether it has words.
    pub(super) fn of(
        reply: &Reply,
        stage: Option<Stage>,
        reader: &mut WordReader,
        buckets: &mut Vec<u32>,
    ) -> bool {
        buckets.clear();
        let mut features = Features { buckets, before: END, words: 0, has_words: false };
        features.write_codes(reply, stage);
        tokens::read(reply.text(), reader, &mut |word, eights| {
            features.write_word(eights);
            if tokens::stands_for_itself(word) {
                features.has_words = true;
                features.write_runs(word);
            }
        });
        features.write(Kind::Pair, pair(features.before, END));
        if features.words < FEW {
            features.write(Kind::Words, features.words);
        }
        features.has_words
    }

    /// The words and pairs of a reply, each with its bucket.
    pub(super) fn said(reply: &Reply) -> Vec<(u32, String)> {
        let mut said = Vec::new();
        let mut before: Option<(u64, String)> = None;
        tokens::read(reply.text(), &mut WordReader::default(), &mut |word, eights| {
            let (hash, word) = (hash(eights), String::from_utf8_lossy(word).into_owned());
            said.push((bucket(Kind::Word, hash), word.clone()));
            if let Some((first, text)) = before.take() {
                said.push((bucket(Kind::Pair, pair(first, hash)), format!("{text} {word}")));
            }
            before = Some((hash, word));
        });
        said
    }

    fn write_codes(&mut self, reply: &Reply, stage: Option<Stage>) {
        let code = u64::from(reply.code().number());
        let at = stage.map_or(0, |stage| stage as u64 + 1);
        self.write(Kind::Always, 0);
        self.write(Kind::Code, code);
        self.write(Kind::Class, code / 100);
        self.write(Kind::Stage, at);
        self.write(Kind::StageAndClass, (at << 8) | (code / 100));
        let detail = status_of(reply).map_or(0, |status| {
            self.write(Kind::Status, u64::from(status.class) << 32 | detail_of(status));
            detail_of(status)
        });
        self.write(Kind::StatusDetail, detail);
    }

    fn write_word(&mut self, word: Eights) {
        let hash = hash(word);
        self.write(Kind::Word, hash);
        if word.length > BEGINNING {
            self.write(Kind::Beginning, word.first & ((1 << (8 * BEGINNING)) - 1));
        }
        self.write(Kind::Pair, pair(self.before, hash));
        self.before = hash;
        self.words += 1;
    }

    fn write_runs(&mut self, word: &[u8]) {
        const AT_ONCE: usize = BEGINNING as usize;
        let mut run = u32::from(b'^') << 24;
        for (count, octet) in (2..).zip(word.iter().chain(b"$")) {
            run = run >> 8 | u32::from(*octet) << 24;
            if count >= AT_ONCE {
                self.write(Kind::Run, u64::from(run));
            }
        }
    }

    fn write(&mut self, kind: Kind, of: u64) {
        self.buckets.push(bucket(kind, of));
    }
}

fn detail_of(status: postlane_mail::Status) -> u64 {
    u64::from(status.subject) << 16 | u64::from(status.detail)
}

/// Of a word: its first and last eight octets and its length.
fn hash(word: Eights) -> u64 {
    mixed(word.first ^ mixed(word.last).rotate_left(17) ^ u64::from(word.length) << 3)
}

fn pair(first: u64, second: u64) -> u64 {
    first.rotate_left(31) ^ second
}

fn bucket(kind: Kind, of: u64) -> u32 {
    let place =
        mixed(of ^ mixed(kind as u64 + 1)) >> (u64::BITS - Classifier::BUCKETS.trailing_zeros());
    u32::try_from(place).unwrap_or_default()
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of what comes out hangs on all that went in.
fn mixed(of: u64) -> u64 {
    let of = (of ^ of >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let of = (of ^ of >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    of ^ of >> 31
}
