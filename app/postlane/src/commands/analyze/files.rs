//! Logs on disk: found out what they are, unpacked, put in order of time, and fed to an analysis.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::{Timestamp, tz::TimeZone};
use postlane_maillog::{Analysis, Format, Report, first_moment};

use crate::exit::Failure;

/// How much is read at once, in octets.
const PIECE: usize = 256 * 1024;
/// How much of a file tells what it is.
const BEGINNING: usize = 64 * 1024;

/// A log, and what is known of it before it is read.
struct Log {
    path: PathBuf,
    format: Format,
    /// The year of its first line, where its lines do not tell.
    year: i16,
    /// When its first line was written, in seconds since 1970.
    begins_s: i64,
    /// Its size on disk.
    octets: u64,
}

/// Reads all logs. Where a file without years turns out to go beyond its own last change, it
/// began earlier than thought, and all are read again.
pub(super) fn read(
    paths: &[PathBuf],
    format: Option<Format>,
    begin: &dyn Fn() -> Analysis,
) -> Result<Report, Failure> {
    let mut logs =
        paths.iter().map(|path| Log::look_at(path, format)).collect::<Result<Vec<_>, _>>()?;
    logs.sort_by_key(|log| log.begins_s);
    let bar = bar(logs.iter().map(|log| log.octets).sum());
    loop {
        let mut analysis = begin();
        let mut is_wrong = false;
        for log in &mut logs {
            let last = log.feed(&mut analysis, &bar)?;
            let beyond = last - log.last_year();
            if beyond > 0 && !log.is_stdin() {
                log.year -= i16::try_from(beyond).unwrap_or(i16::MAX);
                is_wrong = true;
            }
        }
        if !is_wrong {
            bar.finish_and_clear();
            return Ok(analysis.finish());
        }
        bar.reset();
        logs.sort_by_key(|log| (log.year, log.begins_s));
    }
}

fn bar(octets: u64) -> ProgressBar {
    let bar = ProgressBar::new(octets);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style =
        ProgressStyle::with_template("{bytes}/{total_bytes} {wide_bar} {bytes_per_sec} {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Log {
    fn look_at(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let mut log = Self {
            path: path.to_owned(),
            format: format.unwrap_or(Format::Postfix),
            year: Timestamp::now().to_zoned(TimeZone::UTC).year(),
            begins_s: 0,
            octets: 0,
        };
        if log.is_stdin() {
            return Ok(log);
        }
        let unreadable =
            |e: io::Error| Failure::usage(format!("cannot read {}: {e}", log.path.display()));
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        let mut beginning = Vec::new();
        let opened = log.open(&ProgressBar::hidden())?;
        opened.take(BEGINNING as u64).read_to_end(&mut beginning).map_err(unreadable)?;
        if format.is_none() {
            let found = Format::detect(&beginning);
            if found.is_none() && !beginning.is_empty() {
                return Err(Failure::usage(format!(
                    "{}: no mail server's log that is known: name it with --format",
                    path.display()
                )));
            }
            log.format = found.unwrap_or(log.format);
        }
        let changed = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        let changed = changed.unwrap_or_else(Timestamp::now);
        log.octets = meta.len();
        log.year = changed.to_zoned(TimeZone::UTC).year();
        let first = |year| first_moment(log.format, &beginning, i32::from(year));
        // Clocks without a zone may be half a day ahead of the disk's.
        let is_ahead = |at: i64| at > changed.as_second() + 86_400;
        if first(log.year).is_some_and(is_ahead) {
            log.year -= 1;
        }
        log.begins_s = first(log.year).unwrap_or(i64::MAX);
        Ok(log)
    }

    fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// The year in which it was last written to.
    fn last_year(&self) -> i32 {
        let changed = std::fs::metadata(&self.path).and_then(|meta| meta.modified());
        let changed = changed.ok().and_then(|at| Timestamp::try_from(at).ok());
        let day = changed.unwrap_or_else(Timestamp::now) + jiff::SignedDuration::from_hours(24);
        i32::from(day.to_zoned(TimeZone::UTC).year())
    }

    /// Its octets, unpacked.
    fn open(&self, bar: &ProgressBar) -> Result<Box<dyn Read>, Failure> {
        let unreadable =
            |e: io::Error| Failure::usage(format!("cannot read {}: {e}", self.path.display()));
        if self.is_stdin() {
            return Ok(Box::new(io::stdin().lock()));
        }
        let file = File::open(&self.path).map_err(unreadable)?;
        let counted = bar.wrap_read(file);
        Ok(match self.path.extension().and_then(|end| end.to_str()) {
            Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(counted))),
            Some("zst" | "zstd") => {
                Box::new(zstd::stream::read::Decoder::new(counted).map_err(unreadable)?)
            }
            _ => Box::new(counted),
        })
    }

    /// Reads it to its end; gives the year of its last line.
    fn feed(&self, analysis: &mut Analysis, bar: &ProgressBar) -> Result<i32, Failure> {
        let mut octets = self.open(bar)?;
        let mut piece = vec![0; PIECE];
        analysis.begin_file(self.format, i32::from(self.year));
        loop {
            match octets.read(&mut piece) {
                Ok(0) => return Ok(analysis.end_file()),
                Ok(read) => analysis.feed(piece.get(..read).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let path = self.path.display();
                    return Err(Failure::usage(format!(
                        "{path} is broken off or damaged: {e}: unpack as much of it as can be \
                         read, and name that"
                    )));
                }
            }
        }
    }
}
