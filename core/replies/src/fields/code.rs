//! Codes that a provider's own pages explain.

use serde::Serialize;

use super::keep;
use super::link::{CaseUrl, contains_ignoring_case, parameter};
use super::piece::{Piece, pieces};

/// A provider's own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProviderCode<'t> {
    /// Whose it is: a provider's id, or `microsoft` for codes of all its receivers.
    pub of: &'static str,
    /// As it stands in the text.
    pub code: &'t str,
}

/// Where a code must stand to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Its shape is its own.
    Anywhere,
    /// Between brackets, as `[PH01]`: without them it could be anything.
    Fenced,
}

use Place::{Anywhere, Fenced};

/// Whose words the text shows to be its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    TOnline,
    Anybody,
}

/// Shapes of codes: `9` is a digit, `x` a letter or digit, `+` repeats the one before, anything
/// else is itself, in either case. From the providers' own pages, as far as they have any
/// (senders.yahooinc.com, Outlook.com postmaster, postmaster.comcast.net, postmaster.cox.net,
/// help.163.com), else as seen in replies; read 2026-11.
const SHAPES: &[(&str, Place, &str)] = &[
    ("yahoo", Anywhere, "TSS99"),
    ("yahoo", Anywhere, "IPTS99"),
    ("yahoo", Fenced, "TS99"),
    ("yahoo", Fenced, "BL99"),
    ("yahoo", Fenced, "PH99"),
    ("icloud", Fenced, "CS99"),
    ("icloud", Fenced, "HM99"),
    ("icloud", Fenced, "BS99"),
    ("icloud", Fenced, "HME9"),
    ("godaddy", Anywhere, "IB999"),
    ("microsoft", Anywhere, "RP-999"),
    ("microsoft", Anywhere, "SC-999"),
    ("microsoft", Anywhere, "DY-999"),
    ("microsoft", Anywhere, "OU-999"),
    ("microsoft", Fenced, "S999+"),
    ("microsoft", Fenced, "AS999+"),
    ("microsoft", Anywhere, "ATTR9+"),
    ("comcast", Anywhere, "RL999999"),
    ("comcast", Anywhere, "BL999999"),
    ("comcast", Anywhere, "ES999999"),
    ("comcast", Anywhere, "DM999999"),
    ("cox", Anywhere, "AUP#CXx+"),
    ("cox", Anywhere, "AUP#CDRBL"),
    ("cox", Anywhere, "CXBL"),
    ("cox", Anywhere, "CXDNS"),
    ("cox", Anywhere, "CXSNDR"),
    ("cox", Anywhere, "CXCNCT"),
    ("cox", Anywhere, "CXMXRT"),
    ("cox", Anywhere, "CDRBL"),
    ("cox", Anywhere, "IPBL9999"),
    ("spectrum", Anywhere, "AUP#In-9999"),
    ("spectrum", Anywhere, "AUP#Out-9999"),
    ("spectrum", Anywhere, "AUP#I-9999"),
    ("orange", Anywhere, "OFR_999"),
    ("orange", Anywhere, "OFRxxx_999"),
    ("la-poste", Anywhere, "LPNxxx_999"),
    ("sfr", Anywhere, "SFR_IN_9+"),
    ("netease", Anywhere, "HL:xxx"),
    ("netease", Anywhere, "DT:xxx"),
    ("netease", Anywhere, "MI:xxx"),
    ("netease", Anywhere, "RP:xxx"),
    ("libero", Anywhere, "LIB_999"),
    ("at-t", Anywhere, "flpx999+"),
    ("rackspace", Fenced, "Gx"),
    ("rackspace", Fenced, "Gxx"),
    ("sophos", Anywhere, "XGEMAIL_9999"),
    ("hornetsecurity", Anywhere, "BL-N9"),
    ("t-online", Fenced, "NOWL"),
    ("t-online", Fenced, "DIAL"),
    ("uol", Anywhere, "MX-UOL-99"),
    ("yahoo-japan", Anywhere, "VS99-IP9"),
    ("yahoo-japan", Anywhere, "VS9-IP9"),
];

