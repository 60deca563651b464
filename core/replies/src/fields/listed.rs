//! Block lists that a reply names.
//!
//! By zone (`zen.spamhaus.org`), by the words people use (`Spamhaus ZEN`) or by the list's own
//! page. Dead lists (SORBS 2024-06, NiX Spam 2025-01) are still named by some.

use super::{Fields, keep};

/// Names in this program, and how replies call them: words in a row. A name
/// gives way to a longer one that begins with it and a hyphen.
const LISTS: &[(&str, &[&str])] = &[
    ("spamhaus", &["spamhaus"]),
    ("spamhaus-zen", &["zen spamhaus", "zen dq spamhaus", "spamhaus zen", "zen mail spamhaus"]),
    ("spamhaus-sbl", &["sbl spamhaus", "sbl dq spamhaus", "spamhaus sbl", "spamhaus org sbl"]),
    (
        "spamhaus-xbl",
        &["xbl spamhaus", "xbl dq spamhaus", "spamhaus xbl", "spamhaus org xbl", "cbl abuseat"],
    ),
    ("spamhaus-css", &["css spamhaus", "spamhaus css", "spamhaus org css", "spamhaus sbl css"]),
    ("spamhaus-pbl", &["pbl spamhaus", "pbl dq spamhaus", "spamhaus pbl", "spamhaus org pbl"]),
    ("spamhaus-dbl", &["dbl spamhaus", "dbl dq spamhaus", "spamhaus dbl", "spamhaus org dbl"]),
    ("spamhaus-zrd", &["zrd dq spamhaus", "spamhaus zrd"]),
    ("spamhaus-hbl", &["hbl dq spamhaus", "spamhaus hbl"]),
    ("spamhaus-drop", &["spamhaus drop", "spamhaus org drop"]),
    ("barracuda", &["barracudacentral", "barracuda reputation", "brbl", "barracuda central"]),
    ("spamcop", &["spamcop"]),
    ("sorbs", &["sorbs"]),
    ("uceprotect", &["uceprotect"]),
    (
        "uceprotect-1",
        &["dnsbl 1 uceprotect", "uceprotect level 1", "uceprotect level1", "uceprotectl1"],
    ),
    (
        "uceprotect-2",
        &["dnsbl 2 uceprotect", "uceprotect level 2", "uceprotect level2", "uceprotectl2"],
    ),
    (
        "uceprotect-3",
        &["dnsbl 3 uceprotect", "uceprotect level 3", "uceprotect level3", "uceprotectl3"],
    ),
    ("backscatterer", &["backscatterer"]),
    ("abusix", &["abusix"]),
    ("invaluement", &["invaluement", "ivmsip", "ivmuri", "ivmsed"]),
    (
        "validity",
        &["senderscore", "sender score", "return path dnsbl", "returnpath dnsbl", "validity rpbl"],
    ),
    (
        "cloudmark-csi",
        &["cloudmark csi", "csi cloudmark", "cm csi", "cloudmark sender intelligence"],
    ),
    ("mimecast-csi", &["csi mimecast"]),
    (
        "proofpoint-pdr",
        &[
            "ipcheck proofpoint",
            "support proofpoint com dnsbl",
            "prs proofpoint",
            "proofpoint dynamic reputation",
        ],
    ),
    ("psbl", &["psbl"]),
    ("nix-spam", &["ix dnsbl manitu", "nix spam", "nixspam", "dnsbl manitu"]),
    ("mailspike", &["mailspike"]),
    ("hostkarma", &["hostkarma"]),
    ("spamrats", &["spamrats"]),
    ("spamrats-dyna", &["dyna spamrats", "rats dyna"]),
    ("spamrats-noptr", &["noptr spamrats", "rats noptr"]),
    ("spamrats-spam", &["spam spamrats", "rats spam"]),
    ("surbl", &["surbl"]),
    ("uribl", &["uribl"]),
    ("gbudb", &["gbudb"]),
    ("0spam", &["0spam"]),
    ("blocklist-de", &["blocklist de", "bl blocklist de"]),
    ("dronebl", &["dronebl"]),
    ("spameatingmonkey", &["spameatingmonkey", "spam eating monkey"]),
    ("s5h", &["all s5h net"]),
    ("msbl-ebl", &["ebl msbl", "msbl"]),
    ("lashback", &["unsubscore", "lashback"]),
    ("wpbl", &["wpbl"]),
    ("junkemailfilter", &["junkemailfilter"]),
    ("trend-micro-ers", &["trendmicro ers", "mail abuse com", "rbl trendmicro", "ers trendmicro"]),
    ("cisco-senderbase", &["senderbase", "talosintelligence", "talos intelligence"]),
    ("trustedsource", &["trustedsource"]),
    ("symantec-ipr", &["ipremoval sms symantec", "ipremoval symantec"]),
    ("fortinet", &["fortiguard", "fortinet antispam"]),
    ("att-rbl", &["attrbl", "dnsbl attrbl"]),
    ("anonmails", &["anonmails"]),
    ("interserver", &["rbl interserver", "rblmail interserver"]),
    ("spfbl", &["dnsbl spfbl", "spfbl"]),
    ("rfc-clueless", &["rfc clueless"]),
    ("njabl", &["njabl"]),
    ("ahbl", &["ahbl"]),
];

