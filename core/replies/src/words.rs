//! The words of a reply: what is left of a text when spelling, punctuation and addresses are gone.
//!
//! Receivers say the same thing in many hands: `User unknown`, `user-unknown;`, `<a@b>... User
//! Unknown`. Rules are written in words, and so is every text before it is matched: lower case,
//! one blank between two words and one at either end. Mail addresses, and `<…>` without a blank
//! inside, are dropped; they are the sender's and recipient's names and mean nothing. Accents are
//! folded (`não` → `nao`), each CJK character is a word of its own, an apostrophe before a final
//! `t` or `s` is dropped (`doesn't` → `doesnt`) and `e-mail` is `email`.
//!
//! One pass, linear in the text, no allocation once the buffer has grown.

mod block;
mod eights;

use std::ops::Range;

use block::Block;
pub(crate) use eights::Eights;

/// How far a `<` looks for its `>`, in octets: longer than any address (RFC 5321 §4.5.3.1.3).
const BRACKET_MAX: usize = 320;

/// Reads texts as words; kept from text to text so that nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct WordReader {
    /// Words that were read octet by octet.
    slow: Vec<u8>,
}

/// Who takes the words of a text, in their order.
pub(crate) trait TakeWord {
    /// Takes a word, in the letters rules are written in.
    fn take(&mut self, word: &[u8], eights: Eights);
}

/// Where to go on behind a block, and how.
enum Next {
    Block(usize),
    Slowly(usize),
}

impl WordReader {
    /// Gives the words of a text in their order.
    pub(crate) fn read(&mut self, text: &str, taker: &mut impl TakeWord) {
        let bytes = text.as_bytes();
        let mut at = 0;
        // What has an address in it is read octet by octet, from blank to blank.
        while let Some(mark) = memchr::memchr(b'@', bytes.get(at..).unwrap_or_default()) {
            let before = bytes.get(at..at + mark).unwrap_or_default();
            let begin = memchr::memrchr(b' ', before).map_or(at, |blank| at + blank + 1);
            self.read_part(text, at..begin, taker);
            at = self.read_slowly(text, begin, taker);
        }
        self.read_part(text, at..bytes.len(), taker);
    }

    /// As [`read`](Self::read), of a text that has no `@`.
    pub(crate) fn read_plain(&mut self, text: &str, taker: &mut impl TakeWord) {
        self.read_part(text, 0..text.len(), taker);
    }

    /// Reads a part that has no `@` and ends at a blank or with the text.
    fn read_part(&mut self, text: &str, part: Range<usize>, taker: &mut impl TakeWord) {
        let mut at = part.start;
        while at < part.end {
            let block = Block::of(text.as_bytes().get(at..part.end).unwrap_or_default());
            at = match read_block(text.as_bytes(), at, &block, taker) {
                Next::Block(at) => at,
                Next::Slowly(at) => self.read_slowly(text, at, taker),
            };
        }
    }

    /// Reads octet by octet up to the next blank, and says where to go on.
    #[cold]
    fn read_slowly(&mut self, text: &str, at: usize, taker: &mut impl TakeWord) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let end = memchr::memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
        self.slow.clear();
        self.slow.push(b' ');
        write_words(&rest[..end], &mut self.slow);
        let words = self.slow.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        words.for_each(|word| taker.take(word, Eights::of(word)));
        at + end + 1
    }
}

/// Reads the words of a block that begins at `at`.
#[inline]
fn read_block(bytes: &[u8], at: usize, block: &Block, taker: &mut impl TakeWord) -> Next {
    let mut letters = block.letters;
    let mut special = block.special;
    let mut next = at + Block::OCTETS;
    loop {
        let stop = special.trailing_zeros();
        let mut open = stop;
        while letters != 0 {
            let start = letters.trailing_zeros();
            let end = start + (!(letters >> start)).trailing_zeros();
            if end >= stop {
                open = start.min(stop);
                break;
            }
            let (word, eights) = block.word(start..end);
            taker.take(word, eights);
            // Carried through the run, the bit that is added leaves it empty.
            letters &= letters.wrapping_add(1 << start);
        }
        let place = at + stop as usize;
        let go_on = match bytes.get(place) {
            _ if stop == u64::BITS && open == stop => return Next::Block(next),
            // A word that goes on behind the block is read with the next one.
            _ if stop == u64::BITS && open != 0 => return Next::Block(at + open as usize),
            _ if stop == u64::BITS => return Next::Slowly(at),
            Some(b'<') => past_bracket(bytes, place).unwrap_or(place + 1),
            Some(b'\'') if !drops_apostrophe(bytes, place) => place + 1,
            Some(b'-') if stop - open != 1 || !is_before_mail(bytes, place) => place + 1,
            _ => return Next::Slowly(at + open as usize),
        };
        // What stands before is still to be taken.
        let behind = u32::try_from(go_on - at).ok().and_then(|of| u64::MAX.checked_shl(of));
        if behind.is_none() {
            next = go_on;
        }
        special &= behind.unwrap_or(0);
        letters &= behind.unwrap_or(0) | ((1 << stop) - 1);
    }
}

