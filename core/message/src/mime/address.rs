//! Addresses as people write them, and the fields that hold them.

use std::borrow::Cow;

use mail_builder::headers::Header as _;
use mail_builder::headers::address::Address;
use postlane_mail::{Mailbox, MailboxError};

use super::refused::{DraftRefused, beginning};
use super::text::check_text;

/// Writes `From`.
pub(super) fn write_author(out: &mut Vec<u8>, from: &str) -> Result<(), DraftRefused> {
    if from.trim().is_empty() {
        return Err(DraftRefused::NoAuthor);
    }
    write_addresses(out, "From", "from", &[from])
}

/// Writes a field with the addresses; nothing if there are none.
pub(super) fn write_addresses(
    out: &mut Vec<u8>,
    name: &str,
    field: &'static str,
    texts: &[impl AsRef<str>],
) -> Result<(), DraftRefused> {
    if texts.is_empty() {
        return Ok(());
    }
    let mut addresses = Vec::with_capacity(texts.len());
    for text in texts {
        addresses.push(address(field, text.as_ref())?);
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    Address::new_list(addresses).write_header(out, name.len() + 2);
    Ok(())
}

fn address<'a>(field: &'static str, text: &'a str) -> Result<Address<'a>, DraftRefused> {
    check_text(field, text)?;
    let wrong = |cause| DraftRefused::Address { field, text: beginning(text), cause };
    let text = text.trim();
    let Some(rest) = text.strip_suffix('>') else {
        let mailbox = Mailbox::parse(text).map_err(wrong)?;
        return Ok(Address::new_address(None::<&str>, written(&mailbox)));
    };
    let (name, inside) = rest.rsplit_once('<').ok_or_else(|| wrong(MailboxError::Shape))?;
    let mailbox = Mailbox::parse(inside.trim()).map_err(wrong)?;
    let name = unquoted(name.trim());
    Ok(Address::new_address((!name.is_empty()).then_some(name), written(&mailbox)))
}

/// The address with the DNS form of its domain where that spares it SMTPUTF8.
fn written(mailbox: &Mailbox) -> String {
    match mailbox.domain() {
        Some(domain) if mailbox.needs_smtputf8() && mailbox.local_part().is_ascii() => {
            format!("{}@{domain}", mailbox.local_part())
        }
        _ => mailbox.as_str().to_owned(),
    }
}

/// A name without the quotes it may stand in (RFC 5322 §3.2.4).
fn unquoted(name: &str) -> Cow<'_, str> {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(name);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    Cow::Owned(plain)
}
