//! Logs on disk: found out what they are, unpacked, put in order of time, and fed to an analysis.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Cursor, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::{Timestamp, tz::TimeZone};
use postlane_maillog::{Analysis, Format, Report, first_moment};

use crate::exit::Failure;

/// What to do where a log is not where it used to be.
const JOURNAL: &str = "where the journal has it, journalctl -u 'postfix*' -o short-iso | postlane \
                       analyze - reads it";
/// What to do where a folder was named.
const FILES: &str = "name its files: /var/log/mail.log*";
/// What `--format` takes.
const FORMATS: &str = "postfix, exim, haraka, kumomta, pmta, postlane, jsonl";

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
    /// What was read of standard input to see what it is.
    read: Vec<u8>,
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
            read: Vec::new(),
        };
        let unreadable = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => Failure::unreadable(path, &e).cured_by(JOURNAL),
            _ => Failure::unreadable(path, &e),
        };
        let changed = if log.is_stdin() {
            let piped = io::stdin().lock().take(BEGINNING as u64).read_to_end(&mut log.read);
            piped.map_err(unreadable)?;
            None
        } else {
            let meta = std::fs::metadata(path).map_err(unreadable)?;
            if meta.is_dir() {
                return Err(unreadable(io::ErrorKind::IsADirectory.into()).cured_by(FILES));
            }
            log.octets = meta.len();
            meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok())
        };
        let beginning = log.beginning()?;
        if format.is_none() {
            let found = Format::detect(&beginning);
            if found.is_none() && !beginning.is_empty() {
                return Err(Failure::usage(format!(
                    "{}: its first lines are of no mail server's log that is known: name the \
                     program that wrote it with --format ({})",
                    log.name(),
                    FORMATS
                )));
            }
            log.format = found.unwrap_or(log.format);
        }
        let changed = changed.unwrap_or_else(Timestamp::now);
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

    /// Its first lines, unpacked.
    fn beginning(&self) -> Result<Vec<u8>, Failure> {
        let mut beginning = Vec::new();
        if self.is_stdin() {
            // What came so far may be a part of a packed stream: its end is no fault.
            if let Ok(reader) = unpacked(Box::new(Cursor::new(self.read.clone()))) {
                let _ = reader.take(BEGINNING as u64).read_to_end(&mut beginning);
            }
            return Ok(beginning);
        }
        let opened = self.open(&ProgressBar::hidden())?;
        let read = opened.take(BEGINNING as u64).read_to_end(&mut beginning);
        read.map_err(|e| Failure::usage(format!("cannot read {}: {e}", self.name())))?;
        Ok(beginning)
    }

    fn name(&self) -> String {
        if self.is_stdin() { "standard input".to_owned() } else { self.path.display().to_string() }
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
        let unreadable = |e: io::Error| Failure::usage(format!("cannot read {}: {e}", self.name()));
        if self.is_stdin() {
            let piped = Cursor::new(self.read.clone()).chain(io::stdin().lock());
            return unpacked(Box::new(piped)).map_err(unreadable);
        }
        let file = File::open(&self.path).map_err(unreadable)?;
        unpacked(Box::new(bar.wrap_read(file))).map_err(unreadable)
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
                    let name = self.name();
                    return Err(Failure::usage(format!(
                        "{name} is broken off or damaged: {e}: unpack as much of it as can be \
                         read, and name that"
                    )));
                }
            }
        }
    }
}

/// What is packed, unpacked; it is seen by the first octets, whatever a file is called (RFC 1952
/// §2.3.1, RFC 8878 §3.1.1).
fn unpacked(octets: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut octets = BufReader::with_capacity(PIECE, octets);
    Ok(match octets.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(octets)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(octets)?),
        _ => Box::new(octets),
    })
}
