//! The trace that a relay leaves on a message it takes: the `Received` field.

use std::io::Write as _;
use std::net::IpAddr;

use postlane_mail::{Domain, Instant, Mailbox, QueueId};

use crate::date::MailDate;
use crate::header::Folding;

/// How a message came to us, as `Received` tells it (RFC 5321 §4.4).
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The message's name here.
    pub id: QueueId,
    /// When it came.
    pub at: Instant,
    /// Where it came from.
    pub client: Client<'a>,
    /// The `with` word: `ESMTPSA`, `UTF8SMTPS`, `HTTP` … (RFC 3848, RFC 6531 §4.3). What is no
    /// letter or digit is left out.
    pub protocol: &'a str,
    /// The version and cipher of the connection, if it was encrypted.
    pub tls: Option<TlsWords<'a>>,
    /// The recipient, if there is exactly one: several would betray each other.
    pub recipient: Option<&'a Mailbox>,
}

/// The program that handed a message over.
#[derive(Debug, Clone, Copy)]
pub enum Client<'a> {
    /// Over a connection.
    Peer {
        /// What it called itself; foreign, and written with `?` for what a name cannot hold.
        helo: &'a str,
        /// Its address.
        address: IpAddr,
    },
    /// Not named: a setting says so, or nobody connected.
    Hidden,
}

/// An encrypted connection in two words.
#[derive(Debug, Clone, Copy)]
pub struct TlsWords<'a> {
    /// As in `TLSv1.3`.
    pub version: &'a str,
    /// As in `TLS_AES_256_GCM_SHA384`.
    pub cipher: &'a str,
}

/// Octets of a client's name that are repeated, at most: as long as a domain may be
/// (RFC 5321 §4.5.3.1.2).
const HELO_OCTETS_MAX: usize = 255;

/// Octets of any other foreign word. Chosen, not measured.
const WORD_OCTETS_MAX: usize = 64;

/// Writes the field to the end of `out`.
///
/// The host's name in the DNS is not asked for, hence `unknown`, as Postfix writes it and as
/// the readers of such lines expect.
pub(crate) fn write_received(out: &mut Vec<u8>, our_name: &Domain, arrival: &Arrival<'_>) {
    let mut field = Folding::field(out, "Received");
    if let Client::Peer { helo, address } = arrival.client {
        field.word(b"from").word(&client_name(helo)).word(b"(unknown");
        field.word_of(&[&literal(address), b")"]);
        if let Some(tls) = arrival.tls {
            field.line().word(b"(using").word(&word(tls.version)).word(b"with").word(b"cipher");
            field.word_of(&[&word(tls.cipher), b")"]);
        }
        field.line();
    }
    field.word(b"by").word(our_name.as_str().as_bytes()).word(b"(Postlane)");
    let mut text = [0; 16];
    field.word(b"with").word(&word(arrival.protocol)).word(b"id");
    field.word(printed(arrival.id, &mut text));
    if let Some(recipient) = arrival.recipient {
        field.line().word(b"for").word_of(&[b"<", recipient.as_str().as_bytes(), b">"]);
    }
    field.glue(b";").word(MailDate::of(arrival.at).as_str().as_bytes());
    field.end();
}

/// The id's text without an allocation.
pub(crate) fn printed(id: QueueId, room: &mut [u8; 16]) -> &[u8] {
    let mut rest = &mut room[..];
    // 13 characters always fit.
    let _ = write!(rest, "{id}");
    &room[..13]
}

/// A client's name as a trace can hold it: the DNS form of an internationalised one, `?` for
/// every octet that neither a name nor an address literal has.
fn client_name(helo: &str) -> Vec<u8> {
    if !helo.is_ascii()
        && let Ok(domain) = Domain::parse(helo)
    {
        return domain.as_str().as_bytes().to_vec();
    }
    let fits =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let octets = helo.bytes().take(HELO_OCTETS_MAX);
    let name: Vec<u8> = octets.map(|b| if fits(b) { b } else { b'?' }).collect();
    if name.is_empty() { b"unknown".to_vec() } else { name }
}

/// RFC 5321 §4.1.3, as TCP-info of §4.4.
fn literal(address: IpAddr) -> Vec<u8> {
    let mut text = Vec::with_capacity(48);
    let address = address.to_canonical();
    let tag = if address.is_ipv6() { "IPv6:" } else { "" };
    let _ = write!(text, "[{tag}{address}]");
    text
}

/// A foreign word that can stand in a comment or as an atom.
fn word(text: &str) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    text.bytes().filter(plain).take(WORD_OCTETS_MAX).collect()
}
