//! What broke a signature: the forms that were signed and found, and which change on the way
//! explains the difference.
//!
//! What was signed is not at hand, only its hash. So changes that hosts and services make are
//! taken back one by one, and where the signature is good then, that change is what broke it.

use postlane_checks::dkim::{BodyCanon, Canon, Checked, Signature, Why, verify};
use postlane_checks::message::Message;
use postlane_checks::{Known, dkim};
use postlane_mail::Instant;
use serde::{Deserialize, Serialize};

/// A signature that is not good, and what is known of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakage {
    /// `d=`
    pub domain: String,
    /// `s=`
    pub selector: String,
    /// What is not what was signed: `body` or `header`.
    pub part: String,
    /// `c=`, as in `relaxed/simple`.
    pub canonicalization: String,
    /// What a form of the part does, step by step.
    pub steps: Vec<String>,
    /// The hash that was signed, `bh=`, in hexadecimal; empty for the header.
    pub signed_hash: String,
    /// The part as it came, in the form that is signed, shortened in the middle; a blank at the end
    /// of a line and a tab can be seen.
    pub canonical: String,
    /// Changes of which each alone explains it: with it taken back the signature is good.
    pub explained_by: Vec<String>,
    /// What to do.
    pub advice: String,
}

/// Octets of a message that changes are taken back in. Chosen, not measured: each is hashed anew.
const OCTETS_MAX: usize = 1 << 20;

/// Lines at the end of a body that may have been added. Chosen, not measured: footers are short.
const FOOTER_LINES_MAX: usize = 40;

/// Characters of a form that are shown.
const SHOWN_MAX: usize = 6_000;

/// The signatures that break at body or header, from the top; three at most. Every answer that the
/// look wanted must be known.
pub fn breakages(
    known: &mut Known,
    (octets, now): (&[u8], Instant),
    checked: &[Checked],
) -> Vec<Breakage> {
    let broken = checked.iter().enumerate().filter_map(|(place, one)| {
        let is_body = match one.why {
            Some(Why::Body | Why::BodyShort) => true,
            Some(Why::Header) => false,
            _ => return None,
        };
        Some((place, one.signature.as_ref()?, is_body))
    });
    let broken: Vec<(usize, &Signature, bool)> = broken.take(3).collect();
    broken
        .into_iter()
        .map(|(place, signature, is_body)| {
            let mut good = |changed: &[u8]| {
                let again = verify(known, changed, now).unwrap_or_default();
                again.get(place).is_some_and(|one| match is_body {
                    true => one.body_is_intact == Some(true),
                    false => one.outcome == dkim::Outcome::Pass,
                })
            };
            let candidates = if octets.len() > OCTETS_MAX {
                Vec::new()
            } else if is_body {
                bodies(octets)
            } else {
                headers(octets)
            };
            let explained = candidates.into_iter().filter(|(_, changed)| good(changed));
            let explained_by: Vec<String> = explained.map(|(says, _)| says).take(3).collect();
            breakage(octets, signature, is_body, explained_by)
        })
        .collect()
}

fn breakage(
    octets: &[u8],
    signature: &Signature,
    is_body: bool,
    explained_by: Vec<String>,
) -> Breakage {
    let message = Message::new(octets);
    let (canon, canonical) = match is_body {
        true => (signature.body_canon, body_form(signature, message.body())),
        false => (signature.header_canon, header_form(&message, signature)),
    };
    let advice = match (explained_by.is_empty(), is_body) {
        (false, _) => {
            "Have the signature made behind the host that makes this change, or have that \
                       host leave the message alone."
        }
        (true, true) => {
            "Something changed the body after it was signed: look for a host that adds \
                         footers, rewrites links, converts encodings or breaks long lines, and sign \
                         behind it."
        }
        (true, false) => {
            "A signed field was changed, added or taken away after it was signed, or the \
                          key in the DNS is not the one that signed: hold the fields below against \
                          those that left, and the key against the signer's."
        }
    };
    Breakage {
        domain: signature.domain.to_string(),
        selector: signature.selector.to_string(),
        part: if is_body { "body" } else { "header" }.to_owned(),
        canonicalization: format!(
            "{}/{}",
            signature.header_canon.as_str(),
            signature.body_canon.as_str()
        ),
        steps: steps(canon, is_body),
        signed_hash: match is_body {
            true => signature.body_hash.iter().map(|octet| format!("{octet:02x}")).collect(),
            false => String::new(),
        },
        canonical: shown(&canonical),
        explained_by,
        advice: advice.to_owned(),
    }
}

