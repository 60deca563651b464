//! The changelog tells per release what changes for an operator, in one shape.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

const PAPER: &str = "CHANGELOG.md";
const SECTIONS: &[&str] = &["What changes for you", "Incompatible", "Added", "Fixed"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(paper) = tree.file(PAPER) else {
        return vec![Finding::at(PAPER, 1, "the paper is missing", "begin it with `# Changelog`")];
    };
    let mut findings = Vec::new();
    let mut at = |line: usize, wrong: &str, cure: &str| {
        findings.push(Finding::at(PAPER, line, wrong, cure));
    };
    if paper.text.lines().next() != Some("# Changelog") {
        at(1, "the first line is not `# Changelog`", "make it so");
    }
    let (mut releases, mut section, mut last) = (0, None, None);
    for (number, line) in paper.text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        if let Some(heading) = line.strip_prefix("### ") {
            section = SECTIONS.iter().position(|known| *known == heading);
            if section.is_none() {
                at(number, "an unknown heading", "use one of those at the head of the rule");
            }
        } else if let Some(heading) = line.strip_prefix("## ") {
            section = None;
            let release = release(heading);
            if heading == "Unreleased" {
                if releases > 0 {
                    at(number, "`Unreleased` stands below a release", "move it to the top");
                }
            } else if release.is_none() {
                at(number, "not a release", "write `## 1.2.3 (2026-11-20)` or `## Unreleased`");
            } else if last.is_some() && release >= last {
                at(number, "releases are out of order", "the newest stands at the top");
            }
            last = release.or(last);
            releases += 1;
        } else if line.starts_with("- ") && section == Some(SECTIONS.len() - 1) {
            let rest = paper.text.lines().skip(number).take_while(|line| line.starts_with("  "));
            if !line.contains("since") && !rest.clone().any(|line| line.contains("since")) {
                at(number, "a fix does not say since when it was broken", "add `(since 1.2.0)`");
            }
        }
    }
    if releases == 0 {
        at(1, "no release and no `## Unreleased`", "say what is in the tree");
    }
    findings
}

/// `1.2.3 (2026-11-20)` as a version and a date.
fn release(heading: &str) -> Option<([u32; 3], String)> {
    let (version, date) = heading.strip_suffix(')')?.split_once(" (")?;
    let numbers: Vec<u32> = version.split('.').map_while(|n| n.parse().ok()).collect();
    let is_date = date.len() == 10
        && date
            .chars()
            .enumerate()
            .all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    is_date.then_some((numbers.try_into().ok()?, date.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrongs(rest: &str) -> Vec<String> {
        let text = format!("# Changelog\n\n{rest}");
        check(&Tree::of(&[(PAPER, &text)])).into_iter().map(|f| f.wrong).collect()
    }

    #[test]
    fn the_shape_is_one() {
        let good = "## Unreleased\n\n### Added\n\n- A.\n\n## 0.2.0 (2026-12-01)\n\n### Fixed\n\n\
            - B was lost\n  (since 0.1.0).\n\n## 0.1.0 (2026-11-20)\n";
        assert!(wrongs(good).is_empty(), "{:?}", wrongs(good));
    }

    #[test]
    fn what_is_out_of_shape_is_found() {
        for (bad, wrong) in [
            ("", "no release and no `## Unreleased`"),
            ("## 0.1\n", "not a release"),
            ("## Unreleased\n### New\n", "an unknown heading"),
            ("## Unreleased\n### Fixed\n- B.\n", "a fix does not say since when it was broken"),
            ("## 0.1.0 (2026-01-01)\n## 0.2.0 (2026-02-01)\n", "releases are out of order"),
            ("## 0.1.0 (2026-01-01)\n## Unreleased\n", "`Unreleased` stands below a release"),
        ] {
            assert_eq!(wrongs(bad), [wrong], "{bad}");
        }
    }
}
