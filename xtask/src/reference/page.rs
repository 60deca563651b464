//! A page as it is written: Markdown in lines of no more than 120 characters.

use std::fmt::Write as _;

/// Characters in a line, where a word is not longer.
const WIDTH: usize = 120;

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        Self(format!("# {}\n", escaped(title)))
    }

    /// A heading of this depth; its text is Markdown.
    pub(super) fn heading(&mut self, depth: usize, markdown: &str) {
        // Writing into a String cannot fail.
        let _ = write!(self.0, "\n{} {markdown}\n", "#".repeat(depth));
    }

    /// A paragraph of Markdown.
    pub(super) fn paragraph(&mut self, markdown: &str) {
        self.0.push('\n');
        self.lines("", "", markdown);
    }

    /// Points, one below the other, of Markdown.
    pub(super) fn points(&mut self, points: &[String]) {
        self.0.push('\n');
        points.iter().for_each(|point| self.lines("- ", "  ", point));
    }

    /// Steps with their numbers, of people's words.
    pub(super) fn steps(&mut self, steps: &[Box<str>]) {
        self.0.push('\n');
        for (i, step) in steps.iter().enumerate() {
            self.lines(&format!("{}. ", i + 1), "   ", &escaped(step));
        }
    }

    /// Something as it was said.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.0.push('\n');
        for line in text.lines() {
            let _ = writeln!(self.0, "    {}", line.trim_end());
        }
    }

    /// A row of a table, of Markdown.
    pub(super) fn row(&mut self, cells: &[String]) {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }

    /// The head of a table.
    pub(super) fn head(&mut self, cells: &[&str]) {
        let _ = write!(self.0, "\n| {} |\n|{}\n", cells.join(" | "), " --- |".repeat(cells.len()));
    }

    pub(super) fn end(self) -> String {
        self.0
    }

    fn lines(&mut self, first: &str, others: &str, markdown: &str) {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in markdown.split_whitespace() {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(self.0, "{line}");
                others.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        let _ = writeln!(self.0, "{line}");
    }
}

/// People's words as Markdown: nothing in them is markup, but for a link that stands alone.
/// Sections of RFCs are written as in all papers of the house (`cargo xtask tidy`).
pub(super) fn escaped(text: &str) -> String {
    let word = |word: &str| {
        let end = word.trim_end_matches(['.', ',', ';', ':', ')', '"']).len();
        let (link, rest) = word.split_at(end);
        if link.starts_with("https://") || link.starts_with("http://") {
            return format!("<{link}>{}", plain(rest));
        }
        plain(word)
    };
    let mut out = String::with_capacity(text.len());
    let words: Vec<_> = text.split(' ').collect();
    for (i, written) in words.iter().enumerate() {
        let is_section = *written == "section" && i > 1 && words[i - 2].ends_with("RFC");
        let is_behind_section = out.ends_with('§');
        if i > 0 && !is_behind_section {
            out.push(' ');
        }
        out.push_str(&if is_section { "§".to_owned() } else { word(written) });
    }
    out
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '<' | '>' | '[' | ']' | '*' | '#' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_markup_and_links_lead_somewhere() {
        assert_eq!(escaped("a <b> [c](d) *e*"), "a \\<b\\> \\[c\\](d) \\*e\\*");
        assert_eq!(escaped("(RFC 5322 section 2.1.1)."), "(RFC 5322 §2.1.1).");
        assert_eq!(escaped("at https://a.example/x_y."), "at <https://a.example/x_y>.");
    }

    #[test]
    fn lines_are_broken_before_they_are_too_long() {
        let mut page = Page::new("T");
        page.points(&[format!("{} end", "word ".repeat(40).trim_end())]);
        let text = page.end();
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.contains("\n  word"), "{text}");
    }
}
