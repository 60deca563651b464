//! How a mail exchanger greets: whether it offers to encrypt, who it shows itself to be, and whether
//! it takes mail for somebody.

use crate::dns::Name;

/// What came of a connection to port 25 of a mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// It was encrypted; what it was proved with is not judged yet.
    Encrypted {
        /// The certificates, in DER, the host's own first.
        chain: Vec<Box<[u8]>>,
        /// Why nobody that is believed vouches for them and the host's name; none where
        /// somebody does.
        distrust: Option<Box<str>>,
        /// `TLSv1.2` or `TLSv1.3`.
        version: Box<str>,
    },
    /// It does not offer STARTTLS.
    Plain,
    /// It offers STARTTLS, and the handshake failed.
    Broken(Box<str>),
    /// There was no connection, which says nothing about the host.
    Failed(Box<str>),
}

/// A mailbox that an exchanger is asked about, without mail: RCPT, and no DATA.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    /// Who is asked.
    pub exchanger: Name,
    /// About whom.
    pub address: Box<str>,
}

/// What an exchanger says of a mailbox, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It takes mail.
    Yes(Box<str>),
    /// It takes none, and will not.
    No(Box<str>),
    /// It could not be found out: no connection, or it puts us off.
    Open(Box<str>),
}

impl Mailbox {
    /// None where the address cannot be said in a command.
    pub fn new(exchanger: &Name, address: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'\\');
        let is_whole = address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.contains('@') && Name::parse(domain).is_ok()
        });
        // RFC 5321 §4.5.3.1: 64 octets and 255.
        let fits = address.len() <= 320 && address.bytes().all(is_plain);
        let exchanger = exchanger.clone();
        (is_whole && fits).then(|| Self { exchanger, address: address.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_into_a_command_is_said_to_an_exchanger() {
        let mail = Name::parse("mx.example").unwrap();
        assert!(Mailbox::new(&mail, "jo+x=y@a.example").is_some());
        let long = format!("{}@a.example", "x".repeat(320));
        for odd in
            ["jo", "@a.example", "jo@", "a@b@c", "a>\r\nDATA@x", "a b@c", &long, "é@a.example"]
        {
            assert_eq!(Mailbox::new(&mail, odd), None, "{odd}");
        }
    }
}
