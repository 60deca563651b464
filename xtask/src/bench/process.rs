//! What a server and all its children use: CPU time, memory, and what the host took away.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Ticks per second of the times in /proc, the same on every Linux port.
const TICKS_PER_S: u64 = 100;
/// How often the memory is looked at: seldom enough to cost nothing, often enough to see a peak.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What one process has used, by its `stat`.
struct Stat {
    parent: u32,
    /// Ticks of itself and of the children it has waited for.
    ticks: u64,
}

/// The process `root` and all its descendants, from the top down.
pub(super) fn all_of(root: u32) -> Vec<u32> {
    tree(root, &stats())
}

/// CPU time in microseconds of the process `root`, its descendants, and those that have ended.
pub(super) fn cpu_us(root: u32) -> u64 {
    let stats = stats();
    let ticks: u64 =
        tree(root, &stats).iter().filter_map(|pid| stats.get(pid)).map(|s| s.ticks).sum();
    ticks * (1_000_000 / TICKS_PER_S)
}

/// Anonymous memory of one process in octets: what it holds itself, without files it has mapped.
pub(super) fn anonymous_octets(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    kib(&status, "RssAnon:") * 1024
}

/// Shares of the whole machine's time since some moment.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    steal: u64,
    all: u64,
}

impl Machine {
    /// The counters now.
    pub(super) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).map_while(|t| t.parse().ok()).collect();
        // The guests' time behind the eighth column is counted in the first two already.
        Self { steal: ticks.get(7).copied().unwrap_or(0), all: ticks.iter().take(8).sum() }
    }

    /// Percent of the time since `earlier` that the host gave to somebody else.
    pub(super) fn steal_percent_since(self, earlier: Self) -> f64 {
        let all = (self.all - earlier.all).max(1);
        (self.steal - earlier.steal) as f64 * 100.0 / all as f64
    }
}

/// Watches the memory of a process and its descendants until it is stopped.
pub(super) struct MemoryWatch {
    is_over: Arc<AtomicBool>,
    peak_kib: Arc<AtomicU64>,
    watcher: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    /// Begins to watch.
    pub(super) fn start(root: u32) -> Self {
        let (is_over, peak_kib) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, peak) = (is_over.clone(), peak_kib.clone());
        let watcher = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                peak.fetch_max(memory_kib(root), Ordering::Relaxed);
                thread::sleep(LOOK_EVERY);
            }
        });
        Self { is_over, peak_kib, watcher: Some(watcher) }
    }

    /// The most that was used at one time, in KiB; pages that several processes share count once.
    pub(super) fn stop(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            watcher.join().expect("the watcher does not panic");
        }
        self.peak_kib.load(Ordering::Relaxed)
    }
}

fn memory_kib(root: u32) -> u64 {
    let share = |pid: &u32| {
        let maps = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        kib(&maps, "Pss:")
    };
    tree(root, &stats()).iter().map(share).sum()
}

/// The number behind a field of a /proc file that counts in KiB.
fn kib(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The process and its descendants.
fn tree(root: u32, stats: &BTreeMap<u32, Stat>) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(stats.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

fn stats() -> BTreeMap<u32, Stat> {
    let mut stats = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while we look.
        let text = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        stats.extend(parse(&text).map(|stat| (pid, stat)));
    }
    stats
}

/// Reads a `/proc/PID/stat`: the name in brackets may hold anything, so what counts stands behind.
fn parse(stat: &str) -> Option<Stat> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks(11)? + ticks(12)? + ticks(13)? + ticks(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_read_behind_whatever_the_name_is() {
        let text = "7 (a) b (c)) S 3 7 7 0 -1 4 1 2 3 4 50 60 7 8 20 0 1";
        let stat = parse(text).unwrap();
        assert_eq!((stat.parent, stat.ticks), (3, 125));
        assert!(parse("").is_none());
    }

    #[test]
    fn a_tree_is_a_process_and_all_below_it() {
        let stat = |parent| Stat { parent, ticks: 0 };
        let stats = BTreeMap::from([(2, stat(1)), (3, stat(2)), (4, stat(3)), (5, stat(1))]);
        assert_eq!(tree(2, &stats), [2, 3, 4]);
    }

    #[test]
    fn fields_in_kib_are_read_by_name() {
        assert_eq!(kib("Rss:  12 kB\nPss:\t  7 kB\n", "Pss:"), 7);
        assert_eq!(kib("Rss:  12 kB\n", "Pss:"), 0);
    }
}
