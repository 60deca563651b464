//! Fields of our own, folded so that a line stays within 78 columns where it can.

/// Columns a line should not pass (RFC 5322 §2.1.1).
const COLUMNS: usize = 78;

/// Writes one field, word by word.
///
/// A word is never broken: one that does not fit goes to a line of its own. The words must
/// hold neither CR nor LF; the callers see to that for what comes from outside.
pub(crate) struct Folding<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
    /// Nothing but the name or the leading blank stands on the line yet.
    fresh: bool,
}

impl<'a> Folding<'a> {
    /// Begins a field: `name:`.
    pub(crate) fn field(out: &'a mut Vec<u8>, name: &str) -> Self {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Self { column: name.len() + 1, out, fresh: true }
    }

    /// A word, set off by a blank or on a new line.
    pub(crate) fn word(&mut self, word: &[u8]) -> &mut Self {
        self.word_of(&[word])
    }

    /// A word made of several pieces.
    pub(crate) fn word_of(&mut self, pieces: &[&[u8]]) -> &mut Self {
        let octets: usize = pieces.iter().map(|piece| piece.len()).sum();
        if !self.fresh && self.column + 1 + octets > COLUMNS {
            self.line();
        }
        // A new line has its blank already.
        if self.column > 1 {
            self.out.push(b' ');
            self.column += 1;
        }
        for piece in pieces {
            self.glue(piece);
        }
        self
    }

    /// Text stuck to the word before.
    pub(crate) fn glue(&mut self, text: &[u8]) -> &mut Self {
        self.out.extend_from_slice(text);
        self.column += text.len();
        self.fresh = false;
        self
    }

    /// A new line of the same field.
    pub(crate) fn line(&mut self) -> &mut Self {
        if !self.fresh {
            self.out.extend_from_slice(b"\r\n ");
            self.column = 1;
            self.fresh = true;
        }
        self
    }

    /// Ends the field.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fill_a_line_and_none_is_broken() {
        let mut out = Vec::new();
        let mut field = Folding::field(&mut out, "X");
        for _ in 0..30 {
            field.word(b"four");
        }
        field.word(&[b'w'; 100]).word(b"end");
        field.end();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("X: four four") && text.ends_with("\r\n end\r\n"));
        let lines: Vec<_> = text.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= COLUMNS || line.trim().len() == 100));
        assert!(lines[1..lines.len() - 1].iter().all(|line| line.starts_with(" ")));
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }
}
