//! Addresses in `From`, `Sender`, `Reply-To`, `To` and `Cc` (RFC 5322 §3.4, §4.4).

use super::scan::{OpenComment, Scan};

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Somebody.
    Mailbox(Mailbox),
    /// `name: somebody, somebody else;`
    Group {
        /// The group's name, unquoted.
        name: String,
        /// Who is in it.
        members: Vec<Mailbox>,
    },
}

/// Somebody's address, with the name that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name, unquoted; what RFC 2047 encodes stays so. Empty if there is none.
    pub name: String,
    /// What stands before the `@`, unquoted.
    pub local_part: String,
    /// What stands behind it, as written but without comments; an address literal has its
    /// brackets.
    pub domain: String,
    /// It is written as only old programs do: a route, or blanks and comments inside it.
    pub is_obsolete: bool,
}

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressFault {
    /// Nothing.
    #[error("there is no address")]
    Empty,
    /// A comment does not end.
    #[error("a comment does not end")]
    Comment,
    /// Quotes do not end.
    #[error("a quoted text does not end")]
    Quotes,
    /// No `@` where one belongs.
    #[error("an address has no @ with something before and behind it")]
    At,
    /// `<` without `>`.
    #[error("a < has no >")]
    Angle,
    /// A group without its `;`.
    #[error("a group has no ; at its end")]
    Group,
    /// A dot at an end, or two in a row.
    #[error("an address has a dot at an end or two in a row")]
    Dots,
    /// An octet that must be quoted or encoded.
    #[error("`{0}` stands where it would have to be quoted")]
    Character(char),
    /// A literal without its `]`.
    #[error("an address literal has no ]")]
    Literal,
    /// More than anybody sends to.
    #[error("there are more than {ADDRESSES_MAX} addresses")]
    TooMany,
}

/// Addresses of one field that are read. Chosen, not measured.
const ADDRESSES_MAX: usize = 10_000;

/// Reads a list of addresses. Empty places between commas are let pass (§4.4).
pub fn parse(text: &str) -> Result<Vec<Address>, AddressFault> {
    let mut reading = Reading { scan: Scan::new(text) };
    let mut list = Vec::new();
    loop {
        reading.skip()?;
        if reading.scan.take(',') {
            continue;
        }
        if reading.scan.rest().is_empty() {
            break;
        }
        if list.len() == ADDRESSES_MAX {
            return Err(AddressFault::TooMany);
        }
        list.push(reading.address()?);
        reading.skip()?;
        match reading.scan.peek() {
            None | Some(',') => {}
            Some(c) => return Err(AddressFault::Character(c)),
        }
    }
    if list.is_empty() { Err(AddressFault::Empty) } else { Ok(list) }
}

/// Everybody in a list, those in groups too.
pub fn mailboxes(list: &[Address]) -> impl Iterator<Item = &Mailbox> {
    list.iter().flat_map(|address| match address {
        Address::Mailbox(mailbox) => std::slice::from_ref(mailbox),
        Address::Group { members, .. } => members,
    })
}

impl From<OpenComment> for AddressFault {
    fn from(_: OpenComment) -> Self {
        Self::Comment
    }
}

/// A list while it is read.
struct Reading<'a> {
    scan: Scan<'a>,
}

/// Words and dots as they were found, before it is clear what they are.
#[derive(Default)]
struct Phrase {
    text: String,
    words: usize,
    /// It stands there as an address may: no blanks between words and dots.
    is_tight: bool,
    /// A dot at an end, or two in a row.
    has_dot_fault: bool,
    /// Not all of it was quoted.
    has_plain_words: bool,
}

