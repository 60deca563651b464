//! Checks of a domain that need what the DNS does not say: they are told with why they do not
//! apply, until somebody says it.

use crate::check::{Check, Found};
use crate::dns::Known;

use super::{DomainCheck, Facts};

fn letters(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let name = facts.asked.name.as_str();
    let mut shown = Vec::new();
    for label in name.split('.').filter(|label| label.starts_with("xn--")) {
        let (text, result) = idna::domain_to_unicode(label);
        if result.is_err() {
            return Found::fail(format!("{label} is no name that can be written"));
        }
        let mut scripts: Vec<&str> = text.chars().filter_map(script).collect();
        scripts.sort_unstable();
        scripts.dedup();
        // Japanese is written in several at once (UTS #39 §5.1).
        let is_japanese = scripts.iter().all(|s| matches!(*s, "Han" | "Kana" | "Latin"));
        if scripts.len() > 1 && !is_japanese {
            return Found::fail(format!("{text} mixes {}", scripts.join(" and ")));
        }
        let looks_latin = text.chars().all(|c| c.is_ascii() || LOOKALIKES.contains(c));
        if looks_latin && scripts.iter().any(|s| *s != "Latin") {
            return Found::warn(format!("{text} ({label}) looks like a name in Latin letters"));
        }
        shown.push(text);
    }
    match shown.is_empty() {
        true => Found::pass("plain ASCII"),
        false => Found::pass(format!("one script in each label: {}", shown.join(", "))),
    }
}

/// Letters that look like Latin ones: Cyrillic and Greek.
const LOOKALIKES: &str = "аеорсухіјѕԁԛԝһӏкмтвнαοινρυκτ";

/// The script of a letter, as far as names are forged with it; none for digits and marks.
fn script(c: char) -> Option<&'static str> {
    Some(match c {
        'a'..='z' | 'à'..='ɏ' => "Latin",
        'Ͱ'..='Ͽ' | 'ἀ'..='῿' => "Greek",
        'Ѐ'..='ԯ' => "Cyrillic",
        '԰'..='֏' => "Armenian",
        '֐'..='׿' => "Hebrew",
        '؀'..='ۿ' => "Arabic",
        '぀'..='ヿ' => "Kana",
        '一'..='鿿' | '㐀'..='䶿' => "Han",
        '가'..='힣' => "Hangul",
        _ if c.is_alphabetic() => "another script",
        _ => return None,
    })
}

fn age(_: &mut Known, facts: &Facts<'_>) -> Option<Found> {
    let Some(registered) = facts.asked.registered else {
        return Found::skip("when it was registered is not known (--registered)");
    };
    let days = facts.asked.now.since(registered).as_s() / 86_400;
    let evidence = format!("registered {days} days ago");
    match days {
        90.. => Found::pass(evidence),
        30.. => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

/// IDN-11, IDN-14, BULK-15, DK2-01.
pub(crate) static CHECKS: [DomainCheck; 4] = [
    DomainCheck {
        check: Check::of_domain(
            "IDN-11",
            "The name is written in one script",
            &[],
            "Use a name that cannot be taken for another.",
            "UTS #39 §5",
        ),
        run: letters,
    },
    DomainCheck {
        check: Check::of_domain(
            "IDN-14",
            "The domain is not new",
            &[],
            "Wait, and begin with little mail.",
            "RFC 9083 §4.5",
        ),
        run: age,
    },
    DomainCheck::left_open(
        Check::of_domain(
            "BULK-15",
            "Complaints come back",
            &[],
            "Enrol at Yahoo (CFL), Microsoft (JMRP, SNDS) and the CSA.",
            "RFC 6449",
        ),
        "which feedback loops the domain is in is not known",
    ),
    DomainCheck::left_open(
        Check::of_domain(
            "DK2-01",
            "DKIM2",
            &[],
            "Nothing is to be done.",
            "draft-ietf-dkim-dkim2-spec",
        ),
        "DKIM2 is a draft, and no receiver asks for it",
    ),
];