/// The words of `text`, with a blank at either end.
pub(crate) fn words(text: &str) -> String {
    struct Written(Vec<u8>);
    impl TakeWord for Written {
        fn take(&mut self, word: &[u8], _: Eights) {
            self.0.extend_from_slice(word);
            self.0.push(b' ');
        }
    }
    let mut all = Written(vec![b' ']);
    WordReader::default().read(text, &mut all);
    String::from_utf8(all.0).expect("words are made of characters")
}

/// Writes the words of `text` behind what `out` holds, which must end in a blank.
fn write_words(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    let mut writer = Writer { out, token: 0, addressed: false };
    writer.token = writer.out.len();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x80 {
            at = writer.ascii(bytes, at, byte);
        } else {
            let c = text[at..].chars().next().unwrap_or(' ');
            writer.letter(c);
            at += c.len_utf8();
        }
    }
    writer.end_token();
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where in `out` the token that is being read began; a token ends where no address goes on.
    token: usize,
    /// Whether an `@` was met in this token: it is an address.
    addressed: bool,
}

/// What an ASCII octet is to a text: a lower-case letter or digit stands for itself, 0 parts
/// words, 1 ends a token as well, and 2 to 4 need a look.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'0'..=b'9' | b'a'..=b'z' => byte,
            b'A'..=b'Z' => byte + 32,
            b'<' => OPENS,
            b'@' => ADDRESS,
            b'\'' => APOSTROPHE,
            b'-' => HYPHEN,
            b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}'
            | b'"' | b',' | b';' | b':' => ENDS,
            _ => 0,
        };
        byte += 1;
    }
    table
};
const ENDS: u8 = 1;
const OPENS: u8 = 2;
const ADDRESS: u8 = 3;
const APOSTROPHE: u8 = 4;
const HYPHEN: u8 = 5;

impl Writer<'_> {
    /// Takes the ASCII octet at `at` and says where to go on.
    fn ascii(&mut self, bytes: &[u8], at: usize, byte: u8) -> usize {
        match ASCII[usize::from(byte & 0x7f)] {
            OPENS => {
                self.end_token();
                return past_bracket(bytes, at).unwrap_or(at + 1);
            }
            ADDRESS => self.addressed = true,
            APOSTROPHE if drops_apostrophe(bytes, at) => {}
            HYPHEN if self.out.ends_with(b" e") && is_before_mail(bytes, at) => {}
            // No address has two dots in a row (RFC 5321 §4.1.2), and `User unknown...` does.
            0 if byte == b'.' && at > 0 && bytes[at - 1] == b'.' => self.end_token(),
            APOSTROPHE | HYPHEN | 0 => self.part(),
            ENDS => self.end_token(),
            letter => self.out.push(letter),
        }
        at + 1
    }

    /// Ends a word.
    fn part(&mut self) {
        if self.out.last() != Some(&b' ') {
            self.out.push(b' ');
        }
    }

    /// Ends a token; what was an address is taken back.
    fn end_token(&mut self) {
        if self.addressed {
            self.out.truncate(self.token);
            self.addressed = false;
        }
        self.part();
        self.token = self.out.len();
    }

    /// Takes a character that is not ASCII.
    fn letter(&mut self, c: char) {
        if is_cjk(c) {
            self.part();
            self.push(c);
            self.part();
            return;
        }
        match c {
            // A typographer's apostrophe; most mean `'`.
            '\u{2019}' => {}
            '\u{300}'..='\u{36f}' => {}
            _ if !c.is_alphanumeric() => self.end_token(),
            _ => match folded(c) {
                Some(plain) => self.out.extend_from_slice(plain.as_bytes()),
                None => c.to_lowercase().for_each(|lower| self.push(lower)),
            },
        }
    }

    fn push(&mut self, c: char) {
        self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Where to go on after `<…>`, when there is no blank inside and it is no URL.
pub(crate) fn past_bracket(bytes: &[u8], at: usize) -> Option<usize> {
    let inside = bytes.get(at + 1..)?;
    let inside = inside.get(..BRACKET_MAX).unwrap_or(inside);
    let end = inside.iter().position(|byte| matches!(byte, b'>' | b'<' | b' ' | b'\t' | b'\n'))?;
    let is_url = inside[..end].windows(3).any(|three| three == b"://");
    (inside[end] == b'>' && !is_url).then_some(at + 1 + end + 1)
}

/// Whether the apostrophe at `at` stands before a final `t` or `s`.
fn drops_apostrophe(bytes: &[u8], at: usize) -> bool {
    let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let next = bytes.get(at + 1).map(u8::to_ascii_lowercase);
    matches!(next, Some(b't' | b's')) && !is_letter(at + 2) && at > 0 && is_letter(at - 1)
}

/// Whether the hyphen at `at`, behind an `e`, is the one in `e-mail`.
fn is_before_mail(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"mail"))
}