fn steps(canon: Canon, is_body: bool) -> Vec<String> {
    let steps: &[&str] = match (canon, is_body) {
        (Canon::Simple, true) => &["empty lines at the end are one"],
        (Canon::Relaxed, true) => &[
            "blanks at the end of lines are left out",
            "blanks within lines are one space",
            "empty lines at the end are left out",
        ],
        (Canon::Simple, false) => &["nothing is changed"],
        (Canon::Relaxed, false) => &[
            "names are in lower case",
            "folds are taken back",
            "blanks are one space, and none stand around the colon or at the end",
        ],
    };
    steps.iter().map(|step| (*step).to_owned()).collect()
}

fn body_form(signature: &Signature, body: &[u8]) -> Vec<u8> {
    let mut form = Vec::new();
    let mut canon = BodyCanon::new(signature.body_canon);
    let mut out = |octets: &[u8]| form.extend_from_slice(octets);
    canon.feed(body, &mut out);
    canon.finish(&mut out);
    if let Some(octets) = signature.body_octets.and_then(|octets| usize::try_from(octets).ok()) {
        form.truncate(octets);
    }
    form
}

/// The signed fields as they came, in the order of `h=`; of a name that is listed more than once
/// from the bottom up (RFC 6376 §5.4.2).
fn header_form(message: &Message<'_>, signature: &Signature) -> Vec<u8> {
    let mut form = Vec::new();
    let mut taken: Vec<usize> = Vec::new();
    for name in &signature.fields {
        let places = message.fields().iter().enumerate().rev();
        let mut free = places.filter(|(place, field)| field.is(name) && !taken.contains(place));
        match free.next() {
            Some((place, field)) => {
                taken.push(place);
                let raw = message.raw().get(field.range.clone()).unwrap_or_default();
                match signature.header_canon {
                    Canon::Simple => form.extend_from_slice(raw.trim_ascii_end()),
                    Canon::Relaxed => {
                        let value = String::from_utf8_lossy(field.value);
                        let words: Vec<&str> = value.split_ascii_whitespace().collect();
                        form.extend_from_slice(format!("{name}:{}", words.join(" ")).as_bytes());
                    }
                }
            }
            None => form.extend_from_slice(format!("({name}: not there)").as_bytes()),
        }
        form.extend_from_slice(b"\r\n");
    }
    form
}

/// The body with one change taken back, and what that change would be.
fn bodies(octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = Message::new(octets);
    let body = message.body();
    let head = octets.get(..octets.len() - body.len()).unwrap_or_default();
    let mut all: Vec<(String, Vec<u8>)> = without_added_lines(body);
    let mut push = |says: &str, body: Vec<u8>| all.push((says.to_owned(), body));
    let replaced =
        |from: &str, to: &str| String::from_utf8_lossy(body).replace(from, to).into_bytes();
    push(
        "\"From \" at the beginning of a line became \">From \"",
        replaced("\r\n>From ", "\r\nFrom "),
    );
    push("dots at the beginning of lines were doubled", replaced("\r\n..", "\r\n."));
    push("dots at the beginning of lines were taken away", replaced("\r\n.", "\r\n.."));
    push("tabs became spaces", replaced("        ", "\t"));
    push("links were changed from http to https", replaced("https://", "http://"));
    push(
        "an empty line was added at the beginning",
        body.strip_prefix(b"\r\n").unwrap_or(body).to_vec(),
    );
    push("an empty line at the beginning was taken away", [b"\r\n", body].concat());
    push("the last line was given an end", body.strip_suffix(b"\r\n").unwrap_or(body).to_vec());
    let whole = all.into_iter().map(|(says, body)| (says, [head, &body].concat()));
    whole.filter(|(_, changed)| changed != octets).collect()
}

