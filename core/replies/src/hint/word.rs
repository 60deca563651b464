//! A reply's text as words: numbers, and what the words around them mean.

use super::Unit;
use super::vocabulary::{meaning, meaning_of};

/// One word, as far as hints are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Anything else.
    Other,
    /// A whole number.
    Number(u32),
    /// A number in letters; many are other words elsewhere (`due`, `dos`, `sei`).
    Spelled(u32),
    /// `hh:mm:ss`, in seconds: a length if the words before say so, else a time of day.
    Clock(u32),
    /// A unit of time, in seconds.
    Time(u32),
    /// `daily`: a window that is one word, in seconds.
    Often(u32),
    /// `a`: one, but only of a unit of time.
    Article,
    /// `half`.
    Half,
    /// `a few`.
    Few,
    /// `per`, `every`.
    Per,
    /// `/`.
    Slash,
    /// `-` between two numbers.
    Dash,
    /// `in`.
    In,
    /// `within`, `over the last`.
    Within,
    /// `after`, or `5分钟后`.
    After,
    /// `for`.
    For,
    /// `about`, `up to`: what follows is no promise.
    About,
    /// `later`.
    Later,
    /// What is said of another attempt: `try`, `again`, `greylisted`.
    Retry,
    /// What is said of a block that ends by itself.
    Block,
    /// `too many`, `exceeded`, `rate`.
    Many,
    /// `limit`, `max`.
    Cap,
    /// `more than`, `at most`.
    Bound,
    /// What a quota counts.
    Thing(Unit),
    /// Octets, times so many.
    Octets(u32),
    /// What no quota of ours counts: a size, errors, hops.
    Noun,
    /// What may stand between a number and its noun.
    Adjective,
    /// What may stand between a limit and its number.
    Filler,
    /// `and`.
    And,
    /// `period`, `window`.
    Period,
    /// What tells of time that has passed: `timed out after`, `in queue for`.
    Idle,
    /// Their own doing: `we will keep trying`.
    Will,
    /// `5 days old`.
    Ago,
    /// What makes a name of the number behind it: `RFC 5321`, `port 25`.
    Naming,
    /// The end of a sentence.
    Stop,
}

/// The words of a text, the first [`Words::MAX`] of them.
pub(super) struct Words<'l> {
    /// Room for them.
    list: &'l mut [Word],
    count: usize,
}

impl<'l> Words<'l> {
    /// The longest reply that people meet has fewer than 150 words; chosen, not measured.
    pub(super) const MAX: usize = 256;

    /// Reads a text into a list that has room for [`MAX`](Self::MAX) words, or for as many as the
    /// text has octets: no octet makes more than one.
    pub(super) fn read(text: &str, list: &'l mut [Word]) -> Self {
        let mut words = Self { list, count: 0 };
        // Asked once: most texts have none, and a look at each chunk costs a wrong guess each.
        let may_have_address = text.contains('@') || has_scheme(text);
        for line in text.split('\n') {
            for (place, chunk) in line.split_ascii_whitespace().enumerate() {
                if words.count == words.list.len() {
                    return words;
                }
                let is_address =
                    if may_have_address { is_address(chunk) } else { is_bare_url(chunk) };
                if is_address || (place == 0 && is_reply_code(chunk)) {
                    words.push(Word::Other);
                } else {
                    Chunk { text: chunk, at: 0 }.read_into(&mut words);
                }
            }
        }
        words
    }

    pub(super) fn as_slice(&self) -> &[Word] {
        self.list.get(..self.count).unwrap_or_default()
    }

    fn push(&mut self, word: Word) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = word;
            self.count += 1;
        }
    }
}

/// Whether there is a `://`.
fn has_scheme(text: &str) -> bool {
    let octets = text.as_bytes();
    let mut colons = memchr::memchr_iter(b':', octets);
    colons.any(|at| octets.get(at + 1..at + 3) == Some(b"//"))
}

/// A URL or a mail address: whatever numbers are in it, none is a hint.
fn is_address(chunk: &str) -> bool {
    let octets = chunk.as_bytes();
    let has_mark = octets.iter().fold(false, |has, b| has | (*b == b'@') | (*b == b':'));
    if !has_mark {
        return is_bare_url(chunk);
    }
    octets.iter().enumerate().any(|(at, octet)| match octet {
        b'@' => true,
        b':' => matches!(octets.get(at + 1..at + 3), Some(b"//")),
        _ => false,
    })
}

/// A URL without its scheme.
fn is_bare_url(chunk: &str) -> bool {
    chunk.starts_with("www.")
}

/// A refusal's code at the start of a line, as the server sent it, alone or before `-`.
fn is_reply_code(chunk: &str) -> bool {
    match chunk.as_bytes() {
        [b'4' | b'5', b, c] | [b'4' | b'5', b, c, b'-'] => b.is_ascii_digit() && c.is_ascii_digit(),
        _ => false,
    }
}

/// What stands between two blanks.
struct Chunk<'t> {
    text: &'t str,
    /// Where the rest begins; always at a character.
    at: usize,
}

