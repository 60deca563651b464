//! What a lane's figures come to, for people: what is amiss in a sentence each, and how many are not.

use postlane_api::wire::LaneCheckRow;

/// Lines with their numbers.
pub(super) fn told(checks: &[LaneCheckRow]) -> Vec<(usize, String)> {
    let mut lines: Vec<String> = Vec::new();
    let with = |result: &str| -> Vec<&LaneCheckRow> {
        checks.iter().filter(|check| check.result == result).collect()
    };
    for result in ["fail", "error", "warn", "info"] {
        for check in with(result) {
            let remedy = check.remedy.as_deref().map_or_else(String::new, |r| format!(". {r}"));
            lines.push(format!("{result} {}: {}{remedy}", check.id, check.evidence));
        }
    }
    let (fine, skipped) = (with("pass").len(), with("skip").len());
    if fine + skipped > 0 {
        let rest = format!("{fine} as they should be, {skipped} not counted (--json names them)");
        lines.push(rest);
    }
    lines.into_iter().enumerate().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_amiss_comes_first_with_what_to_do() {
        let row = |id: &str, result: &str, remedy: Option<&str>| LaneCheckRow {
            id: id.to_owned(),
            result: result.to_owned(),
            evidence: "seen".to_owned(),
            remedy: remedy.map(str::to_owned),
            reference: String::new(),
        };
        let rows = [row("A", "pass", None), row("B", "skip", None), row("C", "fail", Some("Do."))];
        let lines: Vec<String> = told(&rows).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            lines,
            ["fail C: seen. Do.", "1 as they should be, 1 not counted (--json names them)"]
        );
        assert!(told(&[]).is_empty());
    }
}
