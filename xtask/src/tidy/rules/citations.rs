//! A standard is cited so that it can be looked up and searched for: `RFC 5321 §4.5.3.2`.

use crate::tidy::finding::Finding;
use crate::tidy::prose::{prose, without_code};
use crate::tidy::tree::Tree;

const CURE: &str = "write it as in `RFC 5321 §4.5.3.2`";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for (number, line) in rust.numbered() {
            judge(&mut findings, &file.path, number, &without_code(&line.comment));
        }
    }
    for paper in tree.papers() {
        for (number, line) in prose(&paper.text) {
            judge(&mut findings, &paper.path, number, &line);
        }
    }
    findings
}

fn judge(findings: &mut Vec<Finding>, path: &str, number: usize, line: &str) {
    for (at, _) in line.to_ascii_lowercase().match_indices("rfc") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '.' | '_')) {
            continue;
        }
        let (name, rest) = line[at..].split_at(3);
        let digits_at = rest.trim_start_matches([' ', '-', '\u{a0}']);
        let digits = digits_at.chars().take_while(char::is_ascii_digit).count();
        if digits < 3 {
            continue;
        }
        let after = &digits_at[digits..];
        if name != "RFC" || rest.len() - digits_at.len() != 1 || !rest.starts_with(' ') {
            let cited = &line[at..line.len() - after.len()];
            findings.push(Finding::at(path, number, format!("`{cited}` is not how we cite"), CURE));
        } else if let Some(wrong) = section_is_wrong(after) {
            findings.push(Finding::at(path, number, wrong, CURE));
        }
    }
}

/// What is wrong with how the section follows the number, if anything.
fn section_is_wrong(after: &str) -> Option<&'static str> {
    let rest = after.trim_start_matches([' ', ',', '(']);
    let lower = rest.to_lowercase();
    if lower.starts_with("section") || lower.starts_with("sec.") || lower.starts_with("chapter") {
        return Some("the section of an RFC is spelt out");
    }
    let section = rest.strip_prefix('§')?.trim_start_matches('§');
    if !after.starts_with(" §") {
        Some("the section does not follow the RFC's number after one space")
    } else if !section.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase()) {
        Some("the `§` is not followed by the section's number")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(comment: &str) -> usize {
        check(&Tree::of(&[("a.rs", &format!("// {comment}\n"))])).len()
    }

    #[test]
    fn a_citation_has_one_form() {
        for good in [
            "as RFC 5321 §4.5.3.2.7 says",
            "RFC 5321 §4.2.1, §4.3.2",
            "(RFC 2920)",
            "RFC 5321 §§4.1–4.3",
            "see RFC 3464's table",
            "the address type `rfc822;` and message/rfc822",
            "https://www.rfc-editor.org/rfc/rfc5321",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
        for bad in [
            "RFC5321",
            "rfc 5321",
            "RFC-5321",
            "RFC  5321",
            "RFC 5321 section 4.1",
            "RFC 5321, §4.1",
            "RFC 5321 § 4.1",
            "RFC 5321§4.1",
        ] {
            assert_eq!(found(bad), 1, "{bad}");
        }
    }

    #[test]
    fn papers_are_read_without_their_code() {
        let paper = "RFC5321\n`RFC5321`\n```\nRFC5321\n```\n";
        assert_eq!(check(&Tree::of(&[("docs/a.md", paper)])).len(), 1);
    }
}
