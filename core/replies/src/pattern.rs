//! The language in which rules say what a text must say: words, alternatives and gaps.
//!
//! `(user|mailbox) (is|) unknown` are words in a row, with alternatives, one of them empty.
//! `word*` begins so and `*word` ends so. `a .. b` are at most [`NEAR`] octets apart and
//! `a ... b` any distance, in that order; `a & b` are near one another in any order. `{user}` is any
//! word of the class of that name. A pattern becomes chains of links, each link a set of phrases
//! any of which will do; what meets the text are the phrases alone, all of them at once.

mod classes;
mod orders;

pub(crate) use classes::Classes;
use orders::{Slot, orders};

use crate::vocabulary::{Form, Lexicon, Symbol};
use crate::words::words;

/// How far apart the two sides of ` .. ` may be, in octets of normalised text: some six words.
/// Chosen, not measured.
pub(crate) const NEAR: u32 = 40;
/// How many phrases the alternatives between two gaps may make together.
const EXPANSIONS_MAX: usize = 512;
/// How long a pattern may be, in octets as written.
const PATTERN_MAX: usize = 2048;

/// Links in the order in which a text must have them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chain(pub(crate) Vec<Link>);

/// Phrases any of which will do, and how far behind the link before them they may begin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) gap: Gap,
    pub(crate) phrases: Phrases,
}

/// Phrases in ascending order, each once: words in a row, and no word behind the last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Phrases(Box<[Symbol]>);

/// How far two links may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Any distance.
    Any,
    /// At most [`NEAR`] octets.
    Near,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// There is no word in it, or none between two gaps.
    #[error("has no word where one is needed: write at least one on either side of .. and ...")]
    Empty,
    /// A parenthesis is not closed, or not opened.
    #[error("has a parenthesis without its other half: write (a|b)")]
    Parenthesis,
    /// A gap stands inside parentheses.
    #[error("has a gap inside parentheses: write one pattern for each alternative")]
    GapInside,
    /// A star stands inside a word.
    #[error("has a star inside a word: write word* or *word")]
    Star,
    /// Its alternatives make too many phrases.
    #[error("has alternatives that make more than {EXPANSIONS_MAX} phrases: split it")]
    TooMany,
    /// A class of words is not known, or its brace has no other half.
    #[error("has a class of words that is not there before it: write {{name}} and name in [words]")]
    Class,
    /// It is too long.
    #[error("is longer than {PATTERN_MAX} octets: split it")]
    TooLong,
}

/// The chains of a pattern, one for each order it allows; a text that has one has the pattern.
pub(crate) fn parse(
    pattern: &str,
    classes: &Classes,
    lexicon: &mut Lexicon,
) -> Result<Vec<Chain>, PatternError> {
    if pattern.len() > PATTERN_MAX {
        return Err(PatternError::TooLong);
    }
    let slots = slots(&classes.spell_out(pattern)?)?;
    let mut link = |(gap, piece): (Gap, &str)| {
        let phrases = Phrases::of(piece, lexicon)?;
        Ok(Link { gap, phrases })
    };
    let mut chain =
        |row: Vec<(Gap, &str)>| row.into_iter().map(&mut link).collect::<Result<_, _>>().map(Chain);
    orders(&slots)?.into_iter().map(&mut chain).collect()
}

/// What stands between the gaps, each with the gap before it.
fn slots(pattern: &str) -> Result<Vec<Slot>, PatternError> {
    let slot = |gap| Slot { gap, pieces: vec![String::new()] };
    let mut slots = vec![slot(Gap::Any)];
    let mut depth = 0_usize;
    for word in pattern.split_whitespace() {
        let gap = match word {
            "..." | "…" => Some(Gap::Any),
            ".." => Some(Gap::Near),
            _ => None,
        };
        let last = slots.last_mut().expect("it began with one");
        match gap {
            Some(_) if depth > 0 => return Err(PatternError::GapInside),
            None if depth > 0 && word == "&" => return Err(PatternError::GapInside),
            Some(gap) => slots.push(slot(gap)),
            None if word == "&" => last.pieces.push(String::new()),
            None => {
                depth += word.matches('(').count();
                depth = depth.saturating_sub(word.matches(')').count());
                let piece = last.pieces.last_mut().expect("it began with one");
                piece.push(' ');
                piece.push_str(word);
            }
        }
    }
    Ok(slots)
}

