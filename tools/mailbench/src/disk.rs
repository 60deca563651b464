//! What one durable commit costs in a directory, and how batching changes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::json;

use crate::clock::monotonic_ns;
use crate::latency::Summary;
use crate::report::{emit, rate, seconds};

/// Measure what a durable commit costs in a directory.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directory to write in; created when missing.
    #[arg(long)]
    dir: PathBuf,
    /// How a record is made durable.
    #[arg(long, value_enum, default_value = "append")]
    mode: Kind,
    /// Octets per record.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// Records per commit.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Commits per thread.
    #[arg(long, default_value_t = 1000)]
    ops: usize,
    /// Threads, each with files of its own.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Write the result here, too.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// How a record is made durable.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The file grows, so that every commit carries a change of metadata, too.
    Append,
    /// The space was written beforehand: a commit is the record alone.
    Overwrite,
    /// One file per record: create, write, fsync, close (as Postfix keeps its queue).
    File,
    /// The same, and the directory is synced as well.
    Filedir,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Overwrite => "overwrite",
            Self::File => "file",
            Self::Filedir => "filedir",
        }
    }
}

/// Whether the new names are made durable with the files.
#[derive(Clone, Copy)]
enum Directory {
    Synced,
    Unsynced,
}

/// The commits of one thread.
struct Writer<'a> {
    arguments: &'a Arguments,
    thread: usize,
    record: Vec<u8>,
}

impl Writer<'_> {
    /// Latency of each commit in microseconds.
    fn run(&self) -> io::Result<Vec<u64>> {
        match self.arguments.mode {
            Kind::Append => self.log(None),
            Kind::Overwrite => self.log(Some(self.octets())),
            Kind::File => self.files(Directory::Unsynced),
            Kind::Filedir => self.files(Directory::Synced),
        }
    }

    fn octets(&self) -> usize {
        self.arguments.size * self.arguments.batch * self.arguments.ops
    }

    /// One log file, synced after each batch; `before` octets of it are written first.
    fn log(&self, before: Option<usize>) -> io::Result<Vec<u64>> {
        let path = self.arguments.dir.join(format!("log{}", self.thread));
        let mut log = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        if let Some(mut left) = before {
            let zeros = vec![0; 1 << 20];
            while left > 0 {
                let n = left.min(zeros.len());
                log.write_all(&zeros[..n])?;
                left -= n;
            }
            log.sync_all()?;
            log.seek(SeekFrom::Start(0))?;
        }
        let mut latencies_us = Vec::with_capacity(self.arguments.ops);
        for _ in 0..self.arguments.ops {
            let begun = monotonic_ns();
            for _ in 0..self.arguments.batch {
                log.write_all(&self.record)?;
            }
            log.sync_data()?;
            latencies_us.push((monotonic_ns() - begun) / 1000);
        }
        fs::remove_file(path)?;
        Ok(latencies_us)
    }

    /// One file per record; a batch may end with a sync of the directory.
    fn files(&self, directory: Directory) -> io::Result<Vec<u64>> {
        let queue = self.arguments.dir.join(format!("q{}", self.thread));
        fs::create_dir_all(&queue)?;
        let open_queue = File::open(&queue)?;
        let mut made = Vec::new();
        let mut latencies_us = Vec::with_capacity(self.arguments.ops);
        for i in 0..self.arguments.ops {
            let begun = monotonic_ns();
            for b in 0..self.arguments.batch {
                let path = queue.join(format!("{i}-{b}"));
                let mut file = File::create(&path)?;
                file.write_all(&self.record)?;
                file.sync_all()?;
                made.push(path);
            }
            if matches!(directory, Directory::Synced) {
                open_queue.sync_all()?;
            }
            latencies_us.push((monotonic_ns() - begun) / 1000);
        }
        for path in made {
            fs::remove_file(path)?;
        }
        fs::remove_dir(queue)?;
        Ok(latencies_us)
    }
}

/// Runs all threads and prints what a commit took.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let dir: &Path = &arguments.dir;
    fs::create_dir_all(dir).with_context(|| format!("while creating {}", dir.display()))?;
    let begun = monotonic_ns();
    let latencies_us: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1))
            .map(|thread| {
                let record = vec![b'x'; arguments.size];
                scope.spawn(move || Writer { arguments, thread, record }.run())
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("a writer does not panic")).collect::<Vec<_>>()
    })
    .into_iter()
    .collect::<io::Result<Vec<_>>>()
    .with_context(|| format!("while writing in {}", dir.display()))?
    .concat();
    let wall_ns = monotonic_ns() - begun;
    // Preparing and clearing away are not timed: the rate is that of the commits alone.
    let busy_s = latencies_us.iter().sum::<u64>() as f64 / 1e6 / arguments.threads.max(1) as f64;
    let commits = latencies_us.len() as u64;
    let records = commits * arguments.batch as u64;
    let result = json!({
        "mode": "disk",
        "kind": arguments.mode.name(),
        "size": arguments.size,
        "batch": arguments.batch,
        "threads": arguments.threads,
        "commits_per_s": rate(commits, busy_s),
        "records_per_s": rate(records, busy_s),
        "mb_per_s": rate(records * arguments.size as u64, busy_s * 1e6),
        "wall_s": seconds(wall_ns),
        "commit_us": Summary::of(latencies_us).json(),
    });
    emit(&result, arguments.json.as_deref())
}
