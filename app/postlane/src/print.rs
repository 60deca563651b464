//! The one place that writes to the terminal.
//!
//! What was asked for goes to stdout, everything else to stderr, so that a pipe gets the
//! answer and nothing else.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use postlane_mail::is_unruly;
use serde::Serialize;

/// A line of the answer.
pub(crate) fn line(text: &str) {
    let mut out = anstream::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// A reader that has gone away (`| head`) ends the program quietly. Any other end of what is read
/// is said: half an answer on a full disk must not look like a whole one.
pub(crate) fn written(done: io::Result<()>) {
    match done {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => {
            error(&format!("the answer cannot be written: {e}"));
            std::process::exit(75);
        }
    }
}

/// The answer as others write it, piece by piece. What cannot be written ends the program as
/// everywhere ([`written`]), so that whoever writes sees no error.
pub(crate) struct Pieces(io::StdoutLock<'static>);

impl Pieces {
    pub(crate) fn new() -> Self {
        Self(io::stdout().lock())
    }
}

impl io::Write for Pieces {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        written(self.0.write_all(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        written(self.0.flush());
        Ok(())
    }
}

/// A name and what is said of it: within the width of the screen, further lines under the first.
/// Without a name it is said under the one before.
pub(crate) fn field(name: &str, says: &str) {
    indented(name, says, 0);
}

/// One of several under the same name; its further lines stand two columns in, so that where the
/// next begins is seen.
pub(crate) fn entry(name: &str, says: &str) {
    indented(name, says, 2);
}

fn indented(name: &str, says: &str, further: usize) {
    const NAME: usize = 12;
    let mut before = format!("{name:<NAME$}");
    for text in wrapped(says, columns().saturating_sub(NAME + further)) {
        line(format!("{before}{text}").trim_end());
        before = " ".repeat(NAME + further);
    }
}

/// A step of several, with its number.
pub(crate) fn step(name: &str, number: usize, says: &str) {
    const INDENT: usize = 15;
    let mut before = format!("{name:<12}{number:>1}. ");
    for text in wrapped(says, columns().saturating_sub(INDENT)) {
        line(format!("{before:<INDENT$}{text}").trim_end());
        before.clear();
    }
}

/// How wide a text may be: as the terminal, within what can be read; 80 where there is none.
pub(crate) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(80, |size| usize::from(size.ws_col).clamp(40, 100))
}

/// A text in lines of so many characters, broken at blanks; a longer word stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        let is_full = line.chars().count() + 1 + word.chars().count() > width;
        if line.is_empty() {
            line.push_str(word);
        } else if is_full {
            lines.push(word.to_owned());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

/// What others wrote must not move the cursor, colour the screen, or turn the line around.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unruly(c) { ' ' } else { c }).collect()
}

/// The same for several lines.
pub(crate) fn lines_printable(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// The answer as one JSON value on one line, without anything in it that a terminal would act on.
pub(crate) fn json(value: &impl Serialize) {
    line(&String::from_utf8_lossy(&postlane_api::log::escaped_json(value)));
}

/// A part of the answer as it is, line end and all.
pub(crate) fn octets(octets: &[u8]) {
    let mut out = anstream::stdout().lock();
    written(out.write_all(octets).and_then(|()| out.flush()));
}

/// A remark, on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// An error, on stderr.
pub(crate) fn error(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "postlane: {text}");
}

/// A table: as wide as the terminal, plain when there is none.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::IsTerminal::is_terminal(&io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    for text in table.to_string().lines() {
        line(text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_blanks() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("https://long.example x", 7), ["https://long.example", "x"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}
