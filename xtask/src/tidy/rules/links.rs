//! A link in a paper leads somewhere.

use crate::tidy::finding::Finding;
use crate::tidy::prose::{anchors, links, prose};
use crate::tidy::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for paper in tree.papers() {
        for (number, line) in prose(&paper.text) {
            for link in links(&line).filter(|link| !is_outside(link)) {
                if let Some(wrong) = broken(tree, &paper.path, link) {
                    let cure = "mend the link, or take it out";
                    findings.push(Finding::at(&paper.path, number, wrong, cure));
                }
            }
        }
    }
    findings
}

fn is_outside(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

fn broken(tree: &Tree, from: &str, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(p, a)| (p, Some(a)));
    let target = if path.is_empty() { Some(from.to_owned()) } else { resolve(from, path) };
    let Some(target) = target.filter(|target| tree.has(target)) else {
        return Some(format!("nothing is at `{link}`"));
    };
    let anchor = anchor?;
    let text = &tree.file(&target)?.text;
    (!anchors(text).iter().any(|a| a == anchor)).then(|| format!("`{link}`: no such heading there"))
}

/// `path` as seen from the file `from`; none when it leads out of the tree.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrongs(line: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", "# Post lane\n"),
            ("docs/guide/first.md", line),
            ("docs/guide/next.md", ""),
        ]);
        check(&tree).into_iter().map(|f| f.wrong).collect()
    }

    #[test]
    fn a_link_leads_to_a_file_a_folder_or_a_heading() {
        for good in [
            "[a](next.md)",
            "[a](../guide/)",
            "[a](../../README.md#post-lane)",
            "[a](https://example.com/x.md) `[a](no.md)`",
        ] {
            assert!(wrongs(good).is_empty(), "{good}");
        }
        for bad in ["[a](no.md)", "[a](../../../README.md)", "[a](../../README.md#x)", "[a](#x)"] {
            assert_eq!(wrongs(bad).len(), 1, "{bad}");
        }
    }
}
