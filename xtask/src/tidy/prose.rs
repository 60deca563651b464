//! A Markdown file as tidy reads it: its prose without code, its headings, its links.

/// The prose of a Markdown text, by line number (from 1), with code blanked out.
pub(crate) fn prose(text: &str) -> Vec<(usize, String)> {
    let mut in_fence = false;
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence && !line.starts_with("    ") {
            lines.push((at + 1, without_code(line)));
        }
    }
    lines
}

/// `line` with the inside of backticks blanked out.
pub(crate) fn without_code(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (at, part) in line.split('`').enumerate() {
        if at % 2 == 0 {
            out.push_str(part);
        } else {
            out.extend(std::iter::repeat_n(' ', part.len() + 2));
        }
    }
    out
}

/// The names between backticks.
pub(crate) fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The anchors of a Markdown text's headings, as a forge makes them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut in_fence = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        in_fence ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if !in_fence && heading.len() < line.len() && heading.starts_with(' ') {
            anchors.push(anchor(heading.trim()));
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// The targets of links `[text](target)` in a line of prose.
pub(crate) fn links(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_not_prose() {
        let text = "a `b` c\n```\nd\n```\n    e\nf";
        assert_eq!(prose(text), [(1, "a     c".to_owned()), (6, "f".to_owned())]);
    }

    #[test]
    fn an_anchor_is_the_heading_in_lower_case_with_dashes() {
        assert_eq!(
            anchors("# Three floors, one house\n```\n# no\n```\n## `io` §1\n"),
            ["three-floors-one-house", "io-1"]
        );
    }

    #[test]
    fn links_are_found_by_their_brackets() {
        let found: Vec<&str> = links("see [a](b.md) and [c](d/e.md#f), (g)").collect();
        assert_eq!(found, ["b.md", "d/e.md#f"]);
    }
}
