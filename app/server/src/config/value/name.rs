//! Names: domains, mailboxes, labels, header fields, patterns and places of routes.

use postlane_mail::{Domain, Host, Label, Mailbox};
use postlane_message::WayOut;
use postlane_net::route::{Pattern, Target};

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

macro_rules! names {
    ($($T:ty: $form:literal, $example:literal, $parse:expr;)+) => {$(
        impl Value for $T {
            fn form() -> String {
                $form.to_owned()
            }

            fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
                wrongs.parse(node, $example, $parse)
            }

            fn show(&self) -> String {
                quoted(&self.to_string())
            }
        }
    )+};
}

names! {
    Domain: "a domain: `example.com`", "\"example.com\"", Domain::parse;
    Host: "a domain, or an address in brackets: `example.com` or `[192.0.2.1]`",
        "\"example.com\" or \"[192.0.2.1]\"", Host::parse;
    Mailbox: "an address: `name@example.com`", "\"name@example.com\"", Mailbox::parse;
    Label: "a name: 1 to 64 letters, digits, dots, hyphens and underscores",
        "\"letters-1.2_3\"", label;
    Pattern: "a pattern: `*`, `example.com`, `.example.com`, `provider:ID` or `sender:a@example.com`",
        "\"*\", \"example.com\", \".example.com\", \"provider:ID\" or \"sender:a@example.com\"",
        Pattern::parse;
    Target: "a host: `HOST:PORT`, `[ADDRESS]:PORT` or `mx:DOMAIN`",
        "\"HOST:PORT\", \"[ADDRESS]:PORT\" or \"mx:DOMAIN\"", target;
    WayOut: "where a way out leads: `https://…` or `mailto:…`",
        "\"https://example.com/unsubscribe/{id}\"", WayOut::parse;
    Box<str>: "a text", "\"text\"", text;
}

/// A label that names somebody.
fn label(text: &str) -> Result<Label, String> {
    match Label::parse(text) {
        Ok(label) if label.is_none() => Err("it is empty".to_owned()),
        Ok(label) => Ok(label),
        Err(error) => Err(error.to_string()),
    }
}

/// A place alone: what a flag says behind a comma has settings of its own in a file.
fn target(text: &str) -> Result<Target, String> {
    if text.contains(',') {
        return Err("encryption and users are settings of their own".to_owned());
    }
    Target::parse(text).map_err(|error| error.to_string())
}

fn text(text: &str) -> Result<Box<str>, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.into()) }
}