impl Reading<'_> {
    fn skip(&mut self) -> Result<(), AddressFault> {
        self.scan.skip()?;
        Ok(())
    }

    fn address(&mut self) -> Result<Address, AddressFault> {
        let phrase = self.phrase()?;
        match self.scan.peek() {
            Some(':') if phrase.words > 0 => {
                self.scan.next();
                self.group(phrase.text)
            }
            _ => self.mailbox_behind(phrase).map(Address::Mailbox),
        }
    }

    fn group(&mut self, name: String) -> Result<Address, AddressFault> {
        let mut members = Vec::new();
        loop {
            self.skip()?;
            if self.scan.take(',') {
                continue;
            }
            if self.scan.take(';') {
                return Ok(Address::Group { name, members });
            }
            if self.scan.rest().is_empty() || members.len() == ADDRESSES_MAX {
                return Err(AddressFault::Group);
            }
            let phrase = self.phrase()?;
            members.push(self.mailbox_behind(phrase)?);
        }
    }

    /// The address behind a name, or whose local part the phrase was.
    fn mailbox_behind(&mut self, phrase: Phrase) -> Result<Mailbox, AddressFault> {
        match self.scan.peek() {
            Some('<') => {
                self.scan.next();
                let (local_part, domain, is_obsolete) = self.inside_angle()?;
                Ok(Mailbox { name: phrase.text, local_part, domain, is_obsolete })
            }
            Some('@') => {
                self.scan.next();
                let local_part = phrase.local_part()?;
                let is_obsolete = !phrase.is_tight;
                let domain = self.domain()?;
                Ok(Mailbox { name: String::new(), local_part, domain, is_obsolete })
            }
            Some(c) if c != ',' && c != ';' => Err(AddressFault::Character(c)),
            _ => Err(AddressFault::At),
        }
    }

    /// `[@a,@b:]local@domain>`; the route of §4.4 is read over.
    fn inside_angle(&mut self) -> Result<(String, String, bool), AddressFault> {
        self.skip()?;
        let mut is_obsolete = false;
        while self.scan.peek() == Some('@') || self.scan.peek() == Some(',') {
            is_obsolete = true;
            if self.scan.take('@') {
                self.domain()?;
            } else {
                self.scan.next();
            }
            self.skip()?;
            if self.scan.take(':') {
                self.skip()?;
                break;
            }
        }
        let phrase = self.phrase()?;
        if !self.scan.take('@') {
            return Err(match self.scan.peek() {
                None | Some('>') => AddressFault::At,
                Some(c) => AddressFault::Character(c),
            });
        }
        let local_part = phrase.local_part()?;
        let domain = self.domain()?;
        self.skip()?;
        if !self.scan.take('>') {
            return Err(AddressFault::Angle);
        }
        Ok((local_part, domain, is_obsolete || !phrase.is_tight))
    }

    /// Words, quoted texts and dots up to something else.
    fn phrase(&mut self) -> Result<Phrase, AddressFault> {
        let mut phrase = Phrase { is_tight: true, ..Phrase::default() };
        let mut after_dot = true;
        loop {
            let before = self.scan.rest().len();
            self.skip()?;
            let blanks = self.scan.rest().len() != before;
            let Some(c) = self.scan.peek() else { break };
            if blanks && phrase.words > 0 && (c == '.' || c == '"' || is_atext(c)) {
                phrase.is_tight = false;
                phrase.text.push(' ');
            }
            match c {
                '"' => {
                    self.quoted(&mut phrase.text)?;
                    phrase.words += 1;
                    after_dot = false;
                }
                '.' => {
                    self.scan.next();
                    phrase.text.push('.');
                    phrase.has_dot_fault |= after_dot;
                    after_dot = true;
                }
                c if is_atext(c) => {
                    phrase.text.push_str(self.scan.while_(is_atext));
                    phrase.words += 1;
                    phrase.has_plain_words = true;
                    after_dot = false;
                }
                _ => break,
            }
        }
        phrase.has_dot_fault |= after_dot && phrase.words > 0;
        Ok(phrase)
    }

    fn quoted(&mut self, text: &mut String) -> Result<(), AddressFault> {
        self.scan.next();
        while let Some(c) = self.scan.next() {
            match c {
                '"' => return Ok(()),
                '\\' => text.extend(self.scan.next()),
                '\r' | '\n' => {}
                c => text.push(c),
            }
        }
        Err(AddressFault::Quotes)
    }

    fn domain(&mut self) -> Result<String, AddressFault> {
        self.skip()?;
        if self.scan.take('[') {
            let inside = self.scan.while_(|c| !matches!(c, '[' | ']' | '\\'));
            let literal = format!("[{}]", inside.trim());
            return if self.scan.take(']') { Ok(literal) } else { Err(AddressFault::Literal) };
        }
        let mut domain = String::new();
        loop {
            let label = self.scan.while_(is_atext);
            if label.is_empty() {
                return Err(if domain.is_empty() { AddressFault::At } else { AddressFault::Dots });
            }
            domain.push_str(label);
            let before = self.scan.clone();
            self.skip()?;
            if !self.scan.take('.') {
                self.scan = before;
                return Ok(domain);
            }
            domain.push('.');
            self.skip()?;
        }
    }
}

