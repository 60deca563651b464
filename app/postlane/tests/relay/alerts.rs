//! The rules for Prometheus that come along ask for figures that there are.

const RULES: &str = include_str!("../../../../packaging/prometheus-alerts.yml");
/// Each family's kind and name, and the labels of gauges, as a relay has them.
const FAMILIES: &str = include_str!("golden/metrics.txt");

#[test]
fn alerts_ask_for_figures_that_there_are() {
    let of = |line: &str| {
        let (kind, name) = line.split_once(' ')?;
        Some(if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
    };
    let known: Vec<String> = FAMILIES.lines().filter_map(of).collect();
    let is_of_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut asked = 0;
    for expr in RULES.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
        for (at, _) in expr.match_indices("postlane_") {
            let rest = &expr[at..];
            let name: String = rest.chars().take_while(|c| is_of_name(*c)).collect();
            assert!(known.contains(&name), "there is no {name}: {expr}");
            let value = rest[name.len()..].split('"').nth(1).unwrap_or_default();
            let labels = format!("{{state=\"{value}\"}}");
            let has_state = rest[name.len()..].starts_with("{state=");
            assert!(!has_state || FAMILIES.contains(&labels), "there is no {labels}: {expr}");
            asked += 1;
        }
    }
    assert!(asked >= 6, "{asked}");
}