/// The lists that are named, in the order of the text.
pub(super) fn lists(text: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut is_behind_letter = false;
    while let Some(c) = rest.chars().next() {
        if is_of_word(c) && !is_behind_letter && may_begin(rest) {
            let named = LISTS.iter().filter(|(_, phrases)| begins_with_any(rest, phrases));
            named.for_each(|(list, _)| keep(&mut found, list));
            if is_sbl_record(rest) {
                keep(&mut found, "spamhaus-sbl");
            }
        }
        is_behind_letter = is_of_word(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    let is_plainer = |list: &str, other: &str| {
        other.strip_prefix(list).is_some_and(|behind| behind.starts_with('-'))
    };
    let all: Vec<&str> = found.clone();
    found.retain(|list| !all.iter().any(|other| is_plainer(list, other)));
    found.truncate(Fields::MAX);
    found
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// For each letter or digit, the letters and digits that follow it at the start of a name, as
/// bits: most words of a reply are told from names by these alone.
static STARTS: [u64; 36] = starts();

const fn starts() -> [u64; 36] {
    let mut starts = [0; 36];
    let mut list = 0;
    while list < LISTS.len() {
        let mut phrases = LISTS[list].1;
        while let [phrase, behind @ ..] = phrases {
            let phrase = phrase.as_bytes();
            starts[letter(phrase[0])] |= 1 << letter(phrase[1]);
            phrases = behind;
        }
        list += 1;
    }
    starts
}

/// A letter or digit as a number below 36; anything else as that of `z`.
const fn letter(octet: u8) -> usize {
    (match octet.to_ascii_lowercase() {
        digit @ b'0'..=b'9' => digit - b'0',
        letter @ b'a'..=b'z' => letter - b'a' + 10,
        _ => 35,
    }) as usize
}

fn may_begin(text: &str) -> bool {
    let [first, second, ..] = text.as_bytes() else { return false };
    STARTS.get(letter(*first)).is_some_and(|starts| starts & (1 << letter(*second)) != 0)
}

fn begins_with_any(text: &str, phrases: &[&str]) -> bool {
    let [first, second, ..] = text.as_bytes() else { return false };
    let start = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
    phrases
        .iter()
        .filter(|phrase| phrase.as_bytes().starts_with(&start))
        .any(|phrase| begins_with(text, phrase))
}

/// Whether a text begins with these words, whatever stands between them, up to three characters.
fn begins_with(text: &str, phrase: &str) -> bool {
    let mut rest = text;
    for (place, word) in phrase.split(' ').enumerate() {
        if place > 0 {
            let Some(gap) = rest.find(is_of_word).filter(|gap| (1..=3).contains(gap)) else {
                return false;
            };
            rest = rest.get(gap..).unwrap_or_default();
        }
        let Some(letters) = rest.get(..word.len()) else { return false };
        if !letters.eq_ignore_ascii_case(word) {
            return false;
        }
        rest = rest.get(word.len()..).unwrap_or_default();
        if rest.starts_with(is_of_word) {
            return false;
        }
    }
    true
}

/// `SBL123456`: the number of a record.
fn is_sbl_record(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("SBL") else { return false };
    let count = digits.bytes().take(9).take_while(u8::is_ascii_digit).count();
    (4..=8).contains(&count)
        && !digits.get(count..).is_some_and(|rest| rest.starts_with(is_of_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_found_by_each_of_its_names() {
        for (list, phrases) in LISTS {
            for phrase in *phrases {
                assert!(lists(phrase).contains(list), "{phrase}");
                let zone = phrase.replace(' ', ".").to_uppercase();
                assert!(lists(&zone).contains(list), "{zone}");
            }
        }
    }

    #[test]
    fn the_longer_name_is_the_one() {
        assert_eq!(lists("https://www.spamhaus.org/sbl/query/SBL123456"), ["spamhaus-sbl"]);
        assert_eq!(lists("blocked using zen.spamhaus.org"), ["spamhaus-zen"]);
        assert_eq!(lists("see https://www.spamhaus.org/query/ip/192.0.2.1"), ["spamhaus"]);
        assert_eq!(lists("nospamcopy, resorbs, psblx"), [""; 0]);
    }
}
