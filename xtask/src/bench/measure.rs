//! One measured run: a load through a server, and what it took.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::disk::Disk;
use super::harness::{Load, Mailbench, number};
use super::process::{Machine, MemoryWatch, cpu_us};
use super::server::Server;

/// Time for outcomes of the last messages to be written before the CPU is read.
const AFTERMATH: Duration = Duration::from_millis(500);

/// What one run took.
pub(super) struct Taken {
    pub(super) accepted_per_s: f64,
    /// Messages per second from the first MAIL at the source to the last dot at the sink.
    pub(super) through_per_s: f64,
    /// CPU of the server and its children per message, in microseconds.
    pub(super) server_us: f64,
    /// CPU of source and sink together per message, in microseconds.
    pub(super) harness_us: f64,
    pub(super) memory_mib: f64,
    /// From the end of the data to the 250, in microseconds.
    pub(super) reply_p50_us: f64,
    pub(super) reply_p99_us: f64,
    pub(super) steal_percent: f64,
    pub(super) lost: f64,
    pub(super) doubled: f64,
}

/// Sends `load` through `server` with its queue on `disk`.
pub(super) fn run(
    mailbench: &Mailbench,
    server: &Server,
    disk: &Disk,
    load: Load,
) -> anyhow::Result<Taken> {
    let sink = mailbench.sink(load)?;
    let running = server.start(&disk.fresh("run")?, sink.address, &[])?;
    let memory = MemoryWatch::start(running.pid());
    let (machine, cpu_before) = (Machine::now(), cpu_us(running.pid()));
    let source = mailbench.send(running.smtp, load)?;
    let sink = sink.wait()?;
    let steal_percent = Machine::now().steal_percent_since(machine);
    thread::sleep(AFTERMATH);
    let cpu = (cpu_us(running.pid()) - cpu_before) as f64;
    let memory_mib = memory.stop() as f64 / 1024.0;
    running.stop()?;
    let messages = load.messages as f64;
    let span_s = (number(&sink, &["t_last_ns"]) - number(&source, &["t_first_ns"])) / 1e9;
    let of_harness = |result| number(result, &["cpu_user_us"]) + number(result, &["cpu_sys_us"]);
    let once = number(&sink, &["ids_once"]);
    let doubled = number(&sink, &["ids_twice"]) + number(&sink, &["ids_more"]);
    Ok(Taken {
        accepted_per_s: number(&source, &["rate"]),
        through_per_s: number(&sink, &["messages"]) / span_s,
        server_us: cpu / messages,
        harness_us: (of_harness(&source) + of_harness(&sink)) / messages,
        memory_mib,
        reply_p50_us: number(&source, &["final_reply_us", "p50"]),
        reply_p99_us: number(&source, &["final_reply_us", "p99"]),
        steal_percent,
        lost: number(&source, &["accepted"]) - once - doubled,
        doubled,
    })
}

/// Syncs per message, by strace in a run of its own: it slows the server down, so that fewer
/// messages share a sync than without it. An upper bound, therefore.
pub(super) fn syncs(
    mailbench: &Mailbench,
    server: &Server,
    disk: &Disk,
    load: Load,
) -> anyhow::Result<f64> {
    let folder = disk.fresh("run")?;
    let counts = folder.join("syncs.txt");
    let wrapper = [
        "strace",
        "--follow-forks",
        "--seccomp-bpf",
        "--summary-only",
        "--signal=none",
        "--trace=fsync,fdatasync,sync_file_range,msync,syncfs",
        "--output",
    ];
    let mut wrapper: Vec<String> = wrapper.map(str::to_owned).into();
    wrapper.push(counts.display().to_string());
    let sink = mailbench.sink(load)?;
    let running = server.start(&folder, sink.address, &wrapper)?;
    mailbench.send(running.smtp, load)?;
    sink.wait()?;
    // strace passes the signal on to what it runs, and writes its table when that has ended.
    running.stop()?;
    Ok(calls(&counts)? as f64 / load.messages as f64)
}

/// Calls in the `total` line of strace's table.
fn calls(table: &Path) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(table)
        .with_context(|| format!("while reading {}: is strace installed?", table.display()))?;
    Ok(total(&text))
}

/// The calls of all rows: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn total(table: &str) -> u64 {
    let rows = table.lines().filter(|line| !line.ends_with("total"));
    rows.filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_strace_table_are_added_up() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            90.00    0.001000          10       100           fdatasync\n \
            10.00    0.000100          20         5         1 fsync\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.001100          10       105         1 total\n";
        assert_eq!(total(table), 105);
    }
}
