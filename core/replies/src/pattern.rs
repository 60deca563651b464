//! The language in which rules say what a text must say: words, alternatives and gaps.
//!
//! `(user|mailbox) (is|) unknown` are words in a row, with alternatives, one of them empty.
//! `word*` begins so and `*word` ends so. `a .. b` are at most [`NEAR`] octets apart and
//! `a ... b` any distance, in that order. A pattern becomes chains of links, each link a set of
//! phrases any of which will do; what meets the text are the phrases alone, all of them at once.

use std::collections::BTreeSet;

use crate::words::write_words;

/// How far apart the two sides of ` .. ` may be, in octets of normalised text: some six words.
/// Chosen, not measured.
pub(crate) const NEAR: u32 = 40;
/// How many phrases the alternatives between two gaps may make together.
const EXPANSIONS_MAX: usize = 512;
/// How long a pattern may be, in octets as written.
const PATTERN_MAX: usize = 2048;
/// How many chains one pattern may become.
const CHAINS_MAX: usize = 1024;

/// Links in the order in which a text must have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain(pub(crate) Vec<Link>);

/// Phrases any of which will do, and how far behind the link before them they may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) gap: Gap,
    /// Pieces of normalised text; a blank at an end is the end of a word.
    pub(crate) phrases: BTreeSet<String>,
}

/// How far two links may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// Any distance.
    Any,
    /// At most [`NEAR`] octets.
    Near,
    /// No blank in between: the rest of a word that began or will end so.
    Word,
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
    /// It is too long.
    #[error("is longer than {PATTERN_MAX} octets: split it")]
    TooLong,
}

/// The chains of a pattern; a text that has one of them has the pattern.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Chain>, PatternError> {
    if pattern.len() > PATTERN_MAX {
        return Err(PatternError::TooLong);
    }
    let mut chains = vec![Chain(Vec::new())];
    for (gap, piece) in pieces(pattern)? {
        let ways = ways(gap, &piece)?;
        if chains.len() * ways.len() > CHAINS_MAX {
            return Err(PatternError::TooMany);
        }
        let longer = |chain: &Chain, way: &[Link]| Chain([&chain.0, way].concat());
        chains = chains.iter().flat_map(|c| ways.iter().map(move |w| longer(c, w))).collect();
    }
    Ok(chains)
}

/// What stands between the gaps, each with the gap before it.
fn pieces(pattern: &str) -> Result<Vec<(Gap, String)>, PatternError> {
    let mut pieces = vec![(Gap::Any, String::new())];
    let mut depth = 0_usize;
    for word in pattern.split_whitespace() {
        let gap = match word {
            "..." | "…" => Some(Gap::Any),
            ".." => Some(Gap::Near),
            _ => None,
        };
        match gap {
            Some(_) if depth > 0 => return Err(PatternError::GapInside),
            Some(gap) => pieces.push((gap, String::new())),
            None => {
                depth += word.matches('(').count();
                depth = depth.saturating_sub(word.matches(')').count());
                let (_, piece) = pieces.last_mut().expect("it began with one");
                piece.push(' ');
                piece.push_str(word);
            }
        }
    }
    Ok(pieces)
}

/// The ways in which the text can have a piece: its plain phrases as one link, and each phrase
/// with a star inside as a row of links.
fn ways(gap: Gap, piece: &str) -> Result<Vec<Vec<Link>>, PatternError> {
    let mut plain = BTreeSet::new();
    let mut ways = Vec::new();
    for phrase in expand(piece)? {
        let mut links = links(gap, &phrase)?;
        match links.as_mut_slice() {
            [] => return Err(PatternError::Empty),
            [only] => plain.append(&mut only.phrases),
            _ => ways.push(links),
        }
    }
    if !plain.is_empty() {
        ways.push(vec![Link { gap, phrases: plain }]);
    }
    Ok(ways)
}