impl Phrase {
    fn local_part(&self) -> Result<String, AddressFault> {
        if self.words == 0 {
            return Err(AddressFault::At);
        }
        if self.has_dot_fault {
            return Err(AddressFault::Dots);
        }
        if !self.has_plain_words {
            return Ok(self.text.clone());
        }
        // Blanks around dots are an old habit (§4.4), others would have to be quoted.
        let text = self.text.replace(" .", ".").replace(". ", ".");
        if text.contains(' ') { Err(AddressFault::Character(' ')) } else { Ok(text) }
    }
}

/// RFC 5322 §3.2.3 `atext`, and RFC 6532 §3.2 letters beyond ASCII.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> (String, String) {
        let list = parse(text).unwrap();
        let all: Vec<_> = mailboxes(&list).collect();
        assert_eq!(all.len(), 1, "{text}");
        (all[0].name.clone(), format!("{}@{}", all[0].local_part, all[0].domain))
    }

    #[test]
    fn one_address_is_read_however_it_is_written() {
        for (text, name, address) in [
            ("jo@example.com", "", "jo@example.com"),
            ("<jo@example.com>", "", "jo@example.com"),
            ("Jo <jo@example.com>", "Jo", "jo@example.com"),
            ("\"Doe, Jo\" <jo@example.com>", "Doe, Jo", "jo@example.com"),
            ("Jo Q. Doe <jo@example.com> (work)", "Jo Q. Doe", "jo@example.com"),
            ("=?utf-8?q?J=C3=B6?= <jo@example.com>", "=?utf-8?q?J=C3=B6?=", "jo@example.com"),
            (
                "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
                "Pete",
                "pete@silly.test",
            ),
            ("\"jo doe\"@example.com", "", "jo doe@example.com"),
            ("jo@[192.0.2.1]", "", "jo@[192.0.2.1]"),
            ("Jo <@a.example,@b.example:jo@example.com>", "Jo", "jo@example.com"),
            ("Jörg <jörg@bücher.example>", "Jörg", "jörg@bücher.example"),
        ] {
            assert_eq!(one(text), (name.to_owned(), address.to_owned()), "{text}");
        }
    }

    #[test]
    fn lists_have_groups_and_empty_places() {
        let list = parse("A Group:Ed Jones <joe@where.test>,,j@one.test;, , x@y.test").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(mailboxes(&list).count(), 3);
        let list = parse("Undisclosed recipients:(nobody(that I know))  ;").unwrap();
        assert_eq!(mailboxes(&list).count(), 0);
    }

    #[test]
    fn what_is_no_address_says_why() {
        use AddressFault::{Angle, At, Character, Comment, Dots, Empty, Group, Literal, Quotes};
        for (text, fault) in [
            ("", Empty),
            (" , ", Empty),
            ("jo", At),
            ("jo@", At),
            ("@example.com", At),
            ("<jo@example.com", Angle),
            ("jo..doe@example.com", Dots),
            (".jo@example.com", Dots),
            ("jo@example..com", Dots),
            ("jo doe@example.com", Character(' ')),
            ("\"jo@x.test", Quotes),
            ("(jo@x.test", Comment),
            ("g: a@b.test", Group),
            ("jo@[192.0.2.1", Literal),
            ("a@b.test c@d.test", Character('c')),
            ("Jo, Doe <jo@example.com>", At),
        ] {
            assert_eq!(parse(text), Err(fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_none(text in "[ -~\r\né]{0,80}|[a.@<>,;:\"\\\\() \\[\\]]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(
            name in "[A-Za-z][A-Za-z ,.@<>()]{0,20}", local in "[a-z0-9+_-]{1,12}(\\.[a-z0-9]{1,5})?",
            domain in "[a-z]{1,10}\\.[a-z]{2,5}",
        ) {
            let text = format!("\"{name}\" <{local}@{domain}>");
            prop_assert_eq!(one(&text), (name, format!("{local}@{domain}")));
        }
    }
}
