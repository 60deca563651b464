//! What to do, and the records in it that somebody will want to copy.

use crate::numbers::foreign;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remedy {
    /// In a sentence.
    pub(crate) says: String,
    /// What of it can be copied as it is.
    pub(crate) copies: Vec<Copied>,
}

/// Something that can be copied as it is: nothing in it is left for the reader to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    /// What it is: `record`, `value` or `text`.
    pub(crate) what: &'static str,
    /// The text.
    pub(crate) text: String,
}

/// Types of records of which a remedy names all that is to be published.
const TYPES: [&str; 5] = ["TXT", "A", "AAAA", "PTR", "CNAME"];

/// What stands for something that is left out.
const LEFT_OUT: char = '…';

impl Remedy {
    /// Of a remedy as the checks word it: records as zone files have them, text in backticks, values
    /// in quotes, and what is to be added to a record.
    pub(crate) fn of(text: &str) -> Self {
        let mut copies = records(text);
        if copies.is_empty() {
            copies.extend(
                between(text, '`').map(|text| Copied { what: "text", text: foreign(text) }),
            );
        }
        if copies.is_empty() {
            let values = between(text, '"').filter(|value| value.starts_with("v="));
            copies.extend(values.map(|text| Copied { what: "value", text: foreign(text) }));
        }
        if copies.is_empty() {
            let added = text.strip_prefix("Add to ").and_then(|rest| rest.split_once(": "));
            let added = added.map(|(_, terms)| terms).filter(|terms| is_whole(terms));
            copies.extend(added.map(|text| Copied { what: "text", text: foreign(text) }));
        }
        copies.dedup();
        Self { says: foreign(text), copies }
    }
}

/// Records as zone files have them: `_dmarc.example.com. TXT "v=DMARC1; p=none"`, and the value
/// behind each, as forms of registrars want it.
fn records(text: &str) -> Vec<Copied> {
    let mut found = Vec::new();
    for kind in TYPES {
        let mark = format!(". {kind} ");
        for (at, _) in text.match_indices(&mark) {
            let before = text.get(..at).unwrap_or_default();
            let name = before.rsplit([' ', '`', '(']).next().unwrap_or_default();
            let rest = text.get(at + mark.len()..).unwrap_or_default();
            let Some(value) = value(rest) else { continue };
            if name.is_empty() || !is_whole(value) || !is_whole(name) {
                continue;
            }
            let (name, value) = (foreign(name), foreign(value));
            let quote = if kind == "TXT" { "\"" } else { "" };
            let record = format!("{name}. {kind} {quote}{value}{quote}");
            found.push(Copied { what: "record", text: record });
            if kind == "TXT" {
                found.push(Copied { what: "value", text: value });
            }
        }
    }
    found
}

/// What a record has behind its type.
fn value(rest: &str) -> Option<&str> {
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(value, _)| value),
        None => {
            let value = rest.split([' ', '`', ',', ';']).next()?;
            Some(value.trim_end_matches('.')).filter(|value| value.contains(['.', ':']))
        }
    }
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && !text.contains(LEFT_OUT)
}

/// The texts between marks of a pair.
fn between(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let mut parts = text.split(mark);
    let pairs = text.matches(mark).count() / 2;
    parts.next();
    parts.step_by(2).take(pairs).filter(|part| is_whole(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(text: &str) -> Vec<(&'static str, String)> {
        Remedy::of(text).copies.into_iter().map(|copy| (copy.what, copy.text)).collect()
    }

    #[test]
    fn a_record_can_be_copied_whole_or_by_its_value() {
        let told = copies(
            "Publish: _dmarc.example.com. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@example.com\"",
        );
        let value = "v=DMARC1; p=none; rua=mailto:dmarc@example.com";
        let record = format!("_dmarc.example.com. TXT \"{value}\"");
        assert_eq!(told, [("record", record), ("value", value.to_owned())]);
        let address = copies("Publish `mail.example.com. AAAA 2001:db8::1`.");
        assert_eq!(address, [("record", "mail.example.com. AAAA 2001:db8::1".to_owned())]);
    }

    #[test]
    fn what_is_to_be_filled_in_first_is_not_copied() {
        assert!(
            copies("Publish the key: s1._domainkey.a.example. TXT \"v=DKIM1; p=…\".").is_empty()
        );
        assert!(copies("`v=DMARC1; p=none; rua=mailto:…` will do.").is_empty());
        assert!(copies("Publish: a.example. MX 10 and a host that takes its mail.").is_empty());
        assert!(copies("Take the ` out.").is_empty());
    }

    #[test]
    fn values_terms_and_lines_can_be_copied_too() {
        let value = copies("Publish at _dmarc.a.example: \"v=DMARC1; p=none; psd=n\"");
        assert_eq!(value, [("value", "v=DMARC1; p=none; psd=n".to_owned())]);
        let line = copies("Add to the policy: `mx: a.example`, `mx: b.example`; then change id=.");
        assert_eq!(line.len(), 2);
        let terms = copies("Add to the record of a.example: ip4:192.0.2.1");
        assert_eq!(terms, [("text", "ip4:192.0.2.1".to_owned())]);
    }

    #[test]
    fn what_others_wrote_turns_no_line() {
        let remedy = Remedy::of("Publish: \u{202e}x. TXT \"v=spf1 \u{1b}[2J\"");
        assert!(!remedy.says.contains('\u{202e}'));
        assert!(remedy.copies.iter().all(|copy| !copy.text.contains('\u{1b}')));
    }
}
