//! Local parts of addresses give way to marks.

use aws_lc_rs::hmac;

use super::dossier::Shown;

/// Puts marks in place of local parts, or does not.
pub(super) struct Veil(Option<hmac::Key>);

/// Fields whose `@` is no address of a person.
const KEPT: [&str; 9] = [
    "message-id:",
    "references:",
    "in-reply-to:",
    "dkim-signature:",
    "arc-seal:",
    "arc-message-signature:",
    "arc-authentication-results:",
    "authentication-results:",
    "feedback-id:",
];
/// Fields that tell of people what addresses do.
const LEFT_OUT: [&str; 4] = ["subject:", "thread-topic:", "comments:", "keywords:"];
/// Of these only addresses are left.
const ADDRESSES: [&str; 7] =
    ["from:", "to:", "cc:", "bcc:", "reply-to:", "sender:", "disposition-notification-to:"];

impl Veil {
    pub(super) fn new(shown: Shown) -> Self {
        Self(match shown {
            Shown::Full => None,
            Shown::Marked(key) => Some(hmac::Key::new(hmac::HMAC_SHA256, &key)),
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.is_none()
    }

    /// An address: `x-3f9a2c1d@web.de`. The null reverse-path stays what it is.
    pub(super) fn address(&self, address: &str) -> String {
        let Some(key) = &self.0 else { return address.to_owned() };
        let Some((local, domain)) = address.rsplit_once('@') else { return address.to_owned() };
        let tag = hmac::sign(key, local.to_lowercase().as_bytes());
        let mark: String =
            tag.as_ref().iter().take(4).map(|octet| format!("{octet:02x}")).collect();
        format!("x-{mark}@{domain}")
    }

    /// A text in which addresses may stand: `<jo@web.de>: unknown`.
    pub(super) fn text(&self, text: &str) -> String {
        if self.0.is_none() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for c in text.chars() {
            if is_of_address(c) {
                word.push(c);
            } else {
                self.put(&mut out, &word);
                word.clear();
                out.push(c);
            }
        }
        self.put(&mut out, &word);
        out
    }

    fn put(&self, out: &mut String, word: &str) {
        // A link may have an address in its query: what stands behind the last `=`, `/` or `:`.
        let at = word.rfind(['=', '/', ':']).map_or(0, |at| at + 1);
        let (before, address) = word.split_at(at);
        out.push_str(before);
        let is_address = address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.trim_matches('.').is_empty()
        });
        if is_address { out.push_str(&self.address(address)) } else { out.push_str(address) }
    }

    /// A header section: subjects are left out, names beside addresses, and local parts marked.
    pub(super) fn headers(&self, headers: &str) -> String {
        if self.0.is_none() {
            return headers.to_owned();
        }
        let mut out = String::new();
        for field in fields(headers) {
            let name = field.split_inclusive(':').next().unwrap_or_default().to_ascii_lowercase();
            if LEFT_OUT.contains(&&*name) {
                out.push_str(&format!("{} (left out)\n", name_of(field)));
            } else if ADDRESSES.contains(&&*name) {
                let value = field.get(name.len()..).unwrap_or_default();
                let marked = self.text(value);
                let kept: Vec<&str> = marked
                    .split(|c: char| !is_of_address(c))
                    .filter(|word| word.contains('@'))
                    .collect();
                out.push_str(&format!("{} {}\n", name_of(field), kept.join(", ")));
            } else if KEPT.contains(&&*name) {
                out.push_str(field.trim_end());
                out.push('\n');
            } else {
                out.push_str(self.text(field.trim_end()).as_str());
                out.push('\n');
            }
        }
        out
    }
}

/// The fields of a header section, each with its folded lines.
pub(super) fn fields(headers: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in headers.split_inclusive('\n') {
        if line.trim().is_empty() {
            break;
        }
        if !line.starts_with([' ', '\t']) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([at]);
    starts.iter().zip(ends).filter_map(|(from, to)| headers.get(*from..to)).collect()
}

fn name_of(field: &str) -> &str {
    field.find(':').and_then(|at| field.get(..=at)).unwrap_or(field)
}

/// What addresses are written with; `=`, `/` and `:` so that links stay whole.
fn is_of_address(c: char) -> bool {
    c.is_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~:".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_domain_and_the_same_address_its_mark() {
        let veil = Veil::new(Shown::Marked([7; 32]));
        let mark = veil.address("Jo.Doe@web.de");
        assert!(mark.starts_with("x-") && mark.ends_with("@web.de") && mark.len() == 17, "{mark}");
        assert_eq!(mark, veil.address("jo.doe@web.de"));
        assert_ne!(mark, Veil::new(Shown::Marked([8; 32])).address("jo.doe@web.de"));
        assert_eq!(veil.address("<>"), "<>");
    }

    #[test]
    fn no_local_part_is_left_in_replies_and_headers() {
        let veil = Veil::new(Shown::Marked([7; 32]));
        let text =
            veil.text("550 <jo@web.de>: unknown (see https://x.example/?a=jo@web.de) jo@web.de.");
        assert!(!text.contains("jo@"), "{text}");
        assert!(text.contains("https://x.example/?a=x-"), "{text}");
        let headers = "From: \"Jo Doe\" <jo@web.de>\r\nTo: Al <al@gmx.de>,\r\n Bo <bo@gmx.de>\r\nSubject: our secret\r\n and more\r\nMessage-ID: <1.jo@shop.example>\r\nReceived: from a by b for <al@gmx.de>; now\r\n\r\nBODY";
        let seen = veil.headers(headers);
        for gone in ["jo@web", "al@", "bo@", "Doe", "secret", "and more", "BODY"] {
            assert!(!seen.contains(gone), "{gone} in {seen}");
        }
        assert!(seen.contains("Message-ID: <1.jo@shop.example>\n"), "{seen}");
        assert_eq!(seen.matches("@gmx.de").count(), 3, "{seen}");
    }
}
