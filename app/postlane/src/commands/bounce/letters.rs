//! The messages in files: one to a file, many in an mbox, or one to each file of a Maildir.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// A message, and where it stands.
pub(super) struct Letter<'a> {
    /// The file, as it was named.
    pub(super) file: &'a str,
    /// Which message of the file, from 1.
    pub(super) number: u64,
    /// Its octets, the first of them if it is very long.
    pub(super) message: &'a [u8],
}

/// Octets of a message that are kept. What reads bounces looks at no more than a MiB.
const MESSAGE_OCTETS_MAX: usize = (1 << 20) + 4096;

/// Octets of a line that are read at once: a file without a line feed may be as long as a disk.
const LINE_OCTETS_MAX: u64 = 64 * 1024;

/// Gives each message of a file or folder; `-` is stdin.
pub(super) fn each_letter(name: &str, mut each: impl FnMut(&Letter<'_>)) -> Result<(), Failure> {
    let unreadable =
        |name: &str, e: &io::Error| Failure::usage(format!("{name} cannot be read: {e}"));
    if name == "-" {
        return split("stdin", io::stdin().lock(), &mut each).map_err(|e| unreadable(name, &e));
    }
    let path = Path::new(name);
    if !path.is_dir() {
        let read = File::open(path).and_then(|file| split(name, BufReader::new(file), &mut each));
        return read.map_err(|e| unreadable(name, &e));
    }
    for file in files(path).map_err(|e| unreadable(name, &e))? {
        let name = file.display().to_string();
        let read = File::open(&file).and_then(|f| split(&name, BufReader::new(f), &mut each));
        read.map_err(|e| unreadable(&name, &e))?;
    }
    Ok(())
}

/// The messages of a Maildir, read and unread, or of a plain folder, by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let halves: Vec<PathBuf> = ["cur", "new"].iter().map(|half| folder.join(half)).collect();
    let is_maildir = halves.iter().any(|half| half.is_dir());
    let folders = if is_maildir { halves } else { vec![folder.to_owned()] };
    let mut found = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !hidden && entry.path().is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Parts an mbox at its `From ` lines behind empty ones; any other file is one message.
fn split(
    file: &str,
    mut lines: impl BufRead,
    each: &mut impl FnMut(&Letter<'_>),
) -> io::Result<()> {
    let (mut message, mut line) = (Vec::new(), Vec::new());
    let (mut number, mut is_mbox, mut behind_blank) = (0_u64, false, true);
    loop {
        line.clear();
        let read = lines.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', &mut line)?;
        let begins = line.starts_with(b"From ");
        is_mbox |= begins && message.is_empty() && number == 0;
        if (read == 0 || (is_mbox && begins && behind_blank)) && !message.is_empty() {
            number += 1;
            each(&Letter { file, number, message: &message });
            message.clear();
        }
        if read == 0 {
            return Ok(());
        }
        behind_blank = line.trim_ascii().is_empty();
        // A line that looked like the next message's was marked.
        let kept = if is_mbox && line.starts_with(b">From ") { 1 } else { 0 };
        let room = MESSAGE_OCTETS_MAX.saturating_sub(message.len());
        message.extend(line.iter().skip(kept).take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let mut each = |letter: &Letter<'_>| {
            found.push((letter.number, String::from_utf8_lossy(letter.message).into_owned()));
        };
        split("f", text.as_bytes(), &mut each).unwrap();
        found
    }

    #[test]
    fn a_file_is_one_message_unless_it_is_an_mbox() {
        let one = "Subject: a\n\nFrom here on\n\nFrom there on\n";
        assert_eq!(all(one), [(1, one.to_owned())]);
        let two = "From a@b Thu\nSubject: a\n\nhi\n>From me\n\nFrom c@d Fri\nSubject: b\n\n";
        let found = all(two);
        assert_eq!(found.len(), 2);
        assert!(found[0].1.ends_with("hi\nFrom me\n\n"), "{found:?}");
        assert!(found[1].1.contains("Subject: b"));
        assert_eq!(all(""), []);
    }
}