/// All phrases that the alternatives of a piece make.
fn expand(piece: &str) -> Result<Vec<String>, PatternError> {
    let (phrases, rest) = expand_row(piece, 0)?;
    if rest.is_empty() { Ok(phrases) } else { Err(PatternError::Parenthesis) }
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

/// The links of a phrase: one, unless a word with a star stands between others.
fn links(gap: Gap, phrase: &str) -> Result<Vec<Link>, PatternError> {
    let mut parts = Parts { gap, done: Vec::new(), open: vec![b' '] };
    for word in phrase.split_whitespace() {
        let (starts_open, word) = word.strip_prefix('*').map_or((false, word), |rest| (true, rest));
        let (ends_open, word) = word.strip_suffix('*').map_or((false, word), |rest| (true, rest));
        if word.contains('*') {
            return Err(PatternError::Star);
        }
        if starts_open {
            parts.cut();
        }
        write_words(word, parts.with_blank(starts_open));
        if starts_open {
            parts.unblank();
        }
        if ends_open {
            parts.trim();
            parts.cut();
        }
    }
    parts.cut();
    Ok(parts.done)
}

/// A phrase on its way to links.
struct Parts {
    gap: Gap,
    done: Vec<Link>,
    open: Vec<u8>,
}

impl Parts {
    /// The open part, which ends in a blank: [`write_words`] wants one.
    fn with_blank(&mut self, is_new: bool) -> &mut Vec<u8> {
        if is_new || self.open.is_empty() {
            self.open.clear();
            self.open.push(b' ');
        }
        &mut self.open
    }

    /// Takes the first blank away: what follows may be the end of a longer word.
    fn unblank(&mut self) {
        if self.open.len() > 1 {
            self.open.remove(0);
        }
    }

    /// Takes the last blank away: what stands there may be the beginning of a longer word.
    fn trim(&mut self) {
        if self.open.len() > 1 && self.open.ends_with(b" ") {
            self.open.pop();
        }
    }

    /// Ends a link and begins the next within the same word.
    fn cut(&mut self) {
        let phrase = String::from_utf8(std::mem::take(&mut self.open));
        let phrase = phrase.expect("words are made of characters");
        self.open.push(b' ');
        if phrase.trim().is_empty() {
            return;
        }
        let gap = if self.done.is_empty() { self.gap } else { Gap::Word };
        self.done.push(Link { gap, phrases: BTreeSet::from([phrase]) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> Vec<String> {
        let link = |link: &Link| {
            let gap = match link.gap {
                Gap::Any => "...",
                Gap::Near => "..",
                Gap::Word => "~",
            };
            let phrases: Vec<_> = link.phrases.iter().map(|p| p.replace(' ', "_")).collect();
            format!("{gap}{}", phrases.join("|"))
        };
        let chain = |chain: &Chain| chain.0.iter().map(link).collect::<Vec<_>>().join(" ");
        parse(pattern).unwrap().iter().map(chain).collect()
    }

    #[test]
    fn words_in_a_row_are_one_phrase() {
        assert_eq!(shown("User  Unknown"), ["..._user_unknown_"]);
        assert_eq!(shown("5.7.1 e-mail"), ["..._5_7_1_email_"]);
        assert_eq!(shown("不存在"), ["..._不_存_在_"]);
    }

    #[test]
    fn alternatives_make_phrases_and_an_empty_one_leaves_the_word_out() {
        assert_eq!(
            shown("(user|mail box) (is|) full"),
            ["..._mail_box_full_|_mail_box_is_full_|_user_full_|_user_is_full_"]
        );
        assert_eq!(shown("(a(b|c)|d)e"), ["..._abe_|_ace_|_de_"]);
    }

    #[test]
    fn gaps_part_links() {
        assert_eq!(shown("a .. b ... c"), ["..._a_ .._b_ ..._c_"]);
    }

    #[test]
    fn a_star_leaves_a_word_open_at_its_end() {
        assert_eq!(shown("blacklist*"), ["..._blacklist"]);
        assert_eq!(shown("*postfach voll"), ["...postfach_voll_"]);
        assert_eq!(shown("*ing"), ["...ing_"]);
        assert_eq!(shown("reject* by"), ["..._reject ~_by_"]);
        assert_eq!(shown("by *fach is"), ["..._by_ ~fach_is_"]);
        assert_eq!(shown("(a*|b) c"), ["..._a ~_c_", "..._b_c_"]);
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
            (&"(a|b) ".repeat(10), PatternError::TooMany),
            (&"a".repeat(PATTERN_MAX + 1), PatternError::TooLong),
        ] {
            assert_eq!(parse(pattern), Err(error), "{pattern}");
        }
    }
}
