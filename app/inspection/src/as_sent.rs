//! A message out of a file, as it goes over the wire.

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsSent {
    /// The message; its lines end with CRLF unless it has some that do already.
    pub octets: Vec<u8>,
    /// A mailbox file's own first line (RFC 4155) was left out.
    pub had_mailbox_line: bool,
}

impl AsSent {
    /// Of a file's octets.
    pub fn of(mut octets: Vec<u8>) -> Self {
        let end = mailbox_line(&octets);
        octets.drain(..end);
        Self { octets: wire(octets), had_mailbox_line: end > 0 }
    }
}

/// Where a line ends that a mailbox file has before each message: `From jo@example.com Mon May …`;
/// 0 where there is none.
fn mailbox_line(octets: &[u8]) -> usize {
    let is_one = octets
        .strip_prefix(b"From ")
        .is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"));
    let end = octets.iter().position(|octet| *octet == b'\n').filter(|_| is_one);
    end.map_or(0, |end| end + 1)
}

/// A file whose lines all end with LF alone is one of a Unix editor: on the wire they end with
/// CRLF. A file with any CRLF is taken for what it is.
fn wire(octets: Vec<u8>) -> Vec<u8> {
    if octets.contains(&b'\r') {
        return octets;
    }
    let mut wire = Vec::with_capacity(octets.len() + octets.len() / 40);
    for octet in octets {
        if octet == b'\n' {
            wire.push(b'\r');
        }
        wire.push(octet);
    }
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> (String, bool) {
        let AsSent { octets, had_mailbox_line } = AsSent::of(text.as_bytes().to_vec());
        (String::from_utf8(octets).unwrap(), had_mailbox_line)
    }

    #[test]
    fn a_file_of_a_unix_editor_goes_out_with_crlf() {
        assert_eq!(sent("A: b\n\nc\n"), ("A: b\r\n\r\nc\r\n".to_owned(), false));
    }

    #[test]
    fn a_file_with_any_crlf_is_taken_for_what_it_is() {
        assert_eq!(sent("A: b\r\n\r\nc\n"), ("A: b\r\n\r\nc\n".to_owned(), false));
    }

    #[test]
    fn a_mailbox_files_first_line_is_no_part_of_the_message_and_a_from_field_is() {
        let field = "From : jo@example.com\r\n\r\n";
        assert_eq!(sent("From jo Mon May 1\nA: b\n"), ("A: b\r\n".to_owned(), true));
        assert_eq!(sent(field), (field.to_owned(), false));
    }
}
