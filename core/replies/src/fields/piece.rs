//! Cutting a reply into pieces that stand by themselves.

/// A run of characters between two others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    /// Where it begins.
    pub(super) at: usize,
    /// The character before it; a blank at the start.
    pub(super) before: char,
    /// The character behind it; a blank at the end.
    pub(super) after: char,
}

impl Piece<'_> {
    /// Whether it stands alone between brackets: `[TSS04]`, `(S3140)`.
    pub(super) fn is_fenced(&self) -> bool {
        matches!((self.before, self.after), ('[', ']') | ('(', ')') | ('{', '}'))
    }
}

/// The longest runs of characters that belong.
pub(super) fn pieces(text: &str, belongs: fn(char) -> bool) -> impl Iterator<Item = Piece<'_>> {
    let mut at = 0;
    let mut before = ' ';
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(belongs)?;
        if let Some(c) = text.get(at..start).and_then(|between| between.chars().next_back()) {
            before = c;
        }
        let run = text.get(start..)?;
        let length = run.find(|c| !belongs(c)).unwrap_or(run.len());
        at = start + length;
        let after = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        Some(Piece { text: run.get(..length)?, at: start, before, after })
    })
}

/// Characters of links and mail addresses: anything but blanks and what encloses them.
pub(super) fn is_of_link(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '[' | ']' | '{' | '}' | '|' | '`')
}

/// Characters of a host name.
pub(super) fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// A line without the reply code before it.
pub(super) fn without_code(line: &str) -> &str {
    let line = line.trim_start();
    match line.as_bytes() {
        [b'2'..=b'5', b, c, b' ' | b'-', ..] if b.is_ascii_digit() && c.is_ascii_digit() => {
            line.get(4..).unwrap_or_default().trim_start()
        }
        _ => line,
    }
}

/// A host name of at least two labels, the last of them letters.
pub(super) fn is_host_name(text: &str) -> bool {
    let mut labels = text.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let is_top = (2..=24).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic());
    let is_label =
        |label: &str| !label.is_empty() && label.len() < 64 && !label.starts_with(['-', '.']);
    let mut count = 0;
    is_top
        && text.len() < 254
        && labels.all(|label| {
            count += 1;
            is_label(label)
        })
        && count > 0
}
