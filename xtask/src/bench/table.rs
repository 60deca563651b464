//! The results as a Markdown table.

use super::backlog::Backlog;
use super::measure::Taken;

const HEAD: &str = "\
| server | disk | load | accepted /s | through /s | relay CPU µs | source + sink µs | ratio \
| peak MiB | 250 p50 ms | 250 p99 ms | syncs each | lost | twice | steal % |\n\
|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";

/// One row: who, where, what, and what it took.
pub(super) struct Row {
    pub(super) server: &'static str,
    pub(super) disk: &'static str,
    pub(super) load: String,
    pub(super) taken: Taken,
    /// Syncs per message; none where that was not counted.
    pub(super) syncs: Option<f64>,
}

/// The head of the table.
pub(super) fn head() -> String {
    HEAD.to_owned()
}

/// One line of it.
pub(super) fn line(row: &Row) -> String {
    let t = &row.taken;
    let syncs = row.syncs.map_or_else(|| "–".to_owned(), |n| format!("{n:.2}"));
    format!(
        "| {} | {} | {} | {:.0} | {:.0} | {:.1} | {:.1} | {:.2} | {:.0} | {:.2} | {:.2} | {syncs} | {} | {} | {:.1} |\n",
        row.server,
        row.disk,
        row.load,
        t.accepted_per_s,
        t.through_per_s,
        t.server_us,
        t.harness_us,
        t.server_us / t.harness_us,
        t.memory_mib,
        t.reply_p50_us / 1000.0,
        t.reply_p99_us / 1000.0,
        t.lost,
        t.doubled,
        t.steal_percent,
    )
}

/// A long queue, in a sentence.
pub(super) fn backlog(disk: &str, b: &Backlog) -> String {
    format!(
        "{} recipients queued on the {disk}, relay killed and started again: takes mail after {:.2} s, \
         whole queue known after {:.2} s, {:.0} octets of memory per recipient.\n",
        b.recipients,
        b.ready_after.as_secs_f64(),
        b.complete_after.as_secs_f64(),
        b.octets_each,
    )
}
