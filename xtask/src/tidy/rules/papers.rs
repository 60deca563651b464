//! The papers of the house are there, short, and in shape.

use crate::tidy::finding::Finding;
use crate::tidy::tree::Tree;

/// Papers that must be there, and how many lines each may have.
const LENGTHS: &[(&str, usize)] =
    &[("README.md", 120), ("ARCHITECTURE.md", 300), ("STYLE.md", 250), ("CHANGELOG.md", 2000)];

/// What every decision record says.
const PARTS: &[&str] = &[
    "**Question.**",
    "**Choice.**",
    "**What we gave up.**",
    "**How we would know we were wrong.**",
];

const RECORDS: &str = "docs/design/";
const INDEX: &str = "docs/design/README.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, most) in LENGTHS {
        match tree.file(path).map(|file| file.text.lines().count()) {
            None => findings.push(Finding::at(path, 1, "the paper is missing", "write it")),
            Some(lines) if lines > *most => findings.push(Finding::at(
                path,
                most + 1,
                format!("{lines} lines, {most} are allowed"),
                "move what is not for every reader to docs/",
            )),
            Some(_) => {}
        }
    }
    findings.extend(records(tree));
    findings
}

fn records(tree: &Tree) -> Vec<Finding> {
    let index = tree.file(INDEX).map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    let mut last = 0;
    for record in tree.papers().filter(|p| p.path.starts_with(RECORDS) && p.path != INDEX) {
        let name = &record.path[RECORDS.len()..];
        let mut at = |wrong: String, cure: &str| {
            findings.push(Finding::at(&record.path, 1, wrong, cure));
        };
        let Some(number) = name.get(..3).and_then(|n| n.parse::<u16>().ok()) else {
            at(format!("`{name}` has no number"), "name it `NNN-title.md`");
            continue;
        };
        if number != last + 1 {
            at(format!("the record before has number {last}"), "number records without gaps");
        }
        last = number;
        if !record.text.starts_with(&format!("# {number}. ")) {
            at("the title does not begin with the number".into(), "write `# N. Title`");
        }
        for part in PARTS.iter().filter(|part| !record.text.contains(*part)) {
            at(format!("{part} is missing"), "a record says all four: see record 1");
        }
        if !index.contains(&format!("({name})")) {
            at(format!("{INDEX} does not list it"), "add a line with a link");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record_wrongs(files: &[(&str, &str)]) -> Vec<String> {
        records(&Tree::of(files)).into_iter().map(|f| f.wrong).collect()
    }

    #[test]
    fn a_record_has_number_parts_and_a_line_in_the_index() {
        let text = format!("# 1. A\n\n{}\n", PARTS.join(" a\n"));
        let index = (INDEX, "- [A](001-a.md)\n");
        assert!(record_wrongs(&[("docs/design/001-a.md", &text), index]).is_empty());
        assert_eq!(
            record_wrongs(&[("docs/design/002-a.md", &text), index]),
            [
                "the record before has number 0",
                "the title does not begin with the number",
                "docs/design/README.md does not list it"
            ]
        );
        assert_eq!(
            record_wrongs(&[("docs/design/001-a.md", "# 1. A\n"), index]).len(),
            PARTS.len()
        );
    }

    #[test]
    fn a_long_readme_is_no_readme() {
        let papers: Vec<(&str, String)> =
            LENGTHS.iter().map(|(path, most)| (*path, "a\n".repeat(most + 1))).collect();
        let files: Vec<(&str, &str)> = papers.iter().map(|(p, text)| (*p, text.as_str())).collect();
        assert_eq!(check(&Tree::of(&files)).len(), LENGTHS.len());
        assert_eq!(check(&Tree::of(&[]))[0].wrong, "the paper is missing");
    }
}
