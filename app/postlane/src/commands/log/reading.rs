//! Where the log is read: from the running server, or straight from its folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use postlane_api::log::{self, Asked, NoTrace};
use postlane_api::wire::{LogEntry, LogFacets, LogPage, LogQuery, LogStats, LogViews, Traced};
use postlane_ledger::{Ledger, Seq, Settings};
use postlane_mail::{Instant, Span};
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;
use crate::commands::queue::which::escaped;
use crate::exit::{Exit, Failure};
use crate::reach::Reach;

/// Where it is read.
#[derive(Args)]
#[command(next_help_heading = "Which server")]
pub(crate) struct Source {
    /// Read the ledger in this folder rather than ask the server, while none runs
    #[arg(long, value_name = "DIR", conflicts_with_all = ["server", "token"])]
    dir: Option<PathBuf>,
}

/// Something that answers.
pub(crate) enum Reading {
    /// The running server.
    Server(Client),
    /// The ledger itself.
    Folder(Box<Ledger>),
}

/// How often a folder is looked at for more.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The ledger in a folder that no server has open. Whoever only reads it throws nothing away: how long
/// it is kept is the server's to say.
pub(in crate::commands) fn open_folder(dir: &Path) -> Result<Ledger, Failure> {
    if !dir.is_dir() {
        let says = format!("{} is no folder with a ledger in it", dir.display());
        return Err(Failure::usage(says));
    }
    let for_ever = Span::from_h(24 * 36_500);
    let settings = Settings {
        keep: for_ever,
        keep_tallies: for_ever,
        octets_max: u64::MAX,
        ..Settings::default()
    };
    Ledger::open(dir, settings).map_err(|e| unread(&e))
}

impl Reading {
    pub(crate) fn open(reach: &Reach, source: &Source) -> Result<Self, Failure> {
        let Some(dir) = &source.dir else { return Client::find(reach).map(Self::Server) };
        open_folder(dir).map(|ledger| Self::Folder(Box::new(ledger)))
    }

    pub(crate) fn page(&self, query: &LogQuery) -> Result<LogPage, Failure> {
        match self {
            Self::Server(client) => client.get(&format!("/v1/log?{}", written(query))),
            Self::Folder(ledger) => log::page(ledger, &resolved(query)?, now()).map_err(unasked),
        }
    }

    pub(crate) fn stats(&self, query: &LogQuery) -> Result<LogStats, Failure> {
        match self {
            Self::Server(client) => client.get(&format!("/v1/log/stats?{}", written(query))),
            Self::Folder(ledger) => log::stats(ledger, &resolved(query)?, now()).map_err(unasked),
        }
    }

    pub(crate) fn facets(&self, query: &LogQuery) -> Result<LogFacets, Failure> {
        match self {
            Self::Server(client) => client.get(&format!("/v1/log/facets?{}", written(query))),
            Self::Folder(ledger) => log::facets(ledger, &resolved(query)?, now()).map_err(unasked),
        }
    }

    /// Views that have a name.
    pub(crate) fn views(&self) -> Result<LogViews, Failure> {
        match self {
            Self::Server(client) => client.get("/v1/log/views"),
            Self::Folder(_) => Ok(LogViews::built_in()),
        }
    }

    /// Writes all entries as a Parquet file.
    pub(crate) fn parquet(
        &self,
        query: LogQuery,
        out: &mut (impl Write + Send),
    ) -> Result<(), Failure> {
        match self {
            Self::Server(client) => {
                let query = LogQuery { format: Some("parquet".to_owned()), limit: None, ..query };
                client.download(&format!("/v1/log/export?{}", written(&query)), out)
            }
            Self::Folder(ledger) => {
                let filter = resolved(&query)?.filter(now()).map_err(Failure::usage)?;
                ledger.export(&filter, out).map(|_| ()).map_err(|e| unread(&e))
            }
        }
    }

    pub(crate) fn trace(&self, what: &str, messages: u32) -> Result<Traced, Failure> {
        match self {
            Self::Server(client) => {
                client.get(&format!("/v1/trace/{}?limit={messages}", escaped(what)))
            }
            Self::Folder(ledger) => {
                log::trace(ledger, what, messages as usize).map_err(|error| match error {
                    NoTrace::Unreadable(_) => Failure::usage(error.to_string()),
                    NoTrace::Unknown(_) => Failure::new(Exit::No, error.to_string()),
                    _ => Failure::new(Exit::Undetermined, error.to_string()),
                })
            }
        }
    }

    /// The place of the newest entry of all.
    pub(crate) fn newest(&self) -> Result<u64, Failure> {
        match self {
            Self::Folder(ledger) => Ok(ledger.newest().0),
            Self::Server(_) => {
                let one = LogQuery { limit: Some(1), ..LogQuery::default() };
                Ok(self.page(&one)?.entries.first().map_or(0, |entry| entry.seq))
            }
        }
    }

    /// Tells what comes behind `query.after`, until somebody breaks it off.
    pub(crate) fn follow(
        &self,
        query: LogQuery,
        mut tell: impl FnMut(&LogEntry),
    ) -> Result<Exit, Failure> {
        match self {
            Self::Server(client) => {
                let query = LogQuery { limit: None, since: None, ..query };
                client.events(&format!("/v1/log/follow?{}", written(&query)), |data| {
                    if let Ok(entry) = serde_json::from_slice(data) {
                        tell(&entry);
                    }
                })?;
                Err(Failure::new(Exit::Unreachable, "the server has gone away"))
            }
            Self::Folder(ledger) => {
                let filter = resolved(&query)?.filter(now()).map_err(Failure::usage)?;
                let mut after = Seq(query.after.unwrap_or_default());
                loop {
                    let more = ledger.follow(after, &filter, 500).map_err(|e| unread(&e))?;
                    after = more.upto.max(after);
                    more.entries.into_iter().map(LogEntry::from).for_each(|entry| tell(&entry));
                    std::thread::sleep(LOOK_EVERY);
                }
            }
        }
    }
}

/// A query as a URL has it.
pub(in crate::commands) fn written(query: &impl Serialize) -> String {
    let Ok(Value::Object(all)) = serde_json::to_value(query) else { return String::new() };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let pairs = all.iter().filter(|(_, value)| !value.is_null());
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", escaped(&text(value)))).collect();
    pairs.join("&")
}

fn resolved(query: &LogQuery) -> Result<LogQuery, Failure> {
    LogViews::built_in().resolve(query.clone()).map_err(Failure::usage)
}

fn unasked(error: Asked) -> Failure {
    match error {
        Asked::Wrong(says) => Failure::usage(says),
        other => Failure::new(Exit::Undetermined, other.to_string()),
    }
}

fn unread(error: &postlane_ledger::LedgerError) -> Failure {
    Failure::new(Exit::Undetermined, error.to_string())
}

fn now() -> Instant {
    let since = jiff::Timestamp::now().as_microsecond();
    Instant(u64::try_from(since).unwrap_or_default())
}
