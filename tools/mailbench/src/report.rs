//! The result of a run: one JSON object on stdout, and in a file when asked for.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// Prints `result` on one line and writes the same line to `file`.
#[expect(clippy::print_stdout, reason = "the result is what this program is run for")]
pub(crate) fn emit(result: &Value, file: Option<&Path>) -> anyhow::Result<()> {
    println!("{result}");
    match file {
        Some(path) => fs::write(path, format!("{result}\n"))
            .with_context(|| format!("while writing {}", path.display())),
        None => Ok(()),
    }
}

/// `n` per second over `span_s` seconds, to a tenth; 0 when no time has passed.
pub(crate) fn rate(n: u64, span_s: f64) -> f64 {
    if span_s > 0.0 { (n as f64 / span_s * 10.0).round() / 10.0 } else { 0.0 }
}

/// A span of nanoseconds as seconds, to the millisecond.
pub(crate) fn seconds(ns: u64) -> f64 {
    (ns as f64 / 1e6).round() / 1e3
}
