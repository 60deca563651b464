//! Text of a field, gone through piece by piece: blanks, comments and words (RFC 5322 §3.2).

/// A place in a field's text.
#[derive(Debug, Clone)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Comments that were skipped.
    pub(super) comments: u32,
}

/// A comment that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenComment;

/// How deep comments may lie in comments. Chosen, not measured: real ones lie two deep.
const DEPTH_MAX: u32 = 64;

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, comments: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes this character if it comes next.
    pub(super) fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes characters as long as they are of a sort; may be none.
    pub(super) fn while_(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !is(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Skips blanks, folds and comments. A comment at the very end is given back as its text.
    pub(super) fn skip(&mut self) -> Result<Option<&'a str>, OpenComment> {
        let mut last = None;
        loop {
            self.while_(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            if self.peek() != Some('(') {
                return Ok(last);
            }
            last = Some(self.comment()?);
            self.comments += 1;
        }
    }

    fn comment(&mut self) -> Result<&'a str, OpenComment> {
        let start = self.at;
        let mut depth = 0_u32;
        while let Some(c) = self.next() {
            match c {
                '(' if depth == DEPTH_MAX => return Err(OpenComment),
                '(' => depth += 1,
                ')' if depth == 1 => {
                    return Ok(self.text.get(start + 1..self.at - 1).unwrap_or_default());
                }
                ')' => depth -= 1,
                '\\' => {
                    self.next();
                }
                _ => {}
            }
        }
        Err(OpenComment)
    }
}