impl<'t> Chunk<'t> {
    fn read_into(mut self, words: &mut Words<'_>) {
        while let Some(octet) = self.text.as_bytes().get(self.at).copied() {
            if octet.is_ascii_alphabetic() {
                self.letters(words);
            } else if octet.is_ascii_digit() {
                self.number(words);
            } else if octet.is_ascii() {
                self.mark(char::from(octet), words);
            } else {
                self.foreign(words);
            }
        }
    }

    /// From a character on that is not ASCII.
    #[cold]
    fn foreign(&mut self, words: &mut Words<'_>) {
        let c = self.rest().chars().next().unwrap_or(' ');
        if is_ideograph(c) {
            self.at += c.len_utf8();
            // What is not known is dropped: 5分钟, 2个小时 and 五時間 have fillers.
            match meaning(c.encode_utf8(&mut [0; 4]).as_bytes()) {
                Word::Other => {}
                known => words.push(known),
            }
        } else if c.is_alphabetic() {
            self.letters(words);
        } else {
            self.mark(c, words);
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes as many characters as belong; gives them.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The octet before the rest.
    fn before(&self) -> u8 {
        let last = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        last.copied().unwrap_or(b' ')
    }

    /// A character that is neither a letter nor a digit.
    fn mark(&mut self, mark: char, words: &mut Words<'_>) {
        let before = self.before();
        self.at += mark.len_utf8();
        let next = self.rest().chars().next();
        let digit_follows = next.is_some_and(|c| c.is_ascii_digit());
        match mark {
            '/' => words.push(Word::Slash),
            // `hour(s)`
            '(' if self.rest().starts_with("s)") => self.at += 2,
            '-' | '–' if before.is_ascii_digit() && digit_follows => words.push(Word::Dash),
            '!' | '?' | ';' | '。' => words.push(Word::Stop),
            '.' if next.is_none_or(|c| !c.is_ascii_digit()) => words.push(Word::Stop),
            // A sign, an ordinal, a sum of money: no number of anything that is counted.
            '#' | '$' | '+' | '-' | '_' | '.' if digit_follows => {
                self.take(is_of_a_name);
                words.push(Word::Other);
            }
            _ => {}
        }
    }

    /// From a digit on: a number with or without units, or something that only looks like one.
    fn number(&mut self, words: &mut Words<'_>) {
        let before = self.before();
        let start = self.at;
        let mut last = ' ';
        let rest = self.rest();
        let mut ahead = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = ahead.next() {
            let next = ahead.peek().map_or(' ', |(_, next)| *next);
            let joins = match c {
                ',' | ':' | '\'' | '’' => next.is_ascii_digit(),
                '.' => next.is_ascii_digit() || next.is_ascii_lowercase(),
                _ => c.is_ascii_alphanumeric(),
            };
            if !joins {
                end = at;
                last = c;
                break;
            }
        }
        self.at = start + end;
        let run = rest.get(..end).unwrap_or_default();
        let next = self.rest().chars().nth(1).unwrap_or(' ');
        let is_named = before == b'_'
            || last == '_'
            || last == '%'
            || (last == '-' && next.is_ascii_digit() && !run.bytes().all(|b| b.is_ascii_digit()));
        if is_named {
            self.take(is_of_a_name);
            words.push(Word::Other);
        } else if let Some(number) = whole_number(run) {
            words.push(Word::Number(number));
        } else if let Some(seconds) = clock(run) {
            words.push(Word::Clock(seconds));
        } else if !push_measures(run, words) {
            words.push(Word::Other);
        }
    }

    /// A plain word of ASCII letters, which most words are; nothing if it is anything else.
    fn plain_word(&mut self) -> Option<Word> {
        let rest = self.rest().as_bytes();
        let length = rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(rest.len());
        match rest.get(length..).unwrap_or_default() {
            [b'0'..=b'9' | b'_' | 0x80.., ..] | [b'-', b'0'..=b'9', ..] => return None,
            // What is behind a dot at the end is the same with most: `max. 5` is for others to read.
            [b'.', next, ..] if next.is_ascii_alphanumeric() || !next.is_ascii() => return None,
            [b'.', ..] if length <= ABBREVIATED_MAX => return None,
            _ => {}
        }
        let word = meaning_of(rest.get(..length)?);
        self.at += length;
        Some(word)
    }

    /// From a letter on: a word, or a name with dots, digits and hyphens.
    fn letters(&mut self, words: &mut Words<'_>) {
        if let Some(word) = self.plain_word() {
            return words.push(word);
        }
        let start = self.at;
        let word = self.take(|c| c.is_ascii_alphabetic() || (!c.is_ascii() && is_letter(c)));
        let mut rest = self.rest().chars();
        let (mark, next) = (rest.next().unwrap_or(' '), rest.next().unwrap_or(' '));
        let is_name = match mark {
            '0'..='9' | '_' => true,
            '-' => next.is_ascii_digit(),
            // A new sentence without a blank before it begins with a capital.
            '.' => next.is_alphanumeric() && !next.is_uppercase(),
            _ => false,
        };
        if !is_name {
            let (letters, length) = folded(word);
            let letters = letters.get(..length).unwrap_or_default();
            words.push(meaning(letters));
            // The dot of `max. 5` ends no sentence.
            self.at += usize::from(mark == '.' && ABBREVIATED.contains(&letters));
            return;
        }
        self.take(is_of_a_name);
        let name = self.text.get(start..self.at).unwrap_or_default();
        if !iso_duration(name, words) {
            words.push(Word::Other);
        }
    }
}

/// What is written with a dot behind it; none is longer than [`ABBREVIATED_MAX`].
const ABBREVIATED: [&[u8]; 9] =
    [b"max", b"approx", b"ca", b"min", b"sec", b"sek", b"std", b"hrs", b"msg"];
const ABBREVIATED_MAX: usize = 6;

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_ideograph(c)
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':')
}