/// The body without lines that somebody may have added at one of its ends, and what they did.
fn without_added_lines(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let ends: Vec<usize> = body
        .windows(2)
        .enumerate()
        .filter(|(_, two)| two == b"\r\n")
        .map(|(at, _)| at + 2)
        .collect();
    let lines = ends.len();
    let mut all = Vec::new();
    for cut in 1..=FOOTER_LINES_MAX.min(lines) {
        let keep = if cut == lines { 0 } else { ends.get(lines - cut - 1).copied().unwrap_or(0) };
        let what = if cut == 1 {
            "the last line was".to_owned()
        } else {
            format!("the last {cut} lines were")
        };
        let kept = body.get(..keep).unwrap_or_default();
        all.push((format!("{what} added at the end"), kept.to_vec()));
    }
    for cut in 1..=FOOTER_LINES_MAX.min(lines) {
        let from = ends.get(cut - 1).copied().unwrap_or(0);
        let what = if cut == 1 {
            "the first line was".to_owned()
        } else {
            format!("the first {cut} lines were")
        };
        let kept = body.get(from..).unwrap_or_default();
        all.push((format!("{what} added at the beginning"), kept.to_vec()));
    }
    all
}

/// The header with one change taken back, and what that change would be.
fn headers(octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = Message::new(octets);
    let mut all = Vec::new();
    for field in message.fields().iter().take(200) {
        let name = String::from_utf8_lossy(field.name).into_owned();
        let raw = octets.get(field.range.clone()).unwrap_or_default();
        let without = |with: &[u8]| -> Vec<u8> {
            let before = octets.get(..field.range.start).unwrap_or_default();
            let behind = octets.get(field.range.end..).unwrap_or_default();
            [before, with, behind].concat()
        };
        if field.is("DKIM-Signature") || field.is("Received") {
            continue;
        }
        all.push((format!("{name} was added"), without(b"")));
        let text = String::from_utf8_lossy(field.value).into_owned();
        if field.is("Subject") {
            let said = text.trim_start();
            let behind = said.strip_prefix('[').and_then(|said| said.split_once("] "));
            let tagged = behind.map(|(tag, rest)| (format!("[{tag}]"), rest));
            let spoken = ["***SPAM*** ", "[SPAM] ", "[EXT] ", "EXTERNAL: "];
            let spoken = spoken
                .iter()
                .find_map(|tag| Some(((*tag).trim().to_owned(), said.strip_prefix(tag)?)));
            for (tag, rest) in tagged.into_iter().chain(spoken) {
                let says = format!("{tag:?} was put before the subject");
                all.push((says, without(format!("{name}: {rest}\r\n").as_bytes())));
            }
        }
        let unfolded: Vec<&str> = text.split("\r\n").collect();
        let unfolded = format!("{name}: {}\r\n", unfolded.concat().trim()).into_bytes();
        if unfolded != raw {
            all.push((format!("{name} was folded or its blanks were changed"), without(&unfolded)));
        }
    }
    all
}

/// What can be seen of a form: blanks at the end of lines and tabs, too.
fn shown(form: &[u8]) -> String {
    let text = String::from_utf8_lossy(form).replace("\r\n", "\n").replace('\t', "→");
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let end = line.trim_end_matches(' ');
            format!("{end}{}", "·".repeat(line.len() - end.len()))
        })
        .collect();
    let text = lines.join("\n");
    let long = text.chars().count();
    if long <= SHOWN_MAX {
        return text;
    }
    let head: String = text.chars().take(SHOWN_MAX / 2).collect();
    let tail: String = text.chars().skip(long - SHOWN_MAX / 2).collect();
    format!("{head}\n[… {} characters …]\n{tail}", long - SHOWN_MAX)
}
