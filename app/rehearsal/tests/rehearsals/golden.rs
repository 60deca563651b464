//! What a rehearsal prints and writes, held by files. `POSTLANE_BLESS=1` writes them anew.

use std::fs;
use std::path::Path;

use postlane_rehearsal::{Glyphs, Policy, pareto, svg, terminal};

use crate::{TINY, rehearse, scenario};

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rehearsals/golden").join(name);
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == text,
        "{name} has changed; if that is meant, run with POSTLANE_BLESS=1\n--- was\n{held}\n--- is\n{text}"
    );
}

#[test]
fn the_json_of_a_rehearsal() {
    let outcomes = rehearse(TINY, &[Policy::Static], 2, 1);
    let json = serde_json::to_string_pretty(&outcomes[0].summary).unwrap();
    golden("summary.json", &format!("{json}\n"));
}

#[test]
fn the_trace_of_a_run() {
    let outcomes = rehearse(TINY, &[Policy::Pmta], 1, 1);
    golden(
        "trace.jsonl",
        std::str::from_utf8(outcomes[0].runs[0].trace.as_ref().unwrap()).unwrap(),
    );
}

#[test]
fn the_pictures_of_a_run() {
    let outcomes = rehearse(TINY, &[Policy::Pmta], 1, 1);
    let (tiny, run) = (scenario(TINY), &outcomes[0].runs[0].run);
    let plain = terminal(&tiny, Policy::Pmta, run, 60, Glyphs::Ascii);
    golden("chart-ascii.txt", &plain);
    let blocks = terminal(&tiny, Policy::Pmta, run, 60, Glyphs::Unicode);
    golden("chart-unicode.txt", &blocks);
    golden("chart.svg", &svg(&[(&tiny, Policy::Pmta, run)]));
    golden("pareto.svg", &pareto(&[&outcomes[0].summary]));
}