impl Phrases {
    /// All phrases that the alternatives of a piece make.
    fn of(mut piece: &str, lexicon: &mut Lexicon) -> Result<Self, PatternError> {
        let mut tokens = Vec::new();
        let mut count = 1;
        loop {
            piece = piece.trim_start();
            if piece.is_empty() {
                break;
            }
            let (token, rest) = piece.split_at(token_end(piece));
            piece = rest;
            let choices = Choices::of(token, lexicon)?;
            count *= choices.len();
            if count > EXPANSIONS_MAX {
                return Err(PatternError::TooMany);
            }
            tokens.push(choices);
        }
        let mut all = Choices::default();
        for number in 0..count {
            let mut rest = number;
            for token in &tokens {
                all.symbols.extend_from_slice(token.choice(rest % token.len()));
                rest /= token.len();
            }
            all.end();
        }
        let mut phrases: Vec<_> = (0..count).map(|number| all.choice(number)).collect();
        if phrases.iter().any(|phrase| phrase.is_empty()) {
            return Err(PatternError::Empty);
        }
        phrases.sort_unstable();
        phrases.dedup();
        let mut ended = Vec::with_capacity(all.symbols.len() + phrases.len());
        for phrase in phrases {
            ended.extend_from_slice(phrase);
            ended.push(Symbol::NONE);
        }
        Ok(Self(ended.into()))
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Symbol]> {
        self.0.split(|symbol| *symbol == Symbol::NONE).filter(|phrase| !phrase.is_empty())
    }
}

/// Words in a row, several times, by number.
#[derive(Debug)]
struct Choices {
    symbols: Vec<Symbol>,
    /// Where each begins; one more at the end.
    begins: Vec<usize>,
}

impl Default for Choices {
    fn default() -> Self {
        Self { symbols: Vec::new(), begins: vec![0] }
    }
}

impl Choices {
    /// The words that each alternative of a token has.
    fn of(token: &str, lexicon: &mut Lexicon) -> Result<Self, PatternError> {
        let mut all = Self::default();
        if !token.contains(['(', ')', '|']) {
            add_words(token, lexicon, &mut all.symbols)?;
            all.end();
            return Ok(all);
        }
        let (written, rest) = expand_row(token, 0)?;
        if !rest.is_empty() {
            return Err(PatternError::Parenthesis);
        }
        for written in written {
            add_words(&written, lexicon, &mut all.symbols)?;
            all.end();
        }
        Ok(all)
    }

    /// What was added last is one of them.
    fn end(&mut self) {
        self.begins.push(self.symbols.len());
    }

    fn len(&self) -> usize {
        self.begins.len() - 1
    }

    fn choice(&self, number: usize) -> &[Symbol] {
        let ends = self.begins.get(number).zip(self.begins.get(number + 1));
        ends.and_then(|(from, to)| self.symbols.get(*from..*to)).unwrap_or_default()
    }
}

/// Where the first blank outside parentheses stands, or the end.
fn token_end(piece: &str) -> usize {
    let mut depth = 0_usize;
    let end = piece.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && byte == b' '
    });
    end.unwrap_or(piece.len())
}

/// Expands up to a `|` or `)` of an enclosing parenthesis, or to the end.
fn expand_row(mut rest: &str, depth: usize) -> Result<(Vec<String>, &str), PatternError> {
    let mut phrases = vec![String::new()];
    loop {
        let plain = rest.find(['(', ')', '|']).unwrap_or(rest.len());
        phrases.iter_mut().for_each(|phrase| phrase.push_str(&rest[..plain]));
        rest = &rest[plain..];
        if !rest.starts_with('(') {
            return Ok((phrases, rest));
        }
        if depth > 8 {
            return Err(PatternError::TooMany);
        }
        let (choices, after) = expand_choices(&rest[1..], depth + 1)?;
        if phrases.len() * choices.len() > EXPANSIONS_MAX {
            return Err(PatternError::TooMany);
        }
        phrases = phrases
            .iter()
            .flat_map(|phrase| choices.iter().map(move |choice| format!("{phrase}{choice}")))
            .collect();
        rest = after;
    }
}

/// Expands the alternatives of one parenthesis, behind its `(`.
fn expand_choices(mut rest: &str, depth: usize) -> Result<(Vec<String>, &str), PatternError> {
    let mut choices = Vec::new();
    loop {
        let (mut row, after) = expand_row(rest, depth)?;
        choices.append(&mut row);
        rest = after.get(1..).ok_or(PatternError::Parenthesis)?;
        if after.starts_with(')') {
            return Ok((choices, rest));
        }
    }
}