/// Chinese and Japanese characters, which are words by themselves.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// A word in lower case, without accents, and its length in octets; nothing if it is longer
/// than any word that means something.
pub(super) fn folded(word: &str) -> ([u8; 32], usize) {
    let mut letters = [0; 32];
    if word.is_ascii() {
        let Some(place) = letters.get_mut(..word.len()) else { return (letters, 0) };
        place.copy_from_slice(word.as_bytes());
        place.make_ascii_lowercase();
        return (letters, word.len());
    }
    let mut length = 0;
    for c in word.chars().flat_map(char::to_lowercase) {
        let c = match c {
            'à'..='å' | 'ą' => 'a',
            'ç' | 'ć' | 'č' => 'c',
            'è'..='ë' | 'ę' | 'ě' => 'e',
            'ì'..='ï' => 'i',
            'ł' => 'l',
            'ñ' | 'ń' => 'n',
            'ò'..='ö' => 'o',
            'ś' | 'š' | 'ß' => 's',
            'ù'..='ü' => 'u',
            'ý' => 'y',
            'ź' | 'ż' | 'ž' => 'z',
            // What decomposed accents leave behind.
            '\u{300}'..='\u{36f}' => continue,
            other => other,
        };
        let mut octets = [0; 4];
        let octets = c.encode_utf8(&mut octets).as_bytes();
        let Some(place) = letters.get_mut(length..length + octets.len()) else {
            return (letters, 0);
        };
        place.copy_from_slice(octets);
        length += octets.len();
    }
    (letters, length)
}

/// Up to nine digits, plain or in groups of three: `10000`, `10,000`, `10.000`, `10'000`.
fn whole_number(run: &str) -> Option<u32> {
    let mut groups = run.split([',', '.', '\'', '’']);
    let first = groups.next()?;
    let mut number = digits(first)?;
    let (mut count, mut is_grouped) = (first.len(), false);
    for group in groups {
        if group.len() != 3 || (!is_grouped && !(1..=3).contains(&first.len())) {
            return None;
        }
        is_grouped = true;
        count += 3;
        number = number.checked_mul(1000)?.checked_add(digits(group)?)?;
    }
    (count <= 9).then_some(number)
}

/// Plain digits, at most nine.
fn digits(text: &str) -> Option<u32> {
    let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

/// `hh:mm:ss` in seconds.
fn clock(run: &str) -> Option<u32> {
    let mut parts = run.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && hours.len() <= 3;
    if !is_whole || minutes.len() != 2 || seconds.len() != 2 {
        return None;
    }
    let (hours, minutes, seconds) = (digits(hours)?, digits(minutes)?, digits(seconds)?);
    (minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// `1h30m`, `300s`, `20msgs`: pushes numbers and units, if it is nothing else.
fn push_measures(run: &str, words: &mut Words<'_>) -> bool {
    let mut pairs = [(Word::Other, Word::Other); 4];
    let (mut rest, mut count) = (run, 0);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(number_end);
        let unit_end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_end);
        let (letters, length) = folded(unit);
        let unit = meaning(letters.get(..length).unwrap_or_default());
        let is_measure = match unit {
            Word::Time(_) => true,
            Word::Thing(_) | Word::Octets(_) => count == 0 && behind.is_empty(),
            _ => false,
        };
        let (Some(number), Some(pair), true) = (digits(number), pairs.get_mut(count), is_measure)
        else {
            return false;
        };
        *pair = (Word::Number(number), unit);
        (rest, count) = (behind, count + 1);
    }
    for (number, unit) in pairs.iter().take(count) {
        words.push(*number);
        words.push(*unit);
    }
    count > 0
}

/// `PT1H30M`, `P2D` (ISO 8601): pushes numbers and units, if it is one without months.
fn iso_duration(name: &str, words: &mut Words<'_>) -> bool {
    let Some(rest) = name.strip_prefix('P') else { return false };
    match rest.strip_prefix('T') {
        Some(time) if time.ends_with(['H', 'M', 'S']) => push_measures(time, words),
        None if rest.ends_with('D') => push_measures(rest, words),
        _ => false,
    }
}