/// The codes, in the order of the text; those of links behind.
pub(super) fn codes<'t>(
    text: &'t str,
    urls: &[&'t str],
    case: Option<&CaseUrl<'t>>,
) -> Vec<ProviderCode<'t>> {
    let mut found = Vec::new();
    let is_t_online = contains_ignoring_case(text, "t-online.de");
    let speaker = if is_t_online { Speaker::TOnline } else { Speaker::Anybody };
    for piece in pieces(text, is_of_code) {
        if let Some(code) = of_shape(piece).or_else(|| of_place(text, piece, speaker)) {
            keep(&mut found, code);
        }
    }
    for piece in pieces(text, |c| is_of_code(c) || c == '.') {
        if piece.is_fenced() && is_mimecast(piece.text) {
            keep(&mut found, ProviderCode { of: "mimecast", code: piece.text });
        }
    }
    if let Some(code) = case.and_then(|case| case.c) {
        keep(&mut found, ProviderCode { of: "united-internet", code });
    }
    for url in urls.iter().copied().filter(|url| contains_ignoring_case(url, "mail.qq.com/")) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        if let Some(code) = parameter(query, "no") {
            keep(&mut found, ProviderCode { of: "qq", code });
        }
    }
    found
}

fn is_of_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '#' | ':')
}

fn of_shape(piece: Piece<'_>) -> Option<ProviderCode<'_>> {
    // `see https:` and `#RL000003`: marks at the ends are not of the code. A plain word is none.
    let code = piece.text.trim_matches(['-', ':', '#', '_']);
    if code.bytes().skip(1).all(|octet| octet.is_ascii_lowercase()) {
        return None;
    }
    let is_fenced = piece.is_fenced() && code.len() == piece.text.len();
    let is_of = |(_, place, shape): &&(&str, Place, &str)| {
        (*place == Anywhere || is_fenced) && fits(code, shape)
    };
    if let Some((of, ..)) = SHAPES.iter().find(is_of) {
        return Some(ProviderCode { of, code });
    }
    // `smtp-error-codes.php#RL000003`: the code is the part of the page.
    let (_, part) = code.rsplit_once('#')?;
    let is_of = |(_, place, shape): &&(&str, Place, &str)| *place == Anywhere && fits(part, shape);
    SHAPES.iter().find(is_of).map(|(of, ..)| ProviderCode { of, code: part })
}

/// Codes that are ones by what stands before them: `AS(201806281)`, `(BL)` of T-Online,
/// `c=r1601`.
fn of_place<'t>(text: &'t str, piece: Piece<'t>, speaker: Speaker) -> Option<ProviderCode<'t>> {
    let before = text.get(..piece.at)?;
    let is_number = piece.text.len() >= 3 && piece.text.bytes().all(|b| b.is_ascii_digit());
    if is_number && piece.after == ')' && before.ends_with("AS(") {
        let code = text.get(piece.at - 3..piece.at + piece.text.len() + 1)?;
        return Some(ProviderCode { of: "microsoft", code });
    }
    if piece.text == "BL" && piece.is_fenced() && speaker == Speaker::TOnline {
        return Some(ProviderCode { of: "t-online", code: piece.text });
    }
    let is_case = before.strip_suffix("c=").is_some_and(|start| !start.ends_with(is_of_code));
    let is_united = is_case && fits(piece.text, "r9999");
    is_united.then_some(ProviderCode { of: "united-internet", code: piece.text })
}

/// `[vYP6tZxqN3S7hGkQw1LmAA.us386]`: 22 characters, a dot and a data centre.
fn is_mimecast(text: &str) -> bool {
    let Some((id, centre)) = text.split_once('.') else { return false };
    let digits = centre.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = centre.len() - digits.len();
    id.len() == 22
        && (2..=4).contains(&letters)
        && (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

fn fits(code: &str, shape: &str) -> bool {
    let mut code = code.bytes().peekable();
    let mut shape = shape.bytes().peekable();
    while let Some(wanted) = shape.next() {
        let belongs = |octet: &u8| match wanted {
            b'9' => octet.is_ascii_digit(),
            b'x' => octet.is_ascii_alphanumeric(),
            itself => octet.eq_ignore_ascii_case(&itself),
        };
        if code.next_if(belongs).is_none() {
            return false;
        }
        if shape.next_if_eq(&b'+').is_some() {
            while code.next_if(belongs).is_some() {}
        }
    }
    code.next().is_none()
}
