//! Local parts of addresses give way to marks.

use aws_lc_rs::hmac;

/// How addresses are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The domain, and a mark in place of the local part: the same for the same address within
    /// one pack, made with this key, which nobody needs to keep.
    Marked([u8; 32]),
    /// In full.
    Full,
}

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
        // `"jo doe"@web.de`: the quotes have ended the word before.
        let quoted = out.strip_suffix('"').and_then(|before| before.rfind('"'));
        if let (Some(open), true) = (quoted, word.starts_with('@') && word.len() > 1) {
            let address = format!("{}{word}", out.split_off(open));
            return out.push_str(&self.address(&address));
        }
        // Each piece of a link may hold an address.
        let parts = |c: char| word.contains("://") && matches!(c, '/' | '?' | '&' | '#');
        for piece in word.split_inclusive(parts) {
            self.put_piece(out, piece);
        }
    }

    fn put_piece(&self, out: &mut String, piece: &str) {
        let at = |sign: &'static str| piece.find(sign).map(|at| (at, sign));
        let Some((end, sign)) = SIGNS.into_iter().filter_map(at).min() else {
            return out.push_str(piece);
        };
        let (before, behind) = (&piece[..end], &piece[end + sign.len()..]);
        let start = local_part(before);
        let (before, local) = before.split_at(start);
        if local.is_empty() || behind.trim_matches(['.', '/', '?', '&', '#']).is_empty() {
            return out.push_str(piece);
        }
        let local = if sign == "@" { local.to_owned() } else { decoded(local) };
        let marked = self.address(&format!("{local}@"));
        out.push_str(before);
        out.push_str(marked.trim_end_matches('@'));
        out.push_str(sign);
        out.push_str(behind);
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

/// What stands between a local part and a domain: in a link it is encoded (RFC 3986 §2.1), and a
/// link within a link twice.
const SIGNS: [&str; 3] = ["@", "%40", "%2540"];

/// Where a local part begins that ends a text: behind what names it, `mailfrom=jo`. Of a
/// reverse-path that holds another address, `bounce+jo=web.de`, all is local part.
fn local_part(before: &str) -> usize {
    let behind = |at: Option<usize>| at.map_or(0, |at| at + 1);
    let named = behind(before.rfind(['=', ':']));
    let holds_domain = before.get(named..).is_some_and(|local| local.contains('.'));
    if holds_domain { behind(before.rfind(':')) } else { named }
}

/// A text with what is percent-encoded in it decoded.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        octets.extend_from_slice(before.as_bytes());
        let code = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(code.unwrap_or(b'%'));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    octets.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&octets).into_owned()
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
    fn an_address_in_a_link_or_in_another_address_is_marked() {
        let veil = Veil::new(Shown::Marked([7; 32]));
        let mark = veil.address("jo@web.de");
        let (name, _) = mark.split_once('@').unwrap();
        // As the way out of a list is written by us (RFC 8058), with `{recipient}`.
        let link = "List-Unsubscribe: <https://x.example/u?to=jo%40web.de&id=1&m=al%40gmx.de>";
        let seen = veil.headers(link);
        assert!(seen.contains(&format!("/u?to={name}%40web.de&id=1&m=x-")), "{seen}");
        assert!(!seen.contains("al%40"), "{seen}");
        for text in [
            "bounce+jo=web.de@shop.example",
            "<https://x.example/jo@web.de/out>",
            "https://x.example/?u=https%3A%2F%2Fy.example%2F&a=jo%2540web.de",
            "mailto:jo@web.de",
            "prvs=jo/0123456789@web.de",
            "\"jo\"@web.de",
            "\"jo doe\"@web.de",
            "550 \"jo doe\"@web.de unknown",
            "rfc822;jo@web.de",
            "mailfrom=jo@web.de",
            "jo%40web.de",
            "jo@web.de,al@web.de",
        ] {
            let seen = veil.text(text);
            let words: Vec<&str> = seen.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            assert!(!words.contains(&"jo") && !words.contains(&"al"), "{text}: {seen}");
            assert!(seen.contains("x-"), "{text}: {seen}");
        }
        // The same address has the same mark, wherever it stands.
        assert_eq!(veil.text("mailfrom=jo@web.de"), format!("mailfrom={mark}"));
        for plain in [
            "5.7.1 see https://x.example/a?b=c&d=e#f",
            "at 50%",
            "\"a\" b",
            "100%4",
            "b@ @c %40",
            "é%4é",
        ] {
            assert_eq!(veil.text(plain), plain);
        }
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
