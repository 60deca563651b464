//! CPU and memory of one control group, with processes that came and went in it.
//!
//! Reads cgroup v2 (`cpu.stat`) or v1 (`cpuacct.usage_*`), and beside it the whole machine's CPU and
//! one block device, so that other work on the machine can be told from the server's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use nix::unistd::{SysconfVar, sysconf};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::monotonic_ns;
use crate::report::{emit, seconds};

/// Sample one control group until SIGTERM or SIGINT.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directory of the group, below /sys/fs/cgroup.
    #[arg(long)]
    group: PathBuf,
    /// Milliseconds between two looks at the memory.
    #[arg(long, default_value_t = 1000)]
    interval_ms: u64,
    /// Block device to count writes of.
    #[arg(long, default_value = "vda")]
    dev: String,
    /// Write the result here, too.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// All counters at one moment.
struct Reading {
    at_ns: u64,
    user_us: u64,
    system_us: u64,
    /// Jiffies of the whole machine that were work, and that the hypervisor kept.
    busy: u64,
    steal: u64,
    writes: u64,
    sectors: u64,
    flushes: u64,
}

/// Memory of all processes of the group, in KiB.
#[derive(Default)]
struct Memory {
    processes: u64,
    rss: u64,
    pss: u64,
    anonymous: u64,
}

impl Reading {
    fn take(group: &Path, dev: &str) -> anyhow::Result<Self> {
        let (user_us, system_us) = cpu_us(group)?;
        let stat = numbers(&read("/proc/stat").lines().next().unwrap_or("").replace("cpu", ""));
        let disk = numbers(&read(format!("/sys/block/{dev}/stat")));
        let of = |list: &[u64], at: usize| list.get(at).copied().unwrap_or(0);
        Ok(Self {
            at_ns: monotonic_ns(),
            user_us,
            system_us,
            busy: [0, 1, 2, 5, 6].iter().map(|at| of(&stat, *at)).sum(),
            steal: of(&stat, 7),
            writes: of(&disk, 4),
            sectors: of(&disk, 6),
            flushes: of(&disk, 15),
        })
    }
}

impl Memory {
    fn take(group: &Path) -> Self {
        let mut memory = Self::default();
        for pid in read(group.join("cgroup.procs")).lines() {
            // A process that has just ended is no longer anybody's memory.
            let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
                continue;
            };
            memory.processes += 1;
            for line in maps.lines() {
                let mut words = line.split_ascii_whitespace();
                let (name, kib) = (words.next(), words.next().and_then(|n| n.parse().ok()));
                match name {
                    Some("Rss:") => memory.rss += kib.unwrap_or(0),
                    Some("Pss:") => memory.pss += kib.unwrap_or(0),
                    Some("Anonymous:") => memory.anonymous += kib.unwrap_or(0),
                    _ => {}
                }
            }
        }
        memory
    }

    fn peak(self, other: Self) -> Self {
        Self {
            processes: self.processes.max(other.processes),
            rss: self.rss.max(other.rss),
            pss: self.pss.max(other.pss),
            anonymous: self.anonymous.max(other.anonymous),
        }
    }
}

/// Samples until told to stop, then prints the difference.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let group = Path::new("/sys/fs/cgroup").join(&arguments.group);
    let before = Reading::take(&group, &arguments.dev)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("while starting the runtime")?;
    let peak = runtime.block_on(sample(&group, Duration::from_millis(arguments.interval_ms)))?;
    let after = Reading::take(&group, &arguments.dev)?;
    let hz = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as f64;
    let (user_us, system_us) = (after.user_us - before.user_us, after.system_us - before.system_us);
    let result = json!({
        "mode": "meter",
        "wall_s": seconds(after.at_ns - before.at_ns),
        "cpu_user_s": seconds(user_us * 1000),
        "cpu_sys_s": seconds(system_us * 1000),
        "cpu_s": seconds((user_us + system_us) * 1000),
        "rss_sum_peak_kib": peak.rss,
        "pss_sum_peak_kib": peak.pss,
        "anon_sum_peak_kib": peak.anonymous,
        "procs_peak": peak.processes,
        "machine_busy_s": (after.busy - before.busy) as f64 / hz,
        "machine_steal_s": (after.steal - before.steal) as f64 / hz,
        "disk_writes": after.writes - before.writes,
        "disk_mib_written": (after.sectors - before.sectors) as f64 / 2048.0,
        "disk_flushes": after.flushes - before.flushes,
    });
    emit(&result, arguments.json.as_deref())
}

async fn sample(group: &Path, interval: Duration) -> anyhow::Result<Memory> {
    let mut terminate = signal(SignalKind::terminate()).context("while waiting for SIGTERM")?;
    let mut peak = Memory::take(group);
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(peak),
            _ = terminate.recv() => return Ok(peak),
            () = tokio::time::sleep(interval) => peak = peak.peak(Memory::take(group)),
        }
    }
}

/// User and system time of the group so far, in microseconds.
fn cpu_us(group: &Path) -> anyhow::Result<(u64, u64)> {
    if let Ok(stat) = fs::read_to_string(group.join("cpu.stat"))
        && let (Some(user), Some(system)) = (field(&stat, "user_usec"), field(&stat, "system_usec"))
    {
        return Ok((user, system));
    }
    let ns = |name: &str| -> anyhow::Result<u64> {
        let path = group.join(name);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("while reading {}: give the directory of a cpuacct or v2 group", path.display())
        })?;
        text.trim().parse().with_context(|| format!("{} is not a number", path.display()))
    };
    Ok((ns("cpuacct.usage_user")? / 1000, ns("cpuacct.usage_sys")? / 1000))
}

fn field(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// The text of a kernel file; empty when there is none.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn numbers(line: &str) -> Vec<u64> {
    line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_v2_group_is_read_from_its_stat() {
        let stat = "usage_usec 30\nuser_usec 20\nsystem_usec 10\n";
        assert_eq!((field(stat, "user_usec"), field(stat, "system_usec")), (Some(20), Some(10)));
        assert_eq!(field(stat, "nice_usec"), None);
    }

    #[test]
    fn peaks_are_taken_field_by_field() {
        let (a, b) = (
            Memory { rss: 3, pss: 1, ..Memory::default() },
            Memory { pss: 2, ..Memory::default() },
        );
        let peak = a.peak(b);
        assert_eq!((peak.rss, peak.pss), (3, 2));
    }
}