/// Characters that are written without blanks between words.
fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// A Latin letter without what is above, below or through it.
fn folded(c: char) -> Option<&'static str> {
    Some(match c {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć'..='č' => "c",
        'Ð' | 'ð' | 'Ď'..='đ' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "i",
        'Ĺ'..='ł' => "l",
        'Ñ' | 'ñ' | 'Ń'..='ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' => "s",
        'ß' => "ss",
        'Ţ'..='ŧ' => "t",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "u",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ź'..='ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{words, write_words};
    use proptest::prelude::*;

    #[test]
    fn spelling_and_punctuation_do_not_count() {
        for text in
            ["User unknown", "user-unknown;", "  'User' UNKNOWN.", "<a@b.example>... User unknown"]
        {
            assert_eq!(words(text), " user unknown ");
        }
        assert_eq!(words(""), " ");
        assert_eq!(words("... !"), " ");
    }

    #[test]
    fn addresses_are_dropped_with_all_their_parts() {
        assert_eq!(words("john.doe+x@mx.example.com: unknown"), " unknown ");
        assert_eq!(words("RCPT TO:<john@example.com> failed"), " rcpt to failed ");
        assert_eq!(words("user <<redacted>> unknown"), " user unknown ");
        assert_eq!(words("rfc822;a@b.example x"), " rfc822 x ");
        assert_eq!(words("a @ b"), " a b ");
        assert_eq!(words("not allowed...john@example.com"), " not allowed ");
    }

    #[test]
    fn urls_stay_and_so_do_angle_brackets_with_blanks() {
        assert_eq!(
            words("see <https://postmaster.1und1.de/case?c=r0601&i=ip>"),
            " see https postmaster 1und1 de case c r0601 i ip "
        );
        assert_eq!(words("<mx #5.1.1 smtp;x>"), " mx 5 1 1 smtp x ");
        assert_eq!(words("a < b"), " a b ");
        assert_eq!(words("<unclosed"), " unclosed ");
    }

    #[test]
    fn short_forms_are_one_word() {
        assert_eq!(words("doesn't exist"), " doesnt exist ");
        assert_eq!(words("the user\u{2019}s e-mail E-Mails"), " the users email emails ");
        assert_eq!(words("l'adresse n'existe 'quoted'"), " l adresse n existe quoted ");
    }

    #[test]
    fn accents_are_folded_and_characters_without_blanks_are_words() {
        assert_eq!(words("Não é possível, Größe, ŁÓDŹ"), " nao e possivel grosse lodz ");
        assert_eq!(words("收件人unknown"), " 收 件 人 unknown ");
        assert_eq!(words("Ящик ПОЛОН"), " ящик полон ");
    }

    proptest! {
        /// The same, said slowly: octet by octet from the beginning to the end.
        #[test]
        fn blocks_have_the_words_that_octets_have(
            text in "([a-eE@<>'.st\\-mail ]|[a-z]{1,70}| |é|’|收|\t|<|>|'s|e-mail|<a>|\n){0,90}"
        ) {
            let mut slow = vec![b' '];
            write_words(&text, &mut slow);
            prop_assert_eq!(words(&text), String::from_utf8_lossy(&slow));
        }

        #[test]
        fn words_never_have_two_blanks_and_always_one_at_either_end(text in "\\PC{0,200}") {
            let words = words(&text);
            prop_assert!(words.starts_with(' ') && words.ends_with(' '));
            prop_assert!(!words.contains("  "));
        }

        #[test]
        fn the_words_of_words_are_the_same_words(text in "[a-zA-Z0-9 .,;:!éß收-]{0,80}") {
            let once = words(&text);
            prop_assert_eq!(words(&once), once);
        }
    }
}