/// Reads words in a row. What is written as one word may be several (`5.7.1`); a star at its
/// beginning belongs to the first of them, one at its end to the last.
fn add_words(
    written: &str,
    lexicon: &mut Lexicon,
    symbols: &mut Vec<Symbol>,
) -> Result<(), PatternError> {
    for word in written.split_ascii_whitespace() {
        let (starts_open, word) = word.strip_prefix('*').map_or((false, word), |rest| (true, rest));
        let (ends_open, word) = word.strip_suffix('*').map_or((false, word), |rest| (true, rest));
        if word.contains('*') {
            return Err(PatternError::Star);
        }
        let whole;
        let parts = if word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            word
        } else {
            whole = words(word);
            &whole
        };
        let mut parts = parts.split_ascii_whitespace().peekable();
        let mut is_first = true;
        while let Some(part) = parts.next() {
            let form = match (starts_open && is_first, ends_open && parts.peek().is_none()) {
                (false, false) => Form::Is,
                (false, true) => Form::Starts,
                (true, false) => Form::Ends,
                (true, true) => Form::Has,
            };
            symbols.push(lexicon.symbol(form, part));
            is_first = false;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> String {
        let mut lexicon = Lexicon::default();
        let chains = parse(pattern, &Classes::default(), &mut lexicon).unwrap();
        let word = |symbol: &Symbol| {
            let (form, word) = lexicon.word(*symbol).unwrap();
            match form {
                Form::Is => word.to_owned(),
                Form::Starts => format!("{word}*"),
                Form::Ends => format!("*{word}"),
                Form::Has => format!("*{word}*"),
            }
        };
        let phrase = |phrase: &[Symbol]| phrase.iter().map(word).collect::<Vec<_>>().join(" ");
        let link = |link: &Link| {
            let gap = if link.gap == Gap::Any { "... " } else { ".. " };
            let mut phrases: Vec<_> = link.phrases.iter().map(phrase).collect();
            phrases.sort();
            gap.to_owned() + &phrases.join("|")
        };
        let chain = |chain: &Chain| chain.0.iter().map(link).collect::<Vec<_>>().join(" ");
        chains.iter().map(chain).collect::<Vec<_>>().join(" / ")
    }

    #[test]
    fn words_in_a_row_are_one_phrase() {
        assert_eq!(shown("User  Unknown"), "... user unknown");
        assert_eq!(shown("5.7.1 e-mail"), "... 5 7 1 email");
        assert_eq!(shown("不存在"), "... 不 存 在");
    }

    #[test]
    fn alternatives_make_phrases_and_an_empty_one_leaves_the_word_out() {
        let both = "... mail box full|mail box is full|user full|user is full";
        assert_eq!(shown("(user|mail box) (is|) full"), both);
        assert_eq!(shown("(a(b|c)|d)e"), "... abe|ace|de");
    }

    #[test]
    fn gaps_part_links() {
        assert_eq!(shown("a .. b ... c"), "... a .. b ... c");
    }

    #[test]
    fn what_may_stand_in_any_order_stands_in_each() {
        assert_eq!(shown("a & b"), "... b .. a / ... a .. b");
        assert_eq!(shown("x .. a & b ... y").matches(" .. ").count(), 4);
        assert_eq!(shown("a & b & c").matches('/').count(), 5);
    }

    #[test]
    fn a_star_leaves_a_word_open_at_its_end() {
        assert_eq!(shown("reject* by *fach"), "... reject* by *fach");
        assert_eq!(shown("*listed* 5.70*"), "... *listed* 5 70*");
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (pattern, error) in [
            ("", PatternError::Empty),
            ("a ..", PatternError::Empty),
            ("(a|)", PatternError::Empty),
            ("(a", PatternError::Parenthesis),
            ("a)", PatternError::Parenthesis),
            ("(a .. b|c)", PatternError::GapInside),
            ("a*b", PatternError::Star),
            ("(a & b|c)", PatternError::GapInside),
            ("a &", PatternError::Empty),
            ("a & b & c & d & e", PatternError::TooMany),
            ("{user}", PatternError::Class),
            (&"(a|b) ".repeat(10), PatternError::TooMany),
            (&"a".repeat(PATTERN_MAX + 1), PatternError::TooLong),
        ] {
            assert_eq!(
                parse(pattern, &Classes::default(), &mut Lexicon::default()),
                Err(error),
                "{pattern}"
            );
        }
    }
}
